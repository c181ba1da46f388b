"""``GetPermissions``: the caller's own rights, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..access_control.catalogue import LayerInfo, LayerKind
from ..access_control.decision import NO_EDIT, EditRight, LayerDecision
from ..access_control.listing import merged
from ..access_control.policy import Action
from ..access_control.project_access import OperationAccess, ProjectAccess
from ..ows_request import DATA_OPERATIONS, OAPIF
from ..subject import Subject

#: A request of each service whose access sums up the service.
LISTINGS = {
    "WMS": "GetCapabilities",
    "WFS": "GetCapabilities",
    "WCS": "GetCapabilities",
    "WMTS": "GetCapabilities",
    OAPIF: "Collections",
}
EDITS: Mapping[Action, tuple[tuple[str, str], ...]] = {
    Action.INSERT: (("WFS", "Transaction"), (OAPIF, "Create")),
    Action.UPDATE: (("WFS", "Transaction"), (OAPIF, "Update"), (OAPIF, "Replace")),
    Action.DELETE: (("WFS", "Transaction"), (OAPIF, "Delete")),
}


def identity_object(subject: Subject, roles: frozenset[str]) -> dict[str, Any]:
    """Return who the server thinks the caller is; ``roles`` has the project-defined ones too."""
    return {
        "user": subject.user,
        "anonymous": subject.is_anonymous,
        "roles": sorted(roles | subject.built_in_roles),
        "source": subject.source,
    }


def permissions_object(project: ProjectAccess, subject: Subject) -> dict[str, Any]:
    """Return the caller, the layers he can see in some service, and the layouts."""
    by_service = {
        service: project.access(subject, service, operation)
        for service, operation in LISTINGS.items()
    }
    any_service = merged([access.decisions() for access in by_service.values()])
    first = by_service["WMS"]
    layers = [
        _layer(project, subject, by_service, any_service[layer_id])
        for layer_id in first.catalogue.layers
        if any(access.decision(layer_id).is_listed for access in by_service.values())
    ]
    return {
        **identity_object(subject, first.caller.roles),
        "access_control": "on",
        "restricted": [s for s, access in by_service.items() if access.is_restricted],
        "layers": layers,
        "templates": [n for n in first.catalogue.templates if first.allows_template(n)],
    }


def open_permissions_object(subject: Subject) -> dict[str, Any]:
    """Return what is said of a project without rules: everything is open."""
    return {
        **identity_object(subject, subject.roles),
        "access_control": "off",
        "restricted": [],
        "layers": None,
        "templates": None,
    }


def _layer(
    project: ProjectAccess,
    subject: Subject,
    by_service: Mapping[str, OperationAccess],
    decision: LayerDecision,
) -> dict[str, Any]:
    info = project.bound.catalogue.layers[decision.layer]
    edits = {action: _edit(project, subject, action, info.id) for action in EDITS}
    actions = ["read"] if decision.read else []
    actions += [action.value for action, right in edits.items() if right.is_allowed]
    writable = edits[Action.UPDATE].writable
    return {
        "id": info.id,
        "name": info.short_name or info.name,
        "services": [
            service
            for service in DATA_OPERATIONS
            if _can_publish(service, info) and by_service[service].decision(info.id).is_listed
        ],
        "actions": actions,
        "attributes": _in_order(info.attributes, decision.attributes),
        "readonly": _in_order(info.attributes, decision.attributes - writable),
        "writable": {
            action.value: sorted(right.writable)
            for action, right in edits.items()
            if action is not Action.DELETE and right.is_allowed
        },
        "rows_filtered": not decision.rows.is_everything,
        "styles": _in_order(info.styles, decision.styles),
    }


def _can_publish(service: str, layer: LayerInfo) -> bool:
    """Return whether a service knows layers of this kind at all."""
    if service == "WCS":
        return layer.kind is LayerKind.RASTER
    return layer.kind is LayerKind.VECTOR or service not in ("WFS", OAPIF)


def _in_order(names: tuple[str, ...], chosen: frozenset[str]) -> list[str]:
    return [name for name in names if name in chosen]


def _edit(project: ProjectAccess, subject: Subject, action: Action, layer_id: str) -> EditRight:
    """Return the right of an action, summed up over the services that edit."""
    rights = [
        project.access(subject, service, operation).decision(layer_id).edit(action)
        for service, operation in EDITS[action]
    ]
    allowed = [right for right in rights if right.is_allowed]
    if not allowed:
        return NO_EDIT
    writable = frozenset[str]().union(*(right.writable for right in allowed))
    return replace(allowed[0], writable=writable)
