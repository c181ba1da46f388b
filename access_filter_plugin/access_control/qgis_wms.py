"""Admission of WMS requests of a restricted caller: the project's facts around the pure part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qgis.server import QgsServerParameters

from ..ows_request import OwsRequest
from .admission import wms
from .admission.verdict import Verdict
from .project_access import OperationAccess
from .qgis_client_expression import canonical_expression
from .qgis_map_tips import unsafe_display_names
from .qgis_wms_project import wms_facts

_MAX_PASSES = 8


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a request."""
    settled = settle(request.parameters)
    facts = wms_facts(state)
    project = replace(
        facts,
        canonical=canonical_expression,
        unsafe_names=unsafe_display_names(access, state),
    )
    verdict = wms.admit(replace(request, parameters=settled), access, project)
    if verdict.refused is not None:
        return verdict
    # A value that QGIS would decode once more is set to what it decodes to in the end: what was
    # checked is what runs.
    recoded = {n: v for n, v in settled.items() if request.parameters[n] != v}
    return replace(verdict, changes={**recoded, **verdict.changes}) if recoded else verdict


def settle(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters as the last of QGIS's passes over the URL will see them.

    QGIS writes parameters into a URL and reads them again several times on the way, and each time
    resolves percent escapes and plus signs (3.22 to 3.44).
    """
    return {
        name: _settled(value) if ("%" in value or "+" in value) and name != "MAP" else value
        for name, value in parameters.items()
    }


def _settled(value: str) -> str:
    for _pass in range(_MAX_PASSES):
        parameters = QgsServerParameters()
        parameters.add("FILTER", value)
        again = parameters.toMap().get("FILTER", "")
        if again == value:
            return value
        value = again
    raise ValueError("a parameter does not come to rest")
