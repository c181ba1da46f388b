"""Admission of WMTS requests of a restricted caller: the names of layers and groups."""

from __future__ import annotations

from typing import Any

from ..ows_request import OwsRequest
from .admission import wmts
from .admission.verdict import Verdict
from .project_access import OperationAccess
from .qgis_wms_project import wms_facts


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a request."""
    return wmts.admit(request, access, wms_facts(state).tree)
