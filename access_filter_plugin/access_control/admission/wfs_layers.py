"""The layers of a WFS request as its caller may use them: plain values for the judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Protocol

from ...value_class import value_class
from .refused import UnknownName

GEOMETRY_NAMES = frozenset({"geometry", "geom", "the_geom", "msGeometry", "shape"})
"""What clients call the geometry inside a spatial operator, where QGIS ignores the name."""


@value_class
class QueryLayer:
    """One published layer that is listed for the caller."""

    id: str
    type_name: str
    visible: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The visible attributes by the names that the schema gives them (no blanks)."""
    has_filter: bool = False
    """True when rows are hidden."""
    has_key: bool = True
    filter_is_visible: bool = True
    """True when the row filter reads visible attributes only."""
    tests_whole_rows: bool = False
    """True when QGIS tests the row filter on rows with all their attributes, ids or not."""


class Layers(Protocol):
    """The published layers by type name."""

    def find(self, type_name: str) -> QueryLayer:
        """Return a layer; raise UnknownName for one that is unknown or hidden."""


class Expressions(Protocol):
    """What only QGIS can say of a client's filter."""

    def canonical(self, text: str, layer: QueryLayer, parameter: str) -> str:
        """Return an expression as it was understood; raise Refused."""

    def check_filter(self, xml: str, layer: QueryLayer) -> None:
        """Raise Refused for an OGC filter whose expression names what it must not."""

    def by_key(self, layer: QueryLayer, ids: list[str]) -> str:
        """Return the expression that selects rows by the ids WFS gave them; raise Refused."""


def unknown_type(name: str) -> UnknownName:
    """Return the refusal of a type name, in the words of QGIS."""
    return UnknownName(name, f"TypeName '{name}' unknown")


def without_prefix(name: str) -> str:
    """Return a name without its namespace prefix, as QGIS cuts it in XML bodies."""
    return name.split(":")[1] if ":" in name else name


def plain_property(text: str, type_name: str) -> str:
    """Return a property name without prefix and type name (``qgs:roads/name`` → ``name``)."""
    name = without_prefix(text.strip())
    if "/" in name:
        owner, name = name.split("/")[:2]
        if owner != type_name:
            return ""
    return name
