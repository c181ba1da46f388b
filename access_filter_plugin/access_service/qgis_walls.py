"""What each wall would do with a request of somebody else; nothing is run, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..access_control.admission.verdict import Verdict
from ..access_control.catalogue import LayerInfo
from ..access_control.project_access import OperationAccess, ProjectAccess
from ..access_control.qgis_admission import admit
from ..access_control.qgis_enforcement import answers
from ..access_control.touched import touched_layers
from ..operator_settings import OperatorSettings
from ..ows_request import OwsRequest
from ..qgis_project import ProjectState
from ..subject import Subject
from .explain import layers_named
from .walls import redaction_kind


def walls_object(
    project: ProjectAccess,
    subject: Subject,
    request: OwsRequest,
    layer_name: str,
    state: ProjectState,
    settings: OperatorSettings,
) -> dict[str, Any]:
    """Return the verdict, the answers of the hooks and the kind of redaction for a request."""
    access = project.access(subject, request.service, request.operation)
    verdict = admit(request._replace(project=state.path), access, state, settings)
    layers = layers_named(project, layer_name)
    if not layer_name:
        touched = frozenset(touched_layers(request, access.catalogue))
        layers = [layer for layer in layers if not touched or layer.id in touched]
    is_in = verdict.refused is None
    return {
        "admission": admission_object(verdict),
        "enforcement": _enforcement(access, layers) if is_in else None,
        "redaction": redaction_kind(
            request.service, request.operation, restricted=is_in and access.is_restricted
        ),
    }


def admission_object(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON values."""
    refused = verdict.refused is not None
    return {
        "admitted": not refused,
        "refused": verdict.refused,
        "status": verdict.status if refused else None,
        "changes": dict(verdict.changes),
        "asked_as_unknown": sorted(set(verdict.restore.values())),
    }


def _enforcement(access: OperationAccess, layers: Iterable[LayerInfo]) -> list[dict[str, Any]]:
    """Return what QGIS's hooks would be told for each layer."""
    found = []
    for layer in layers:
        told = answers(access, layer)
        permissions = told.permissions
        found.append(
            {
                "id": layer.id,
                "name": layer.name,
                "read": permissions.canRead,
                "insert": permissions.canInsert,
                "update": permissions.canUpdate,
                "delete": permissions.canDelete,
                "filter": told.expression or None,
                "attributes": None if told.attributes is None else sorted(told.attributes),
            }
        )
    return found
