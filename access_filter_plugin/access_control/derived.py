"""Derived denial: what is made of something closed is closed too (contract, section 4, rule 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from .catalogue import Catalogue, LayerInfo, LayerKind, Source
from .decide import Decider, closed, default_style
from .decision import EditRight, LayerDecision
from .policy import GEOMETRY


class Derivation:
    """The final decisions of one caller: the base decisions, closed where their sources are."""

    def __init__(self, catalogue: Catalogue, decider: Decider) -> None:
        self.decider = decider
        self._catalogue = catalogue
        self._final: dict[str, LayerDecision] = {}
        self._under_way: set[str] = set()
        self._cycles = 0
        self._whole_project: Optional[bool] = None
        self._shows_all: Optional[bool] = None

    def decision(self, layer_id: str) -> LayerDecision:
        """Return the final decision for a layer; an unknown layer is closed."""
        known = self._final.get(layer_id)
        if known is not None:
            return known
        layer = self._catalogue.layers.get(layer_id)
        if layer is None:
            return LayerDecision(layer=layer_id, reason="no such layer")
        if layer_id in self._under_way:
            # Two things made of each other: neither can be shown to be open.
            self._cycles += 1
            return closed(layer, (), "it is made of itself")
        cycles = self._cycles
        self._under_way.add(layer_id)
        try:
            final = self._derive(layer, self.decider.decide(layer))
        finally:
            self._under_way.discard(layer_id)
        if not self._under_way or cycles == self._cycles:
            self._final[layer_id] = final
        return final

    def all(self) -> Mapping[str, LayerDecision]:
        """Return the final decision of every layer."""
        if len(self._final) < len(self._catalogue.layers):
            for layer_id in self._catalogue.layers:
                self.decision(layer_id)
        return self._final

    def shows_all(self) -> bool:
        """Return whether nothing of any layer is closed to reading."""
        if self._shows_all is None:
            self._shows_all = all(d.is_fully_readable for d in self.all().values())
        return self._shows_all

    def are_open(self, sources: tuple[Source, ...]) -> bool:
        """Return whether everything that a thing is made of is open (for layouts)."""
        return all(
            self._is_open(source, self.decision(source.layer))
            and self._is_drawn_as_is(source.layer)
            for source in sources
            if source.layer or not self._is_whole_project_open()
        )

    def _is_drawn_as_is(self, layer_id: str) -> bool:
        """Return whether a layer that QGIS draws without asking may be seen in its own style."""
        layer = self._catalogue.layers.get(layer_id)
        if layer is None or not layer.styles:
            return True
        return self.decision(layer_id).default_style == layer.default_style

    def _is_whole_project_open(self) -> bool:
        """Return whether no row and no attribute is hidden: then a source need not be known."""
        if self._whole_project is None:
            bases = (self.decider.decide(layer) for layer in self._catalogue.layers.values())
            self._whole_project = all(
                base.read and base.rows.is_everything and not base.hidden for base in bases
            )
        return self._whole_project

    def _derive(self, layer: LayerInfo, base: LayerDecision) -> LayerDecision:
        if not _is_derived(layer):
            return base
        is_open = all(self._source_is_open(s, base) for s in layer.sources)
        if layer.kind is LayerKind.GROUP:
            is_open = is_open and all(self._is_drawn_as_is(s.layer) for s in layer.sources)
        if base.read and not is_open:
            reason = "it is made of something that is closed"
            return replace(closed(layer, base.rules, reason), insert=base.insert)
        visible = self._visible(layer, base)
        closed_ = self._closed_attributes(layer, base, visible)
        decision = replace(
            base,
            attributes=visible,
            hidden=frozenset(layer.attributes) - visible,
            lookup_attributes=base.lookup_attributes - closed_,
            insert=_without(base.insert, closed_),
            update=_without(base.update, closed_),
        )
        decision = replace(decision, raw_attributes=self._raw(layer, decision))
        return self._with_styles(layer, decision)

    def _visible(self, layer: LayerInfo, base: LayerDecision) -> frozenset[str]:
        """Return the visible attributes; closing one may close others computed from it."""
        visible = base.attributes
        while True:
            seen = replace(base, attributes=visible, hidden=frozenset(layer.attributes) - visible)
            still = frozenset(
                name
                for name in visible
                if all(self._source_is_open(s, seen) for s in layer.attribute_sources.get(name, ()))
            )
            if still == visible:
                return visible
            visible = still

    def _closed_attributes(
        self, layer: LayerInfo, base: LayerDecision, visible: frozenset[str]
    ) -> frozenset[str]:
        """Return the attributes made of something closed, whether the layer is readable or not."""
        seen = replace(base, attributes=visible)
        return frozenset(
            name
            for name, sources in layer.attribute_sources.items()
            if not all(self._source_is_open(source, seen) for source in sources)
        )

    def _raw(self, layer: LayerInfo, decision: LayerDecision) -> frozenset[str]:
        return frozenset(
            name
            for name, sources in layer.label_sources.items()
            if name in decision.attributes
            and not all(self._source_is_open(source, decision) for source in sources)
        )

    def _with_styles(self, layer: LayerInfo, decision: LayerDecision) -> LayerDecision:
        styles = frozenset(
            style
            for style in decision.styles
            if all(self._source_is_open(s, decision) for s in layer.style_sources.get(style, ()))
        )
        return replace(
            decision,
            styles=styles,
            closed_styles=frozenset(layer.styles) - styles,
            default_style=default_style(layer, styles),
        )

    def _source_is_open(self, source: Source, own: LayerDecision) -> bool:
        if source.layer == own.layer:
            return self._is_open(source, own)
        if not source.layer:
            return self._is_whole_project_open()
        return self._is_open(source, self.decision(source.layer))

    @staticmethod
    def _is_open(source: Source, of: LayerDecision) -> bool:
        if of.read and _rows_and_attributes_open(source, of):
            return True
        if not (source.is_label and of.lookup) or source.attributes is None:
            return False
        rows_open = not source.rows or of.lookup_rows.is_everything
        return rows_open and source.attributes <= of.lookup_attributes


def _is_derived(layer: LayerInfo) -> bool:
    tables = (layer.attribute_sources, layer.label_sources, layer.style_sources)
    return bool(layer.sources) or any(any(table.values()) for table in tables)


def _without(right: EditRight, attributes: frozenset[str]) -> EditRight:
    return replace(right, writable=right.writable - attributes) if attributes else right


def _rows_and_attributes_open(source: Source, of: LayerDecision) -> bool:
    if source.rows and not of.rows.is_everything:
        return False
    if source.attributes is None:
        return not of.hidden
    return source.attributes <= of.attributes | {GEOMETRY}
