"""Redaction of WMS answers for a restricted caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import QgsVectorLayer

from ..request_context import RequestContext
from ..value_class import value_class
from .admission.wms_tree import is_open
from .project_access import OperationAccess
from .qgis_wms_project import server_text
from .redaction.feature_info import (
    Keys,
    layer_keys,
    redact_gml,
    redact_html,
    redact_json,
    redact_plain,
    redact_xml,
)
from .redaction.wms_capabilities import (
    ListedLayer,
    Listing,
    redact_capabilities,
    redact_context,
    redact_styles,
)
from .redaction.wms_errors import redact_error
from .redaction.xml import as_written, indented, parse_answer

_DOCUMENTS = {
    "GetCapabilities": redact_capabilities,
    "GetProjectSettings": redact_capabilities,
    "GetContext": redact_context,
    "GetStyles": redact_styles,
    "GetStyle": redact_styles,
}
_KEYS = "feature_info_keys"
_SHARED = "wms_shared_names"
_LISTING = "wms_listing"


@value_class
class _Listed:
    """A listing, and what is shared by the callers of the other decisions that it was made of."""

    asking: dict[str, object]
    features: dict[str, object]
    listing: Listing


def redact(context: RequestContext, access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return the new body, or None to leave it."""
    if not answer.body:
        return None
    if answer.status != 200 or b"<ServiceException" in answer.body[:400]:
        return redact_error(answer.body, _closed_names(access), context.request.parameters)
    operation = context.request.operation
    if operation == "GetFeatureInfo":
        return redact_feature_info(access, answer)
    edit = _DOCUMENTS.get(operation)
    if edit is None:
        return None
    root = parse_answer(answer.body)
    edit(root, _listing(context, access, answer.state))
    # QGIS's own layout stays: to make that of some hundred layers anew takes as long as to read them.
    return as_written(root) if edit is redact_capabilities else indented(root)


def _closed_names(access: OperationAccess) -> frozenset[str]:
    return frozenset(
        name
        for layer_id, info in access.catalogue.layers.items()
        if not is_open(access, layer_id)
        for name in info.names
    )


def _listing(context: RequestContext, access: OperationAccess, state: Any) -> Listing:
    asking = other_access(context, state, access.service, "GetFeatureInfo")
    features = other_access(context, state, "WFS", "GetCapabilities")
    known = access.shared.get(_LISTING)
    # Every caller of the very same decisions by all three requests has the same listing.
    if (
        isinstance(known, _Listed)
        and known.asking is asking.shared
        and known.features is features.shared
    ):
        return known.listing
    listing = _make_listing(access, asking, features)
    access.shared[_LISTING] = _Listed(asking.shared, features.shared, listing)
    return listing


def _make_listing(
    access: OperationAccess, asking: OperationAccess, features: OperationAccess
) -> Listing:
    layers: dict[str, ListedLayer] = {}
    names: set[str] = set()
    for layer_id, info in access.catalogue.layers.items():
        if not is_open(access, layer_id):
            continue
        decision = access.decision(layer_id)
        layers[info.wms_name] = ListedLayer(
            is_queryable=asking.decision(layer_id).read,
            closed_styles=decision.closed_styles,
            attributes=decision.attributes,
            has_hidden=bool(decision.hidden),
        )
        names |= {info.wms_name, info.name}
    for layer_id, info in access.catalogue.layers.items():
        if features.decision(layer_id).is_listed:
            names |= {info.wms_name, info.name, info.short_name, info.wfs_name}
    templates = frozenset(n for n in access.catalogue.templates if access.allows_template(n))
    return Listing(layers, templates, frozenset(filter(None, names)))


def other_access(
    context: RequestContext, state: Any, service: str, operation: str
) -> OperationAccess:
    """Return what the same caller may see by another request."""
    found: OperationAccess = state.parts["access_control"].access.access(
        context.subject, service, operation
    )
    return found


def redact_feature_info(access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return an answer to GetFeatureInfo of WMS or WMTS without what is closed."""
    keys = access.cache.get(_KEYS)
    if not isinstance(keys, Keys):
        keys = access.cache[_KEYS] = _keys(access, answer.state.layers)
    shared = access.cache.get(_SHARED)
    if not isinstance(shared, frozenset):
        shared = access.cache[_SHARED] = _shared_names(access)
    if not keys and not shared:
        return None
    kind = answer.content_type.partition(";")[0].strip().lower()
    body: bytes = answer.body
    if "json" in kind:
        return redact_json(body, keys, shared)
    if not keys:
        return None
    if "gml" in kind:
        return redact_gml(body, keys)
    text = body.decode("utf-8")
    if kind == "text/html":
        return redact_html(text, keys).encode()
    if text.lstrip().startswith("<"):
        return redact_xml(text, keys).encode()
    return redact_plain(text, keys).encode()


def _keys(access: OperationAccess, layers: Mapping[str, Any]) -> Keys:
    closed = []
    open_names: set[str] = set()
    for layer_id, info in access.catalogue.layers.items():
        decision = access.decision(layer_id)
        if not decision.read:
            continue
        layer = layers[layer_id]
        found = None
        if isinstance(layer, QgsVectorLayer):
            found = layer_keys(info, decision, _aliases(layer), server_text(layer, "title"))
        if found is not None:
            closed.append(found)
        else:
            open_names |= {*info.names, info.wms_name, server_text(layer, "title")}
    return Keys(closed, filter(None, open_names))


def _shared_names(access: OperationAccess) -> frozenset[str]:
    """Return the published names of several layers, one of which hides rows from the caller."""
    count: dict[str, int] = {}
    hiding: set[str] = set()
    for layer_id, info in access.catalogue.layers.items():
        count[info.wms_name] = count.get(info.wms_name, 0) + 1
        decision = access.decision(layer_id)
        if not decision.read or not decision.rows.is_everything:
            hiding.add(info.wms_name)
    return frozenset(name for name in hiding if count[name] > 1)


def _aliases(layer: QgsVectorLayer) -> dict[str, str]:
    fields = layer.fields()
    return {
        fields.at(index).name(): layer.attributeDisplayName(index)
        for index in range(fields.count())
    }
