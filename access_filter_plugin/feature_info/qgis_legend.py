"""Which symbol drew a feature: its key and its text in the legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Optional, Protocol

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFeatureRenderer,
    QgsReadWriteContext,
    QgsRenderContext,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

from .qgis_evaluate import Evaluator
from .qgis_values import is_null

SINGLE_SYMBOL = "singleSymbol"


class Scaled(Protocol):
    """Something that knows the scale of the map, and may have to work it out."""

    @property
    def scale(self) -> float:
        """The scale of the map; 0 where it is unknown."""


class Legend:
    """The renderer of one style of a layer, copied: the layer's own may change for a request."""

    def __init__(self, layer: QgsVectorLayer, renderer: QgsFeatureRenderer) -> None:
        self._layer = layer
        self.renderer = renderer
        items = renderer.legendSymbolItems()
        self._parents = {item.ruleKey(): item.parentRuleKey() for item in items}
        own_labels = {item.ruleKey(): item.label() for item in items}
        self._labels = {
            item.ruleKey(): self._label(item.ruleKey(), own_labels) or layer.name()
            for item in items
            if item.symbol() is not None  # a rule without one only groups others
        }
        self._key_of_others = _key_of_others(renderer)
        self.attributes = tuple(renderer.usedAttributes(QgsRenderContext()))
        self.needs_geometry = renderer.filterNeedsGeometry()
        self.draws_everything = str(renderer.type()) == SINGLE_SYMBOL
        """True when no feature can be left undrawn by this renderer."""

    @cached_property
    def only_entry(self) -> Optional[dict[str, str]]:
        """The ``legend`` of every feature, where all of them have the same."""
        if not self.draws_everything or len(self._labels) != 1:
            return None
        key, label = next(iter(self._labels.items()))
        return {"label": label, "key": key}

    def entries(
        self, features: Iterable[QgsFeature], evaluator: Evaluator, place: Scaled
    ) -> list[Optional[dict[str, str]]]:
        """Return the ``legend`` of each feature; None where nothing was drawn."""
        only = self.only_entry
        if only is not None:
            return [only for _ in features]
        run = LegendRun(self, self._layer, evaluator, place.scale)
        try:
            return [self._entry(self._keys(run, feature)) for feature in features]
        finally:
            run.stop()

    def _keys(self, run: LegendRun, feature: QgsFeature) -> list[str]:
        keys = run.keys(feature)
        if not keys and self._key_of_others is not None and run.draws(feature):
            return [self._key_of_others]
        return keys

    def _entry(self, keys: list[str]) -> Optional[dict[str, str]]:
        """Return the first of the drawn symbols, in the legend's order, with none below it.

        An embedded renderer of rules gives the keys of the rules around one, too.
        """
        drawn = [key for key in self._labels if key in keys]
        above = {outer for key in drawn for outer in self._chain(key)[1:]}
        for key in drawn:
            if key not in above:
                return {"label": self._labels[key], "key": key}
        return None

    def _label(self, key: str, labels: Mapping[str, str]) -> str:
        """Return the text of a symbol, else that of the nearest group around it."""
        return next((labels[one] for one in self._chain(key) if labels.get(one)), "")

    def _chain(self, key: str) -> list[str]:
        """Return a key and those of the rules around it, innermost first."""
        chain = [key]
        while self._parents.get(chain[-1]) and len(chain) <= len(self._parents):
            chain.append(self._parents[chain[-1]])
        return chain


class LegendRun:
    """A renderer at work on one request."""

    def __init__(
        self, legend: Legend, layer: QgsVectorLayer, evaluator: Evaluator, scale: float
    ) -> None:
        self._renderer = legend.renderer
        self._evaluator = evaluator
        self._context = QgsRenderContext()
        self._context.setRendererScale(scale)
        self._context.setExpressionContext(evaluator.context)
        self._renderer.startRender(self._context, layer.fields())

    def keys(self, feature: QgsFeature) -> list[str]:
        """Return the keys of the symbols that draw a feature."""
        self._context.expressionContext().setFeature(feature)
        if isinstance(self._renderer, QgsRuleBasedRenderer):
            return _drawing_rules(self._renderer.rootRule(), feature, self._context)
        return list(self._renderer.legendKeysForFeature(feature, self._context))

    def draws(self, feature: QgsFeature) -> bool:
        """Return whether a feature is drawn at all."""
        self._context.expressionContext().setFeature(feature)
        return bool(self._renderer.willRenderFeature(feature, self._context))

    def stop(self) -> None:
        """End the work; a renderer must not be left started."""
        self._renderer.stopRender(self._context)


def _drawing_rules(rule: Any, feature: QgsFeature, context: QgsRenderContext) -> list[str]:
    """Return the keys of the innermost rules that draw a feature, chosen as the drawing does.

    ``legendKeysForFeature`` gives every rule on the way, and of rules inside one that has a symbol
    never the ELSE (seen on 3.22, 3.40 and 3.44).
    """
    scale = context.rendererScale()
    inner = [child for child in rule.children() if child.active() and child.isScaleOK(scale)]
    for turn in (False, True):  # ELSE rules draw where none of the others did
        fitting = [child for child in inner if child.isElse() is turn]
        keys = [
            key
            for child in fitting
            if turn or child.isFilterOK(feature, context)
            for key in _drawing_rules(child, feature, context)
        ]
        if keys:
            return keys
    return [str(rule.ruleKey())] if rule.symbol() is not None else []


def _key_of_others(renderer: QgsFeatureRenderer) -> Optional[str]:
    """Return the key of a category for all other values, which ``legendKeysForFeature`` forgets."""
    if not isinstance(renderer, QgsCategorizedSymbolRenderer):
        return None
    items = [item.ruleKey() for item in renderer.legendSymbolItems()]
    for key, category in zip(items, renderer.categories()):
        if is_null(category.value()) or category.value() == "":
            return str(key)
    return None


def current_legend(layer: QgsVectorLayer) -> Optional[Legend]:
    """Return the legend of the style that is current now."""
    renderer = layer.renderer()
    return None if renderer is None else Legend(layer, renderer.clone())


def legend_of_style(layer: QgsVectorLayer, style: str) -> Optional[Legend]:
    """Return the legend of a named style, read from the project without applying it."""
    document = QDomDocument()
    document.setContent(layer.styleManager().style(style).xmlData())
    element = document.documentElement().firstChildElement("renderer-v2")
    if element.isNull():
        return None
    renderer: Any = QgsFeatureRenderer.load(element, QgsReadWriteContext())
    return None if renderer is None else Legend(layer, renderer)
