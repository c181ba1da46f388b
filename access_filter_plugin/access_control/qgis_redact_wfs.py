"""Redaction of WFS documents; features are streamed, so the other walls keep them clean."""

from __future__ import annotations

from typing import Any, Optional

from .. import json_codec
from ..request_context import RequestContext
from .catalogue import LayerInfo
from .decision import LayerDecision
from .project_access import OperationAccess
from .qgis_wfs_layers import published, tag_name
from .redaction.schema import redact_json_schema, redact_schema
from .redaction.wfs_capabilities import redact_capabilities
from .redaction.xml import indented, parse_answer


def redact(context: RequestContext, access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return the new body of a document, or None to leave it."""
    if answer.status != 200 or not answer.body:
        return None
    if context.request.operation == "DescribeFeatureType":
        return _schema(access, answer)
    if context.request.operation == "GetCapabilities":
        root = parse_answer(answer.body)
        redact_capabilities(root, _open_edits(access, answer.state.project))
        return indented(root)
    return None


def _schema(access: OperationAccess, answer: Any) -> bytes:
    shown = _shown_properties(access, answer.state.project)
    if "json" in answer.content_type:
        return json_codec.dumps(redact_json_schema(json_codec.loads(answer.body), shown))
    root = parse_answer(answer.body)
    redact_schema(root, shown)
    return indented(root)


def _shown_properties(access: OperationAccess, project: Any) -> dict[str, frozenset[str]]:
    shown = {}
    for name, infos in published(access, project).items():
        listed = [info for info in infos if access.decision(info.id).is_listed]
        if listed:
            names = (_property_names(info, access.decision(info.id)) for info in listed)
            shown[name] = frozenset.intersection(*names)
    return shown


def _property_names(info: LayerInfo, decision: LayerDecision) -> frozenset[str]:
    """Return the visible attributes and those that may be written, as the schema names them."""
    names = decision.attributes | decision.insert.writable | decision.update.writable
    hidden = {tag_name(name) for name in info.attributes if name not in names}
    return frozenset(tag_name(name) for name in names) - hidden


def _open_edits(access: OperationAccess, project: Any) -> dict[str, frozenset[str]]:
    edits: dict[str, frozenset[str]] = {}
    for name, infos in published(access, project).items():
        listed = [info for info in infos if access.decision(info.id).is_listed]
        open_edits = [_edits(access.decision(info.id)) for info in listed]
        if open_edits:
            # GetCapabilities of 3.22 leaves colons in names that other requests do not have.
            for spelling in {name, *(own_name(info) for info in listed)}:
                edits[spelling] = frozenset.intersection(*open_edits)
    return edits


def own_name(info: LayerInfo) -> str:
    """Return a layer's name as GetCapabilities of QGIS 3.22 writes it."""
    return (info.short_name or info.name).replace(" ", "_")


def _edits(decision: LayerDecision) -> frozenset[str]:
    rights = {"Insert": decision.insert, "Update": decision.update, "Delete": decision.delete}
    return frozenset(name for name, right in rights.items() if right.is_allowed)
