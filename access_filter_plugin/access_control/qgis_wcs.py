"""Admission of WCS requests of a restricted caller."""

from __future__ import annotations

from typing import Any

from qgis.server import QgsServerProjectUtils

from ..ows_request import OwsRequest
from .admission.catalog_mode import challenge_listing, closed_answer, everything_is_closed
from .admission.refused import Refused
from .admission.verdict import ADMITTED, Verdict
from .admission.wcs import check_request, coverage_names
from .project_access import OperationAccess


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a WCS request."""
    try:
        check_request(request.operation, request.parameters, request.body)
    except Refused as refused:
        return refused.verdict
    if request.operation == "GetCapabilities":
        listed = (decision.is_listed for decision in access.decisions().values())
        return challenge_listing(access) if everything_is_closed(access, listed) else ADMITTED
    closed = _closed_names(access, state.project)
    if closed.intersection(coverage_names(request.parameters)):
        # What is closed and what is unknown get the same answer of QGIS itself (3.22 to 3.44).
        return closed_answer(access, ADMITTED, exists=True)
    return ADMITTED


def _closed_names(access: OperationAccess, project: Any) -> frozenset[str]:
    names: set[str] = set()
    for layer_id in QgsServerProjectUtils.wcsLayerIds(project):
        info = access.catalogue.layers.get(layer_id)
        if info is not None and not access.decision(layer_id).read:
            names |= {info.wfs_name, (info.short_name or info.name).replace(" ", "_")}
    return frozenset(names)
