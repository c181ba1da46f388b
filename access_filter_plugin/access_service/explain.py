"""``Explain``: what would be decided for somebody else, and why (admin roles only)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..access_control.catalogue import LayerInfo
from ..access_control.explanation import decision_object, trace_rules
from ..access_control.project_access import ProjectAccess, utc_now
from ..addresses import parse_address
from ..ows_request import (
    DATA_OPERATIONS,
    OAPIF,
    OwsRequest,
    canonical_operation,
    oapif_operation,
)
from ..subject import BUILT_IN_ROLES, Subject
from .permissions import LISTINGS

API_ROOT = "/wfs3"
#: QGIS runs these two as WMS when SERVICE is missing, in exactly this spelling.
_WMS_WITHOUT_SERVICE = ("GetMap", "GetFeatureInfo")
#: The request that stands for a service where none is named.
TYPICAL = {
    "WMS": "GetMap",
    "WFS": "GetFeature",
    "WCS": "GetCoverage",
    "WMTS": "GetTile",
    OAPIF: "Items",
}


#: Services that name a layer of which only inserting is open.
_LISTS_INSERTS = ("WFS", OAPIF)


class ExplainError(ValueError):
    """A parameter of Explain that cannot be used; the message names it."""


def pretended_subject(user: str, roles: str, address: str, *, lower_case: bool = False) -> Subject:
    """Return the subject to explain for; without a user it is anonymous and has no roles."""
    if address and parse_address(address) is None:
        raise ExplainError("ADDRESS: not an IP address")
    names = (role.strip() for role in roles.split(","))
    given = frozenset(name for name in names if name and name not in BUILT_IN_ROLES)
    if given and not user:
        raise ExplainError("ROLES: an anonymous caller has no roles; name a user as well")
    name = user.lower() if lower_case else user
    return Subject(name or None, given, parse_address(address), source="explain")


def request_of_url(url: str, body: bytes = b"") -> OwsRequest:
    """Return the request that a URL would be; nothing is run."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    parameters = {key.upper(): value for key, value in pairs}
    service = parameters.get("SERVICE", "").upper()
    operation = parameters.get("REQUEST", "")
    path = unquote(parts.path)
    if not service and operation in _WMS_WITHOUT_SERVICE:
        service = "WMS"
    elif not service and API_ROOT in path:
        service = OAPIF
        operation = oapif_operation("GET", path.split(API_ROOT, 1)[1])
    if not service:
        raise ExplainError("URL: names no SERVICE")
    return OwsRequest(
        service=service,
        operation=canonical_operation(service, operation),
        version=parameters.get("VERSION", ""),
        parameters=parameters,
        method="GET",
        url=url,
        path=path,
        body=body,
    )


def typical_request(service: str, operation: str) -> OwsRequest:
    """Return the request meant by names alone, a service's typical one by default."""
    known = service.upper() or "WMS"
    if known not in DATA_OPERATIONS:
        raise ExplainError(f"FOR_SERVICE: must be one of {', '.join(DATA_OPERATIONS)}")
    name = canonical_operation(known, operation) if operation else TYPICAL[known]
    return OwsRequest(service=known, operation=name)


def layers_named(project: ProjectAccess, name: str) -> Iterable[LayerInfo]:
    """Return the layers that a name means, all without a name; raise ExplainError for none."""
    layers = list(project.bound.catalogue.layers.values())
    found = [layer for layer in layers if not name or name in layer.names]
    if not found and name:
        raise ExplainError("LAYER: the project has no such layer")
    return found


def explanation_object(
    project: ProjectAccess, subject: Subject, request: OwsRequest, layer_name: str
) -> dict[str, Any]:
    """Return the decision for each layer with the fate of every rule."""
    access = project.access(subject, request.service, request.operation)
    now = utc_now()
    return {
        "access_control": "on",
        "subject": {
            "user": subject.user,
            "roles": sorted(access.caller.all_roles),
            "address": None if subject.address is None else str(subject.address),
        },
        "service": request.service,
        "request": request.operation,
        "restricted": access.is_restricted,
        "layers": [
            {
                "id": layer.id,
                "name": layer.name,
                "listed": is_listed(project, subject, request.service, layer.id),
                "decision": decision_object(access.decision(layer.id)),
                "rules": _traces(project, subject, request, layer, now),
            }
            for layer in layers_named(project, layer_name)
        ],
        "templates": [n for n in access.catalogue.templates if access.allows_template(n)],
    }


def is_listed(project: ProjectAccess, subject: Subject, service: str, layer_id: str) -> bool:
    """Return whether a service names the layer when it lists what it has."""
    listing = LISTINGS.get(service)
    if listing is None:
        return False
    decision = project.access(subject, service, listing).decision(layer_id)
    return decision.is_listed if service in _LISTS_INSERTS else decision.read


def _traces(
    project: ProjectAccess, subject: Subject, request: OwsRequest, layer: LayerInfo, now: Any
) -> list[dict[str, Any]]:
    traces = trace_rules(project.bound, subject, request.service, request.operation, layer, now)
    return [{"id": t.rule, "matched": t.matched, "why": t.why} for t in traces]
