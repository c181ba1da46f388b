"""Extents and dimensions of layers, for the time of one request.

QGIS writes both from all rows, whoever asks (facts A.2, F11 and F13). The layers of the cached
project are shared by all requests, so each change registers its undo before it is made.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Callable, Optional

from qgis.core import QgsFeature, QgsRectangle

from ..ows_request import OAPIF
from ..request_context import RequestContext
from .admission.verdict import Verdict
from .catalogue import LayerInfo, LayerKind
from .decision import LayerDecision
from .project_access import OperationAccess
from .qgis_rows import filtered_request

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
_PART = "access_control.extents"
_MOST = sys.float_info.max
"""An extent from here to its negative holds nothing yet (``setMinimal`` is deprecated in 3.40)."""
_NOTHING = QgsRectangle(0, 0, 0, 0)
"""A null rectangle would be written as the largest numbers there are (3.40, 3.44)."""
EXTENT_SECONDS = 60.0
"""How long the extent of the visible rows is used again; it tells nothing that is hidden."""
EXTENT_SHARE = 0.01
"""The share of a worker's time that looking for one layer's extent again may take."""


def mutate_layers(
    context: RequestContext,
    access: OperationAccess,
    state: Any,
    verdict: Verdict,
    undo: Register,
) -> None:
    """Set the layers of the project so that documents tell nothing that is hidden."""
    request = context.request
    with_extents = request.operation in _WITH_EXTENTS.get(request.service, ())
    with_dimensions = request.service == "WMS" and request.operation in _WITH_DIMENSIONS
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


def _layers_in_answer(
    context: RequestContext, access: OperationAccess, verdict: Verdict
) -> Iterable[LayerInfo]:
    """Return the layers whose extents an answer may hold: those asked for, in a listing all."""
    layers = access.catalogue.layers
    asked = verdict.notes.get("layers")
    if context.request.operation != "GetFeature" or not isinstance(asked, frozenset) or not asked:
        return layers.values()
    return [layers[layer_id] for layer_id in asked]


class VisibleExtents:
    """Extents of the rows that row filters let through, for one generation of a project.

    Callers with the same filter share them, whatever they ask: reading all visible rows is by far
    the most expensive thing that a document can need.
    """

    def __init__(self, limit: int = 5000) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, Optional[str]], tuple[float, QgsRectangle]]
        self._known = OrderedDict()

    def of(self, layer: Any, rows: Optional[str]) -> QgsRectangle:
        """Return the extent of a layer's rows; empty when there is none."""
        key = (layer.id(), rows)
        began = time.monotonic()
        known = self._known.get(key)
        if known is not None and began < known[0]:
            return QgsRectangle(known[1])
        extent = _extent(layer, rows)
        now = time.monotonic()
        self._known[key] = (now + max(EXTENT_SECONDS, (now - began) / EXTENT_SHARE), extent)
        self._known.move_to_end(key)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return QgsRectangle(extent)


def visible_extent(access: OperationAccess, info: LayerInfo, state: Any) -> QgsRectangle:
    """Return the extent of the rows that the caller sees; empty when there is none."""
    known = state.parts.get(_PART)
    if not isinstance(known, VisibleExtents):
        known = state.parts[_PART] = VisibleExtents()
    return known.of(state.layers[info.id], access.decision(info.id).rows.expression())


def _extent(layer: Any, rows: Optional[str]) -> QgsRectangle:
    if rows == "FALSE":
        return QgsRectangle(_NOTHING)
    request = filtered_request(layer, rows)
    request.setSubsetOfAttributes([])
    extent = QgsRectangle(_MOST, _MOST, -_MOST, -_MOST, False)
    features = layer.getFeatures(request)
    feature = QgsFeature()
    while features.nextFeature(feature):  # one object for all rows: a quarter less than a loop
        geometry = feature.geometry()
        if not geometry.isNull():
            extent.combineExtentWith(geometry.boundingBox())
    is_empty = extent.xMinimum() > extent.xMaximum()
    return QgsRectangle(_NOTHING) if is_empty else extent


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
