"""Decisions → the answers that QGIS's hooks give, ready before the service runs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional

from qgis.core import Qgis
from qgis.server import QgsAccessControlFilter

from ..ows_request import OAPIF
from ..value_class import value_class
from .catalogue import LayerInfo, LayerKind
from .decision import LayerDecision, RowFilter
from .policy import Action
from .project_access import OperationAccess

#: OAPIF operations whose row filter is that of an edit (QGIS never asks allowToEdit there).
_EDITS = {"Replace": Action.UPDATE, "Update": Action.UPDATE, "Delete": Action.DELETE}
_INSERT_SERVICES = frozenset({"WFS", OAPIF})


@value_class
class LayerAnswers:
    """What the hooks answer for one layer."""

    permissions: Any
    expression: str
    attributes: Optional[frozenset[str]]
    """The attributes let through; None for all."""
    decision: Optional[LayerDecision]
    """None where access control is off."""


def answers(access: OperationAccess, layer: LayerInfo) -> LayerAnswers:
    """Return the hooks' answers for one layer and the operation of the request."""
    decision = access.decision(layer.id)
    can_read = decision.read or (access.service in _INSERT_SERVICES and decision.is_listed)
    if can_read and access.service in ("WMS", "WMTS") and layer.styles and not decision.styles:
        can_read = False  # nothing that may be drawn is left of it
    attributes = _attributes(access, layer, decision)
    if attributes is not None and not attributes:
        attributes = frozenset(layer.primary_key)
        can_read = can_read and (bool(attributes) or access.operation in _DRAWING)
    return LayerAnswers(
        permissions=_permissions(
            bool(can_read or _lists_everything(access)),
            decision.insert.is_allowed,
            decision.update.is_allowed,
            decision.delete.is_allowed,
        ),
        expression=_expression(access, decision),
        attributes=attributes,
        decision=decision,
    )


_ONE_CLOSED_HIDES_ALL = Qgis.versionInt() < 34000
"""In 3.22 one closed layer makes QGIS answer /collections with 404 (facts L15)."""


def _lists_everything(access: OperationAccess) -> bool:
    """Return whether QGIS is to list all layers, because redaction takes the closed ones out."""
    is_list = access.service == OAPIF and access.operation == "Collections"
    return is_list and _ONE_CLOSED_HIDES_ALL


#: Operations that hand out no attribute values.
_DRAWING = frozenset(
    {"GetMap", "GetPrint", "GetTile", "GetCapabilities", "GetProjectSettings", "GetContext"}
    | {"GetLegendGraphic", "GetLegendGraphics", "GetStyle", "GetStyles", "DescribeLayer"}
)


@lru_cache(maxsize=16)
def _permissions(read: bool, insert: bool, update: bool, delete: bool) -> Any:
    # The same object for all layers: QGIS takes a copy of what a hook returns.
    permissions = QgsAccessControlFilter.LayerPermissions()
    permissions.canRead = read
    permissions.canInsert = insert
    permissions.canUpdate = update
    permissions.canDelete = delete
    return permissions


def _expression(access: OperationAccess, decision: LayerDecision) -> str:
    if not decision.read:
        return "FALSE"
    rows = decision.rows
    action = _EDITS.get(access.operation) if access.service == OAPIF else None
    if action is None:
        return rows.expression() or ""
    return both(rows, decision.edit(action).row_filter()) or ""


def both(first: RowFilter, second: RowFilter) -> Optional[str]:
    """Return one expression for the rows that two filters let through; None for all."""
    parts = [text for text in (first.expression(), second.expression()) if text is not None]
    return " AND ".join(f"({text})" for text in parts) if parts else None


def _attributes(
    access: OperationAccess, layer: LayerInfo, decision: LayerDecision
) -> Optional[frozenset[str]]:
    if layer.kind is not LayerKind.VECTOR:
        return None
    visible = decision.attributes
    if access.service == "WFS":
        # Streamed, so a hidden key must be left out here (facts E15); nothing substitutes labels.
        if not decision.read:
            return decision.insert.writable
        return visible if decision.hidden else None
    visible -= decision.raw_attributes
    if access.service == OAPIF and not decision.read:
        visible |= decision.insert.writable
    if access.service == OAPIF and access.operation in {*_EDITS, "Create"}:
        visible |= decision.update.writable | decision.insert.writable
    if visible >= frozenset(layer.attributes):
        return None
    # Without its key a feature has no id in GetFeatureInfo and OAPIF: redaction takes it out.
    return _shared(visible | frozenset(layer.primary_key))


@lru_cache(maxsize=4096)
def _shared(names: frozenset[str]) -> frozenset[str]:
    # One object for equal sets: there is one for each layer, operation and decision.
    return names
