"""Edits by OGC API Features, judged on the stored row before QGIS writes.

QGIS never asks ``allowToEdit`` there. What it does with a body (3.22 to 3.44): a null is "not
sent", names are field names and never aliases, and the geometry of a PUT is written only where the
layer is not in EPSG:4326, where a PUT without one even takes the geometry away.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFields,
    QgsGeometry,
    QgsJsonUtils,
)

from ..ows_request import OwsRequest
from .admission.oapif import ApiPath, bad_request
from .admission.oapif_body import SentFeature, read_feature, read_patch
from .admission.refused import Forbidden, UnknownName
from .admission.verdict import ADMITTED, Verdict
from .catalogue import LayerInfo
from .decision import EditRight, LayerDecision
from .policy import GEOMETRY, Action
from .project_access import OperationAccess
from .qgis_edits import EditJudge, converted, has_no_row_limit
from .qgis_feature_ids import key_expression
from .qgis_oapif_layers import listed
from .qgis_plain_values import refuse_ambiguous
from .qgis_rows import filtered_request
from .qgis_sent_names import kept_values
from .qgis_stored_values import from_json, readings

_ACTIONS = {
    "Create": (Action.INSERT, "Items"),
    "Replace": (Action.UPDATE, "Item"),
    "Update": (Action.UPDATE, "Item"),
    "Delete": (Action.DELETE, "Item"),
}


def may_edit_something_limited(access: OperationAccess, info: LayerInfo) -> bool:
    """Return whether a caller has an edit right on a layer that needs to be judged."""
    decision = access.decision(info.id)
    rights = [r for r in (decision.insert, decision.update, decision.delete) if r.is_allowed]
    names = frozenset((*info.attributes, GEOMETRY))
    return any(
        access.edits_differ
        or not has_no_row_limit(right)
        # Deleting writes no attribute, so its right has nothing to say of them.
        or (right is not decision.delete and not names <= right.writable)
        for right in rights
    )


def judge_edit(request: OwsRequest, path: ApiPath, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a POST, PUT, PATCH or DELETE; raise Refused."""
    action, kind = _ACTIONS[request.operation]
    if path.kind != kind:
        raise bad_request(f"{request.method} method is not accepted here.")
    try:
        info = listed(access, state.project, path.collection)
    except UnknownName:
        if access.is_restricted:
            raise
        return ADMITTED  # QGIS says itself what it does not know
    decision = access.decision(info.id)
    right = decision.edit(action)
    if not right.is_allowed:
        raise Forbidden(f"You may not do this to features of {path.collection}.")
    layer = state.layers[info.id]
    if action is Action.INSERT:
        _create(request, layer, decision, right)
    else:
        _change(request, path, layer, info, decision, right)
    return ADMITTED


def _create(request: OwsRequest, layer: Any, decision: LayerDecision, right: EditRight) -> None:
    sent = read_feature(request.body)
    judge, geometry = EditJudge(layer, right), _geometry(request.body, sent, layer)
    _refuse_closed(sent.values, layer, decision, right)
    for values in _values(kept_values(request.body, sent.values, layer), layer):
        judge.insert(values, geometry)


def _change(
    request: OwsRequest,
    path: ApiPath,
    layer: Any,
    info: LayerInfo,
    decision: LayerDecision,
    right: EditRight,
) -> None:
    has_limit = not (decision.rows.is_everything and has_no_row_limit(right))
    if has_limit and not info.primary_key:
        raise Forbidden("Features of a layer without a primary key may not be changed.")
    judge = EditJudge(layer, right)
    rows = _visible_row(path.feature_id, layer, decision)
    if request.operation == "Delete":
        judge.delete(rows)
        return
    is_patch = request.operation == "Update"
    sent = read_patch(request.body) if is_patch else read_feature(request.body)
    _refuse_closed(sent.values, layer, decision, right)
    all_values = _values(sent.values, layer)
    geometry = None if is_patch else _new_geometry(request.body, sent, layer)
    for values in all_values:
        judge.update(rows, values, geometry)


def _visible_row(feature_id: str, layer: Any, decision: LayerDecision) -> list[Any]:
    """Return the row of an id if the caller sees it; otherwise QGIS will not find it either."""
    key = key_expression(feature_id, layer.dataProvider())
    if key == "":
        raise bad_request(f"Invalid feature ID [{feature_id}]")
    if key is not None:
        return list(layer.getFeatures(filtered_request(layer, key, decision.rows.expression())))
    if not feature_id.isdecimal():
        raise bad_request(f"Invalid feature ID [{feature_id}]")
    request = filtered_request(layer)
    request.setFilterFid(int(feature_id))
    return list(layer.getFeatures(request))


def _refuse_closed(
    sent: Mapping[str, Any], layer: Any, decision: LayerDecision, right: EditRight
) -> None:
    """Refuse the names that a caller may not write, and those he could find hidden ones with."""
    fields = layer.fields()
    known = set(fields.names())
    titles = {f.displayName() for f in fields if f.name() in decision.attributes}
    for name in sorted(sent):
        if name in known:
            closed = name not in decision.attributes and name not in right.writable
        else:
            closed = name not in titles and bool(decision.hidden)
        if closed:
            raise Forbidden(f"The attribute {name} may not be written.")


def _values(sent: Mapping[str, Any], layer: Any) -> list[dict[str, Any]]:
    """Return what QGIS would write; names that are no attributes are left out, as it does."""
    fields, provider, values = layer.fields(), layer.dataProvider(), {}
    stored = set(provider.fields().names())
    for name in sorted(stored.intersection(sent)):
        refuse_ambiguous(provider, name, sent[name])
        values[name] = from_json(converted(fields, name, sent[name]), sent[name])
    return readings(provider, sent, values)


def _new_geometry(body: bytes, sent: SentFeature, layer: Any) -> Optional[QgsGeometry]:
    geometry = _geometry(body, sent, layer)
    if geometry is None and layer.isSpatial() and not _is_geographic(layer):
        return QgsGeometry()
    return geometry


def _geometry(body: bytes, sent: SentFeature, layer: Any) -> Optional[QgsGeometry]:
    if sent.geometry is None:
        return None
    # The whole body, as QGIS has it read: what stands elsewhere may say how a geometry is meant.
    features = QgsJsonUtils.stringToFeatureList(body.decode(), QgsFields())
    geometry = features[0].geometry() if features else QgsGeometry()
    if geometry.isNull():
        raise bad_request("The geometry is not GeoJSON.")
    if not _is_geographic(layer):
        transform = QgsCoordinateTransform(_wgs84(), layer.crs(), layer.transformContext())
        try:
            geometry.transform(transform)
        except QgsCsException as error:
            raise bad_request("The geometry is outside the layer's reference system.") from error
    return geometry


@lru_cache(maxsize=1)
def _wgs84() -> QgsCoordinateReferenceSystem:
    """Return the reference system of GeoJSON; QGIS must have started before one is made."""
    return QgsCoordinateReferenceSystem("EPSG:4326")


def _is_geographic(layer: Any) -> bool:
    return bool(layer.crs() == _wgs84())
