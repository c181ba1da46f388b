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

_KEY = "wms_project"


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a request."""
    return wms.admit(request, access, _project(access, state))


def _project(access: OperationAccess, state: Any) -> wms.WmsProject:
    """Return the project's facts for one caller; they live as long as his decisions."""
    facts = wms_facts(state)
    known = access.cache.get(_KEY)
    if isinstance(known, tuple) and known[0] is facts:
        project: wms.WmsProject = known[1]
        return project
    unsafe = unsafe_display_names(access, state)
    project = replace(facts, canonical=canonical_expression, unsafe_names=unsafe)
    access.cache[_KEY] = (facts, project)
    return project
