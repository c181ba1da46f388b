"""Admission of WFS transactions: every action judged on the rows it would touch, or none runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from itertools import product
from typing import Any, Optional

from qgis.core import QgsFeatureRequest, QgsGeometry, QgsOgcUtils

from ..late_pattern import late_pattern
from ..ows_request import OwsRequest
from ..value_class import mutable_class
from .admission.ogc_filter import check_filter, has_box
from .admission.refused import MALFORMED, Forbidden, Refused
from .admission.transaction import Change, Delete, Insert, Update, read_transaction
from .admission.verdict import ADMITTED, Verdict
from .admission.wfs import check_parameters
from .admission.wfs_body import as_text, check_root, is_xml, parse_body
from .admission.wfs_layers import unknown_type
from .catalogue import LayerInfo
from .decision import EditRight, LayerDecision
from .policy import Action
from .project_access import OperationAccess
from .qgis_edits import EditJudge, converted, has_no_row_limit, refuse_unseen
from .qgis_feature_ids import key_expression
from .qgis_plain_values import refuse_ambiguous
from .qgis_rows import filtered_request
from .qgis_same_reading import read_as_qgis
from .qgis_stored_values import readings as readings_of
from .qgis_wfs_layers import WfsExpressions, dom_element, published, query_layer

#: Of a layer without a key: what else QGIS makes a number of (signs, blanks), or row 0 (words).
_ROW_NUMBER = late_pattern(r"[0-9]{1,9}")
_ACTIONS = {Insert: Action.INSERT, Update: Action.UPDATE, Delete: Action.DELETE}


def judge_transaction(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a Transaction; raise Refused for the first action that may not be."""
    if access.is_restricted:
        check_parameters(request.operation, request.parameters)
    if not is_xml(request.body) or "OPERATION" in request.parameters:
        raise Refused("OPERATION: send the transaction as an XML body", code=MALFORMED)
    root = parse_body(request.body)
    read_as_qgis(root, request.body)
    check_root(root, request.operation)
    judge = _TransactionJudge(access, state)
    for change in read_transaction(root):
        judge.change(change)
    return ADMITTED


@mutable_class
class _Touched:
    """Which rows of a layer the actions so far named."""

    actions: int = 0
    by_ids: bool = True
    ids: set[str] = field(default_factory=set)


class _TransactionJudge:
    """Judges the actions of one transaction, one after the other."""

    def __init__(self, access: OperationAccess, state: Any) -> None:
        self._access = access
        self._layers = state.layers
        self._published = published(access, state.project)
        self._touched: dict[str, _Touched] = {}
        self._judges: dict[tuple[str, Action], EditJudge] = {}

    def change(self, change: Change) -> None:
        """Raise Refused or Forbidden when an action may not be."""
        info = self._info(change.type_name)
        if info is None:
            return
        decision = self._access.decision(info.id)
        right = decision.edit(_ACTIONS[type(change)])
        if not right.is_allowed:
            raise Forbidden(f"You may not do this to features of {change.type_name}.")
        if isinstance(change, Insert):
            self._insert(change, info, decision, right)
        else:
            self._existing(change, info, decision, right)

    def _judge(self, info: LayerInfo, action: Action, right: EditRight) -> EditJudge:
        judge = self._judges.get((info.id, action))
        if judge is None:
            judge = self._judges[info.id, action] = EditJudge(self._layers[info.id], right)
        return judge

    def _info(self, type_name: str) -> Optional[LayerInfo]:
        infos = self._published.get(type_name)
        if infos is None and not self._access.is_restricted:
            return None  # QGIS itself reports what it does not know
        if infos is None or len(infos) != 1:
            raise unknown_type(type_name)
        if not self._access.decision(infos[0].id).is_listed:
            raise unknown_type(type_name)
        return infos[0]

    def _insert(
        self, change: Insert, info: LayerInfo, decision: LayerDecision, right: EditRight
    ) -> None:
        layer = self._layers[info.id]
        readings = _values(change.values, layer, decision, right)
        # QGIS brings every new row by its srsName into the reference system of the layer.
        geometry = _geometries(change.geometry, layer)[-1]
        judge = self._judge(info, Action.INSERT, right)
        for values in readings:
            judge.insert(values, geometry)

    def _existing(
        self,
        change: Update | Delete,
        info: LayerInfo,
        decision: LayerDecision,
        right: EditRight,
    ) -> None:
        layer = self._layers[info.id]
        ids = self._check_filter(change.filter, info)
        judge = self._judge(info, _ACTIONS[type(change)], right)
        readings: list[dict[str, Any]] = []
        geometries: list[Optional[QgsGeometry]] = []
        if isinstance(change, Update):
            readings = _values(change.values, layer, decision, right)
            geometries = _geometries(change.geometry, layer)
        if decision.rows.is_everything and judge.is_unlimited:
            return
        if not (decision.rows.is_everything and has_no_row_limit(right)):
            if not info.primary_key:
                raise Forbidden("Features of a layer without a primary key may not be changed.")
            self._refuse_overlap(info.id, ids)
        if change.filter is not None and has_box(change.filter):
            raise Forbidden("Name the features by id instead of by a box.")
        if isinstance(change, Delete):
            judge.delete(_rows(layer, change.filter, ids, decision))
        for values, geometry in product(readings, geometries):
            judge.update(_rows(layer, change.filter, ids, decision), values, geometry)

    def _check_filter(self, element: Any, info: LayerInfo) -> list[str]:
        """Check a filter like one of a reading request; return the ids it names."""
        asked = query_layer(self._access, info)
        if element is None or asked is None:
            return []
        ids = check_filter(element, asked)
        if not ids:
            WfsExpressions(self._layers).check_filter(as_text(element), asked)
        return [own for own in (_own_id(fid, asked.type_name) for fid in ids) if own is not None]

    def _refuse_overlap(self, layer_id: str, ids: list[str]) -> None:
        """Refuse actions that could meet the same row: each is judged on the stored rows."""
        touched = self._touched.setdefault(layer_id, _Touched())
        touched.actions += 1
        touched.by_ids = touched.by_ids and bool(ids)
        if touched.actions > 1 and (not touched.by_ids or touched.ids.intersection(ids)):
            raise Forbidden("Several actions on one layer must name different features by id.")
        touched.ids.update(ids)


def _own_id(fid: str, type_name: str) -> Optional[str]:
    """Return the id of a feature of this type, as QGIS cuts it; None for another type's."""
    if "." not in fid:
        return fid
    parts = fid.split(".")
    return parts[1] if parts[0] == type_name else None


def _values(
    sent: tuple[tuple[str, Optional[str]], ...],
    layer: Any,
    decision: LayerDecision,
    right: EditRight,
) -> list[dict[str, Any]]:
    """Return the values that were sent, and as they may be stored."""
    refuse_unseen((name for name, _value in sent), decision.attributes, right)
    # Of the provider: what a layer computes or joins cannot be written.
    fields = layer.dataProvider().fields()
    names = set(fields.names())
    for name, value in sent:
        # QGIS reads an Insert with an unknown property for ever (3.22 to 3.44).
        if name not in names:
            raise Forbidden(f"The attribute {name} may not be written.")
        refuse_ambiguous(layer.dataProvider(), name, value)
    values = {name: converted(fields, name, value) for name, value in sent}
    return readings_of(layer.dataProvider(), dict(sent), values)


def _geometries(xml: Optional[str], layer: Any) -> list[Optional[QgsGeometry]]:
    """Return a geometry as it stands and, if that differs, as its ``srsName`` has it moved.

    An update writes the one or the other, depending on the version (3.22 to 3.44): so a check must
    allow both.
    """
    if xml is None:
        return [None]
    _document, element = dom_element(xml)
    context = QgsOgcUtils.Context(layer, layer.transformContext())
    plain = QgsOgcUtils.geometryFromGML(element)
    brought = QgsOgcUtils.geometryFromGML(element, context)
    if plain.isNull() or brought.isNull():
        raise Refused("geometry: it is not understood")
    if not layer.isSpatial():
        raise Refused("geometry: the layer has none")
    return [plain] if bool(plain.equals(brought)) else [plain, brought]


def _rows(layer: Any, element: Any, ids: list[str], decision: LayerDecision) -> Iterator[Any]:
    """Return the stored rows that QGIS would touch: those of the filter that are visible."""
    rows = decision.rows.expression()
    if element is None:
        return iter(layer.getFeatures(filtered_request(layer, rows)))
    if not ids:
        return iter(layer.getFeatures(_by_filter(layer, element, rows)))
    provider = layer.dataProvider()
    parts = [key_expression(fid, provider) for fid in ids]
    if "" in parts:
        raise Refused("FILTER: an id is not understood")
    if None not in parts:
        chosen = " OR ".join(f"({part})" for part in parts)
        return iter(layer.getFeatures(filtered_request(layer, chosen, rows)))
    if not all(_ROW_NUMBER.fullmatch(fid) for fid in ids):
        raise Refused("FILTER: an id is not understood")
    request = filtered_request(layer)
    request.setFilterFids([int(fid) for fid in ids])
    return iter(layer.getFeatures(request))


def _by_filter(layer: Any, element: Any, rows: Optional[str]) -> QgsFeatureRequest:
    """Return the rows of an OGC filter."""
    _document, dom = dom_element(as_text(element))
    if not dom.hasChildNodes():
        return filtered_request(layer, rows)
    expression = QgsOgcUtils.expressionFromOgcFilter(dom, layer)
    if expression is None or expression.hasParserError():
        raise Refused("FILTER: it is not understood")
    return filtered_request(layer, expression.expression(), rows)
