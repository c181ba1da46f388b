"""The names WMS and WMTS know: layers, and groups with their members in drawing order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Optional

from ...value_class import value_class
from ..catalogue import LayerKind
from ..project_access import OperationAccess


@value_class
class MapTree:
    """What a name in LAYERS means to QGIS."""

    layers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """WMS name → ids of the layers that have it (two layers may share one)."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Group name, the project's own among them → layer ids, the topmost first."""
    queryable: frozenset[str] = frozenset()
    """Ids of the layers that GetFeatureInfo may ask."""
    has_legends_of_groups: bool = False
    """True when the project asks for groups in legends."""


@value_class
class Asked:
    """One layer that a request asks for, after groups were expanded."""

    id: str
    name: str
    """The WMS name under which QGIS finds it."""
    from_group: bool = False


def is_open(access: OperationAccess, layer_id: str) -> bool:
    """Return whether a layer may be drawn: readable, with a style that may be drawn."""
    decision = access.decision(layer_id)
    info = access.catalogue.layers.get(layer_id)
    if info is None or not decision.read:
        return False
    return bool(decision.styles) or not info.styles


_LEGENDS = ("GetLegendGraphic", "GetLegendGraphics")


def _hides_group(name: str, tree: MapTree, access: OperationAccess) -> bool:
    """Return whether QGIS would take a layer's name for that of a group with closed members."""
    is_group_first = access.operation == "GetPrint" or (
        tree.has_legends_of_groups and access.operation in _LEGENDS
    )
    return is_group_first and not all(
        is_open(access, layer_id) for layer_id in tree.groups.get(name, ())
    )


def resolve(name: str, tree: MapTree, access: OperationAccess) -> Optional[tuple[Asked, ...]]:
    """Return the permitted layers that a name means, bottom first; None for an unknown name.

    A name none of whose layers is open is unknown: nothing may tell it from one that is not there.
    """
    ids = tree.layers.get(name, ())
    if ids and all(is_open(access, layer_id) for layer_id in ids):
        return None if _hides_group(name, tree, access) else (Asked(ids[0], name),)
    is_closed_group = bool(ids) and all(
        access.catalogue.layers[i].kind is LayerKind.GROUP for i in ids
    )
    if ids and not is_closed_group:
        return None
    members = tuple(
        Asked(layer_id, access.catalogue.layers[layer_id].wms_name, from_group=True)
        for layer_id in reversed(tree.groups.get(name, ()))
        if _is_open_by_name(layer_id, tree, access)
    )
    return members or None


def exists(name: str, tree: MapTree) -> bool:
    """Return whether a name means anything at all in the project."""
    return name in tree.layers or name in tree.groups


def _is_open_by_name(layer_id: str, tree: MapTree, access: OperationAccess) -> bool:
    info = access.catalogue.layers.get(layer_id)
    if info is None:
        return False
    namesakes = tree.layers.get(info.wms_name, ())
    if _hides_group(info.wms_name, tree, access):
        return False
    return bool(namesakes) and all(is_open(access, other) for other in namesakes)
