"""Admission of WMS requests of a restricted caller: the project's facts around the pure part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..ows_request import OwsRequest
from .admission import wms
from .admission.verdict import Verdict
from .project_access import OperationAccess
from .qgis_client_expression import canonical_expression
from .qgis_map_tips import unsafe_display_names
from .qgis_wms_project import wms_facts


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a request."""
    facts = wms_facts(state)
    project = replace(
        facts,
        canonical=canonical_expression,
        unsafe_names=unsafe_display_names(access, state),
    )
    return wms.admit(request, access, project)
