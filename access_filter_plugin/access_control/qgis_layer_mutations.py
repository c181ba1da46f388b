"""Extents and dimensions of layers, for the time of one request.

QGIS writes both from all rows, whoever asks (facts A.2, F11 and F13). The layers of the cached
project are shared by all requests, so each change registers its undo before it is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from qgis.core import QgsRectangle

from ..ows_request import OAPIF
from ..request_context import RequestContext
from .admission.verdict import Verdict
from .catalogue import LayerInfo, LayerKind
from .decision import LayerDecision
from .project_access import OperationAccess
from .qgis_visible_rows import visible_extent
from .qgis_wms_project import wms_facts

Register = Callable[[Callable[[], None]], None]

#: Requests whose answers show the extents of layers.
_WITH_EXTENTS = {
    "WMS": frozenset({"GetCapabilities", "GetProjectSettings", "GetContext"}),
    "WMTS": frozenset({"GetCapabilities"}),
    "WFS": frozenset({"GetCapabilities", "GetFeature"}),
    OAPIF: frozenset({"Collections", "Collection"}),
}
#: Requests whose answers list the values of dimensions.
_WITH_DIMENSIONS = frozenset({"GetCapabilities", "GetProjectSettings", "GetContext"})


def mutate_layers(
    context: RequestContext,
    access: OperationAccess,
    state: Any,
    verdict: Verdict,
    undo: Register,
) -> None:
    """Set the layers of the project so that documents tell nothing that is hidden."""
    request = context.request
    with_extents, with_dimensions = _shown(request.service, request.operation)
    with_dimensions = with_dimensions and bool(wms_facts(state).dimensions)
    if not (with_extents or with_dimensions):
        return
    for info in _layers_in_answer(context, access, verdict):
        decision = access.decision(info.id)
        if info.kind is not LayerKind.VECTOR or not decision.is_listed:
            continue
        layer = state.layers[info.id]
        if with_extents and info.has_geometry and not decision.rows.is_everything:
            _set_extent(layer, visible_extent(access, info, state), undo)
        if with_dimensions:
            _hide_dimensions(layer, decision, undo)


def may_mutate_layers(access: OperationAccess) -> bool:
    """Return whether the answers of the operation show extents or dimensions of layers."""
    return any(_shown(access.service, access.operation))


def _shown(service: str, operation: str) -> tuple[bool, bool]:
    """Return whether an operation's answers show extents, and whether dimensions."""
    with_extents = operation in _WITH_EXTENTS.get(service, ())
    return with_extents, service == "WMS" and operation in _WITH_DIMENSIONS


def _layers_in_answer(
    context: RequestContext, access: OperationAccess, verdict: Verdict
) -> Iterable[LayerInfo]:
    """Return the layers whose extents an answer may hold: those asked for, in a listing all."""
    layers = access.catalogue.layers
    asked = verdict.notes.get("layers")
    if context.request.operation != "GetFeature" or not isinstance(asked, frozenset) or not asked:
        return layers.values()
    return [layers[layer_id] for layer_id in asked]


def _set_extent(layer: Any, extent: QgsRectangle, undo: Register) -> None:
    before = QgsRectangle(layer.extent())
    undo(lambda: layer.setExtent(before))
    layer.setExtent(extent)


def _hide_dimensions(layer: Any, decision: LayerDecision, undo: Register) -> None:
    properties = layer.serverProperties()
    before = list(properties.wmsDimensions())
    hidden = [dimension for dimension in before if not _is_open(dimension, decision)]
    if hidden:
        # All of them, so that they are back in their order.
        undo(lambda: _set_dimensions(properties, before))
        for dimension in hidden:
            properties.removeWmsDimension(dimension.name)


def _is_open(dimension: Any, decision: LayerDecision) -> bool:
    fields = {dimension.fieldName, dimension.endFieldName} - {""}
    return decision.rows.is_everything and fields <= decision.attributes


def _set_dimensions(properties: Any, dimensions: list[Any]) -> None:
    for dimension in list(properties.wmsDimensions()):
        properties.removeWmsDimension(dimension.name)
    for dimension in dimensions:
        properties.addWmsDimension(dimension)
