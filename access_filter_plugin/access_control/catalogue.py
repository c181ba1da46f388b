"""A project as the decision core sees it: layers, attributes and what they are derived from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import Optional

from ..value_class import value_class


class LayerKind(enum.Enum):
    """What a layer can be asked for: only vector layers have rows and attributes."""

    VECTOR = "vector"
    RASTER = "raster"
    GROUP = "group"
    OTHER = "other"


@value_class
class Source:
    """What a derived thing is made of: a layer, all or one of its attributes, perhaps its rows."""

    layer: str
    """A layer id; an empty id is a source that cannot be told: open to those alone from whom no
    row and no attribute of the whole project is hidden."""
    attributes: Optional[frozenset[str]] = frozenset()
    """The attributes used; None when they cannot be told, which means all of them."""
    rows: bool = True
    """True when hidden rows of that layer would show in the derived thing."""
    is_label: bool = False
    """True when only labels of that layer show, for which ``lookup`` is enough."""


@value_class
class LayerInfo:
    """One layer of a project."""

    id: str
    name: str
    short_name: str = ""
    kind: LayerKind = LayerKind.VECTOR
    groups: tuple[str, ...] = ()
    """Names (and short names) of all layer-tree groups above it."""
    attributes: tuple[str, ...] = ()
    """Field names in the layer's order."""
    primary_key: tuple[str, ...] = ()
    has_geometry: bool = False
    styles: tuple[str, ...] = ()
    default_style: str = ""
    """The style that is current when the project is loaded."""
    style_sources: Mapping[str, tuple[Source, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Style name → what it draws or labels with; this layer's own attributes among them."""
    sources: tuple[Source, ...] = ()
    """What the whole layer is made of (virtual layer, group layer)."""
    attribute_sources: Mapping[str, tuple[Source, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Attribute → what it is computed or joined from."""
    by_caller: frozenset[str] = frozenset()
    """The attributes that are computed for each caller, so that no rule can go by them."""
    label_sources: Mapping[str, tuple[Source, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Attribute → the layer its displayed text comes from (value relation, relation reference)."""
    wms_name: str = ""
    """The name WMS and WMTS publish it under: short name, else name, or the id by option."""

    @property
    def wfs_name(self) -> str:
        """The name WFS, WCS and OAPIF publish it under (spaces become underscores in WFS)."""
        return (self.short_name or self.name).replace(" ", "_").replace(":", "-")

    @property
    def names(self) -> frozenset[str]:
        """Every name a rule may use for this layer."""
        return frozenset(name for name in (self.id, self.name, self.short_name) if name)


@value_class
class Catalogue:
    """The layers, layer-tree groups and print layouts of a project."""

    layers: Mapping[str, LayerInfo] = field(default_factory=lambda: MappingProxyType({}))
    """Layer id → layer, in the project's order."""
    groups: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    template_sources: Mapping[str, tuple[Source, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @cached_property
    def ids_by_name(self) -> Mapping[str, tuple[str, ...]]:
        """The layers that a request may mean by a name: their own, WFS's, or a group's above."""
        found: dict[str, dict[str, None]] = {}
        for layer in self.layers.values():
            for name in (*layer.names, layer.wfs_name, *layer.groups):
                found.setdefault(name, {})[layer.id] = None
        return {name: tuple(ids) for name, ids in found.items()}
