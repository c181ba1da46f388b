"""Redaction of WMTS answers for a restricted caller."""

from __future__ import annotations

from typing import Any, Optional

from qgis.server import QgsServerProjectUtils

from ..request_context import RequestContext
from .admission.wms_tree import MapTree, is_open
from .project_access import OperationAccess
from .qgis_redact_wms import other_access, redact_feature_info
from .qgis_wms_mutations import EXTENTS_NOTE
from .qgis_wms_project import server_text, wms_facts
from .redaction.wmts_capabilities import Box, TileGroup, TileListing, redact_tiles
from .redaction.xml import indented, parse_answer


def redact(context: RequestContext, access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return the new body, or None to leave it."""
    operation = context.request.operation
    if answer.status != 200 or not answer.body:
        return None
    if operation == "GetFeatureInfo":
        return redact_feature_info(access, answer)
    if operation != "GetCapabilities":
        return None
    root = parse_answer(answer.body)
    redact_tiles(root, _listing(context, access, answer.state))
    return indented(root)


def _listing(context: RequestContext, access: OperationAccess, state: Any) -> TileListing:
    tree = wms_facts(state).tree
    asking = other_access(context, state, "WMTS", "GetFeatureInfo")
    drawn = [i for i in access.catalogue.layers if is_open(access, i)]
    names = {layer_id: _names(state.layers[layer_id]) for layer_id in drawn}
    extents = context.notes.get(EXTENTS_NOTE, {})
    declared = not QgsServerProjectUtils.wmsExtent(state.project).isEmpty()
    root = QgsServerProjectUtils.wmsRootName(state.project) or state.project.title()
    groups = {
        name: _group(members, access, asking, extents, declared=declared and name == root)
        for name, members in _groups(tree, state, root)
    }
    return TileListing(
        layers=frozenset(name for found in names.values() for name in found),
        silent=frozenset(
            name
            for layer_id, found in names.items()
            for name in found
            if not asking.decision(layer_id).read
        ),
        groups=groups,
    )


def _names(layer: Any) -> frozenset[str]:
    """Return the names WMTS may use: it never publishes ids, whatever WMS does."""
    return frozenset({server_text(layer, "shortName") or layer.name()})


def _groups(tree: MapTree, state: Any, root: str) -> list[tuple[str, tuple[str, ...]]]:
    members = dict(tree.groups)
    if root:
        members[root] = tuple(dict.fromkeys((*members.get(root, ()), *state.layers)))
    return list(members.items())


def _group(
    members: tuple[str, ...],
    access: OperationAccess,
    asking: OperationAccess,
    extents: dict[str, Box],
    *,
    declared: bool,
) -> TileGroup:
    drawn = [layer_id for layer_id in members if is_open(access, layer_id)]
    queryable = any(asking.decision(layer_id).read for layer_id in drawn)
    return TileGroup(
        is_open=bool(drawn),
        is_whole=declared or (len(drawn) == len(members) and queryable),
        extent=_union([extents[i] for i in drawn if i in extents]),
        is_queryable=queryable,
    )


def _union(boxes: list[Box]) -> Optional[Box]:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes)
    return (min(west), min(south), max(east), max(north))
