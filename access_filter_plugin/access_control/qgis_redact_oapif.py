"""Redaction of OGC API Features documents."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Optional

from .. import json_codec
from ..ows_request import OwsRequest
from ..request_context import RequestContext
from .admission.oapif import read_path
from .catalogue import LayerInfo
from .project_access import OperationAccess
from .qgis_oapif import query_of
from .qgis_oapif_layers import collection_info, titles_of
from .qgis_visible_rows import visible_count
from .redaction.oapif_items import redact_items
from .redaction.oapif_json import (
    Page,
    Shown,
    redact_api,
    redact_collection,
    redact_collections,
    redact_feature,
)

_DOCUMENTS = frozenset({"Collections", "Collection", "Api", "Items", "Item", "Replace", "Update"})
_LISTS = frozenset({"Collections", "Api"})
_OF_ONE_COLLECTION = frozenset({"Collection", "Items", "Item"})
_OPEN_TYPES = ("application/json", "application/geo+json", "application/vnd")
_DEFAULT_LIMIT = 10


def redact(context: RequestContext, access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return the new body of a document, or None to leave it."""
    request = context.request
    if request.operation not in _DOCUMENTS or answer.status != 200 or not answer.body:
        return None
    if not answer.content_type.startswith(_OPEN_TYPES):
        return _json_instead(request, answer)
    if request.operation in _LISTS:
        document = json_codec.loads(answer.body)
        return json_codec.dumps(_redacted_list(request, document, _all_shown(access, answer.state)))
    return _redact_one(request, access, answer)


def _redact_one(request: OwsRequest, access: OperationAccess, answer: Any) -> Optional[bytes]:
    """Return the new body of an answer about one collection."""
    info = collection_info(access, answer.state.project, read_path(request.path).collection)
    if info is None or not access.decision(info.id).is_listed:
        raise LookupError("an answer about a collection that is not listed")
    shown = _shown(access, info, answer.state.layers)
    if request.operation in _OF_ONE_COLLECTION and not shown.hides_something:
        return None
    if request.operation == "Items":
        return redact_items(answer.body, shown, _page(request, shown, access, info, answer))
    document = json_codec.loads(answer.body)
    redact_document = redact_collection if request.operation == "Collection" else redact_feature
    return json_codec.dumps(redact_document(document, shown))


def _json_instead(request: OwsRequest, answer: Any) -> bytes:
    """Send a browser, which prefers a page that cannot be redacted, to the same as JSON."""
    query = request.url.partition("?")[2]
    location = f"{request.path.rstrip('/')}.json" + (f"?{query}" if query else "")
    answer.handler.clear()
    answer.handler.setStatusCode(303)
    answer.handler.setResponseHeader("Location", location)
    answer.handler.setResponseHeader("Content-Type", "text/plain; charset=utf-8")
    return b"See the JSON document."


def _redacted_list(request: OwsRequest, document: Any, shown: Mapping[str, Shown]) -> Any:
    if request.operation == "Collections":
        return redact_collections(document, shown)
    return redact_api(document, shown)


def _all_shown(access: OperationAccess, state: Any) -> dict[str, Shown]:
    found = {}
    for info in access.catalogue.layers.values():
        name = info.short_name or info.name
        is_unique = collection_info(access, state.project, name) is info
        if is_unique and access.decision(info.id).is_listed:
            found[name] = _shown(access, info, state.layers)
    return found


def _shown(access: OperationAccess, info: LayerInfo, layers: Mapping[str, Any]) -> Shown:
    key = f"shown {info.id}"
    known = access.cache.get(key)
    if not isinstance(known, Shown):
        known = access.cache[key] = _make_shown(access, info, layers[info.id])
    return known


def _make_shown(access: OperationAccess, info: LayerInfo, layer: Any) -> Shown:
    decision = access.decision(info.id)
    visible = decision.attributes if decision.read else frozenset()
    titles = titles_of(layer, visible)
    rights = {"Insert": decision.insert, "Update": decision.update, "Delete": decision.delete}
    return Shown(
        titles=frozenset(titles),
        parameters=frozenset(titles) | visible,
        hides_something=not decision.is_fully_readable,
        edits=frozenset(name for name, right in rights.items() if right.is_allowed),
    )


def _page(
    request: OwsRequest, shown: Shown, access: OperationAccess, info: LayerInfo, answer: Any
) -> Page:
    if access.decision(info.id).rows.is_everything:
        return Page()
    query = dict(query_of(request.url))
    offset, limit = int(query.get("offset") or 0), int(query.get("limit") or _DEFAULT_LIMIT)
    if any(v and (n == "bbox" or n in shown.parameters) for n, v in query.items()):
        # With a condition QGIS counts through the row filter itself, if it knows the condition.
        total = int(answer.state.layers[info.id].featureCount())
        find_count = partial(visible_count, access, info, answer.state)
        return Page(offset, limit, total=total, find_count=find_count)
    return Page(offset, limit, visible_count(access, info, answer.state))
