"""Which symbol drew a feature: its key and its text in the legend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional, Protocol

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFeatureRenderer,
    QgsReadWriteContext,
    QgsRenderContext,
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
        self._labels = {
            item.ruleKey(): item.label() or layer.name() for item in renderer.legendSymbolItems()
        }
        self._key_of_others = _key_of_others(renderer)
        self.attributes = tuple(renderer.usedAttributes(QgsRenderContext()))
        self.needs_geometry = renderer.filterNeedsGeometry()

    @property
    def draws_everything(self) -> bool:
        """True when no feature can be left undrawn by this renderer."""
        return str(self.renderer.type()) == SINGLE_SYMBOL

    def entries(
        self, features: Iterable[QgsFeature], evaluator: Evaluator, place: Scaled
    ) -> list[Optional[dict[str, str]]]:
        """Return the ``legend`` of each feature; None where nothing was drawn."""
        if self.draws_everything and len(self._labels) == 1:
            key, label = next(iter(self._labels.items()))
            return [{"label": label, "key": key} for _ in features]
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
        for key, label in self._labels.items():  # in the legend's order
            if key in keys:
                return {"label": label, "key": key}
        return None


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
        return list(self._renderer.legendKeysForFeature(feature, self._context))

    def draws(self, feature: QgsFeature) -> bool:
        """Return whether a feature is drawn at all."""
        self._context.expressionContext().setFeature(feature)
        return bool(self._renderer.willRenderFeature(feature, self._context))

    def stop(self) -> None:
        """End the work; a renderer must not be left started."""
        self._renderer.stopRender(self._context)


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
