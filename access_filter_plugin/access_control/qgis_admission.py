"""Admission: asks the guards and the module of the service, and puts the verdict into the request.

Each service module has ``admit(request, access, state) -> Verdict``; this file only dispatches. A
caller who is not restricted for the service passes unparsed, but for requests that write and for
the guards that protect everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Callable, Optional

from ..operator_settings import OperatorSettings
from ..ows_request import LANDING_PAGE, OAPIF, OwsRequest
from .admission.catalog_mode import challenge_listing, with_challenge
from .admission.remembered import RememberedVerdicts
from .admission.verdict import ADMITTED, Verdict, refuse
from .project_access import WRITING, OperationAccess
from .qgis_guards import guard
from .qgis_oapif import admit_unseen

_PART = "access_control.verdicts"
Admit = Callable[[OwsRequest, OperationAccess, Any], Verdict]


def _services() -> Mapping[str, Admit]:
    from . import qgis_landing_page, qgis_oapif, qgis_wcs, qgis_wfs, qgis_wms, qgis_wmts

    return MappingProxyType(
        {
            "WMS": qgis_wms.admit,
            "WFS": qgis_wfs.admit,
            "WCS": qgis_wcs.admit,
            "WMTS": qgis_wmts.admit,
            OAPIF: qgis_oapif.admit,
            LANDING_PAGE: qgis_landing_page.admit,
        }
    )


SERVICES = _services()
TOO_LARGE = refuse("The body is too large.", status=413)


def is_judged(request: OwsRequest, access: OperationAccess) -> bool:
    """Return whether a request is to be understood before QGIS may run it."""
    return access.is_restricted or request.operation in WRITING


def admit(
    request: OwsRequest,
    access: Optional[OperationAccess],
    state: Any,
    settings: OperatorSettings,
) -> Verdict:
    """Return the verdict on a request; ``access`` is None where access control is off."""
    return with_challenge(_judge(request, access, state, settings), settings.authenticate)


def _judge(
    request: OwsRequest,
    access: Optional[OperationAccess],
    state: Any,
    settings: OperatorSettings,
) -> Verdict:
    if access is None:
        return guard(request, state, settings)
    if access.must_log_in:
        return challenge_listing(access)

    def judge() -> Verdict:
        return _judge_anew(request, access, state, settings)

    if access.is_restricted and request.operation not in WRITING:
        return _remembered(state).verdict(request, access, judge)
    return judge()


def _judge_anew(
    request: OwsRequest, access: OperationAccess, state: Any, settings: OperatorSettings
) -> Verdict:
    verdict = guard(request, state, settings)
    if verdict is not ADMITTED:
        return verdict
    if not is_judged(request, access):
        if request.service == OAPIF and not request.method:
            return admit_unseen(request, access, state)
        return ADMITTED
    if len(request.body) > settings.max_body_bytes:
        return TOO_LARGE
    if request.service in settings.services:
        return ADMITTED
    service = SERVICES.get(request.service)
    if service is None:
        return refuse("SERVICE: this service cannot be restricted and is not open to you")
    return service(request, access, state)


def _remembered(state: Any) -> RememberedVerdicts:
    """Return the verdicts of a project's generation; they go with it."""
    known: Optional[RememberedVerdicts] = state.parts.get(_PART)
    if known is None:
        known = state.parts[_PART] = RememberedVerdicts()
    return known


def apply(verdict: Verdict, handler: Any) -> None:
    """Put the parameters that were judged into the request that QGIS will run."""
    for name, value in verdict.changes.items():
        if value:
            # QGIS decodes what is set here once more, so "+" and "%41" would change on the way.
            handler.setParameter(name, value.replace("%", "%25").replace("+", "%2B"))
        else:
            handler.removeParameter(name)
