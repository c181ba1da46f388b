"""What a project's ``feature_info`` variable says, parsed and immutable (contract, section 7).

Every value knows the path it was written at, so that a warning about a layer's field or relation
names the place in the author's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import Any, Optional

from ..value_class import value_class
from .name_selection import has_wildcard, matches

VARIABLE = "feature_info"

STOCK = "stock"
NAMES = "names"
LABELS = "labels"
ALIASES = "aliases"
PROPERTIES_MODES = (STOCK, NAMES, LABELS, ALIASES)

MEMBER = "member"
PROPERTY = "property"
PLACES = (MEMBER, PROPERTY)

KEEP = "keep"
DROP_NULL = "drop_null"
DROP_EMPTY = "drop_empty"
EMPTY_MODES = (KEEP, DROP_NULL, DROP_EMPTY)

AS_IS = "as_is"
WGS84 = "wgs84"
NO_GEOMETRY = "none"
BBOX = "bbox"
CENTROID = "centroid"
GEOMETRY_MODES = (AS_IS, WGS84, NO_GEOMETRY, BBOX, CENTROID)


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@value_class
class RelatedSettings:
    """What is told of the records of one relation."""

    path: str
    fields: Optional[tuple[str, ...]] = None
    rename: Mapping[str, str] = field(default_factory=_nothing)
    computed: Mapping[str, str] = field(default_factory=_nothing)
    units: Mapping[str, str] = field(default_factory=_nothing)
    limit: int = 20
    count: bool = True
    order_by: tuple[str, ...] = ()
    """Expressions, most important first; a leading ``-`` turns one around."""
    related: Mapping[str, RelatedSettings] = field(default_factory=_nothing)
    """Records of the records; one level and no further."""


@value_class
class LayerSettings:
    """Everything that is told of one layer, with the project's defaults filled in."""

    properties: str = STOCK
    place: str = MEMBER
    empty: str = KEEP
    geometry: str = AS_IS
    precision: int = 6
    fields: Optional[tuple[str, ...]] = None
    rename: Mapping[str, str] = field(default_factory=_nothing)
    computed: Mapping[str, str] = field(default_factory=_nothing)
    related: Mapping[str, RelatedSettings] = field(default_factory=_nothing)
    links: Mapping[str, str] = field(default_factory=_nothing)
    attachments: Mapping[str, str] = field(default_factory=_nothing)
    """Field → base URL (empty: only values that are URLs themselves)."""
    units: Mapping[str, str] = field(default_factory=_nothing)
    static: Mapping[str, Any] = field(default_factory=_nothing)
    maptip: bool = False
    paths: Mapping[str, str] = field(default_factory=_nothing)
    """Key → the path of the object it was written in; a default is not in it."""
    own: frozenset[str] = frozenset()
    """Keys written for this very layer (no wildcard), so that a name unknown there is a typo."""

    def path(self, key: str, name: str = "") -> str:
        """Return the path of a key, or of one entry below it, for a message."""
        return ".".join(part for part in (self.paths.get(key, VARIABLE), key, name) if part)


@value_class
class LayerOverride:
    """One entry of ``layers``: a name or pattern, and the keys it sets."""

    pattern: str
    path: str
    values: Mapping[str, Any]

    @property
    def is_exact(self) -> bool:
        """True when the pattern is a name."""
        return not has_wildcard(self.pattern)


@value_class
class FeatureInfoSettings:
    """The whole variable: defaults for every layer, and what single layers override."""

    defaults: LayerSettings = LayerSettings()
    overrides: tuple[LayerOverride, ...] = ()

    def for_layer(self, names: Sequence[str]) -> LayerSettings:
        """Return the settings of a layer known by these names.

        Patterns count in the order they were written, then the layer's own name; each sets whole
        keys. An exact name that is also a layer's real name never counts as a pattern.
        """
        settings = self.defaults
        exact = [entry for entry in self.overrides if entry.pattern in names]
        wild = [
            entry
            for entry in self.overrides
            if entry not in exact
            and not entry.is_exact
            and any(matches(entry.pattern, name) for name in names)
        ]
        for entry in wild + exact:
            settings = _overridden(settings, entry, is_exact=entry in exact)
        return settings

    def unused(self, layers: Sequence[Sequence[str]]) -> tuple[LayerOverride, ...]:
        """Return the entries that fit none of the layers, each given by its names."""
        known = {name for names in layers for name in names}
        return tuple(
            entry
            for entry in self.overrides
            if entry.pattern not in known
            and (entry.is_exact or not any(matches(entry.pattern, name) for name in known))
        )


def _overridden(settings: LayerSettings, entry: LayerOverride, *, is_exact: bool) -> LayerSettings:
    keys = frozenset(entry.values)
    return replace(
        settings,
        paths={**settings.paths, **dict.fromkeys(keys, entry.path)},
        own=settings.own | keys if is_exact else settings.own - keys,
        **entry.values,
    )
