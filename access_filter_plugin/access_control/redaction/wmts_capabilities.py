"""WMTS capabilities without closed groups, and with the extents of what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Optional

from ...value_class import value_class
from .xml import Element, child_text, children, descendants, remove

Box = tuple[float, ...]


@value_class
class TileGroup:
    """A group (or the whole project) as WMTS publishes it."""

    is_open: bool = False
    """True when some member may be drawn."""
    is_whole: bool = False
    """True when nothing of it is closed; then QGIS's own figures may stay."""
    extent: Optional[Box] = None
    """West, south, east and north of what is open; None when it has no extent."""
    is_queryable: bool = True


@value_class
class TileListing:
    """What the caller may be told of the tiles of a project."""

    layers: frozenset[str] = frozenset()
    """Names of the layers that may be drawn."""
    silent: frozenset[str] = frozenset()
    """Names of those that GetFeatureInfo may not ask."""
    groups: Mapping[str, TileGroup] = field(default_factory=dict)


def redact_tiles(root: Element, listing: TileListing) -> None:
    """Take out of a WMTS document what is not in the listing."""
    for contents in children(root, "Contents"):
        for layer in children(contents, "Layer"):
            name = child_text(layer, "Identifier")
            if name in listing.layers:
                if name in listing.silent:
                    _remove_all(layer, "InfoFormat")
                continue
            group = listing.groups.get(name)
            if group is None or not group.is_open:
                remove(layer)
            elif not group.is_whole:
                _rewrite_extent(layer, group)


def _remove_all(layer: Element, name: str) -> None:
    for element in descendants(layer, name):
        remove(element)


def _rewrite_extent(layer: Element, group: TileGroup) -> None:
    """Write the extent of the open members; the limits of tiles are optional and left out."""
    _remove_all(layer, "BoundingBox")
    _remove_all(layer, "TileMatrixSetLimits")
    if not group.is_queryable:
        _remove_all(layer, "InfoFormat")
    for box in children(layer, "WGS84BoundingBox"):
        if group.extent is None:
            remove(box)
            continue
        west, south, east, north = group.extent
        for corner, text in (
            ("LowerCorner", f"{west:.6f} {south:.6f}"),
            ("UpperCorner", f"{east:.6f} {north:.6f}"),
        ):
            for element in children(box, corner):
                element.text = text
