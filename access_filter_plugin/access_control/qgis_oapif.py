"""Admission of OGC API Features requests: reading by a restricted caller, writing by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from qgis.PyQt.QtCore import QUrl, QUrlQuery

from ..ows_request import OwsRequest
from .admission.catalog_mode import challenge_listing, closed_answer, everything_is_closed
from .admission.oapif import (
    ApiPath,
    bad_request,
    check_format,
    check_query,
    invalid_offset,
    offset_of,
    read_path,
)
from .admission.refused import Forbidden, Refused, UnknownName
from .admission.verdict import ADMITTED, Verdict
from .project_access import WRITING, OperationAccess
from .qgis_oapif_edits import judge_edit, may_edit_something_limited
from .qgis_oapif_layers import api_layer, collection_info, listed
from .qgis_visible_rows import visible_count

#: QGIS Desktop asks by OPTIONS whether it could edit; QGIS answers that like a GET (3.22 to 3.44).
_READING_METHODS = ("", "GET", "HEAD", "OPTIONS")
_LISTINGS = ("Collections", "Api")


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on an OGC API Features request."""
    try:
        path = read_path(request.path)
        if request.operation in WRITING:
            return judge_edit(request, path, access, state)
        return _reading(request, path, access, state)
    except UnknownName as refused:
        info = collection_info(access, state.project, refused.name)
        return closed_answer(access, refused.verdict, exists=info is not None)
    except Refused as refused:
        return refused.verdict


def admit_unseen(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a request that may write without our seeing it.

    Servers that keep the method to themselves (py-qgis-server) could be deleting what we take for
    reading, so a caller whose edits are limited gets no single items there.
    """
    try:
        name = read_path(request.path).collection
    except Refused as refused:
        return refused.verdict
    info = collection_info(access, state.project, name) if name else None
    if info is not None and may_edit_something_limited(access, info):
        return Forbidden("This server does not tell the method of a request.").verdict
    return ADMITTED


@lru_cache(maxsize=32)
def query_of(url: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a URL as QGIS reads them: decoded once, in their own case."""
    items = QUrlQuery(QUrl(url)).queryItems(QUrl.ComponentFormattingOption.FullyDecoded)
    return tuple((str(name), str(value)) for name, value in items)


def _reading(request: OwsRequest, path: ApiPath, access: OperationAccess, state: Any) -> Verdict:
    if request.method not in _READING_METHODS or request.operation != path.kind:
        raise bad_request(f"{request.method} method is not accepted here.")
    check_format(path)
    if path.kind in _LISTINGS and everything_is_closed(
        access, (decision.is_listed for decision in access.decisions().values())
    ):
        return challenge_listing(access)
    if path.kind == "Static":
        return ADMITTED
    query = query_of(request.url)
    if not path.collection:
        check_query(path, query, None)
        return ADMITTED
    return _in_collection(request, path, query, access, state)


_OF_THESE_ROWS = Verdict(is_lasting=False)


def _in_collection(
    request: OwsRequest,
    path: ApiPath,
    query: Sequence[tuple[str, str]],
    access: OperationAccess,
    state: Any,
) -> Verdict:
    info = listed(access, state.project, path.collection)
    layer = api_layer(access, info, state.layers[info.id])
    check_query(path, query, layer)
    if not request.method and may_edit_something_limited(access, info):
        raise Forbidden("This server does not tell the method of a request.")
    if path.kind == "Item" and layer.has_filter and not layer.has_key:
        # QGIS looks a row without a key up by its number, past the row filter (3.22 to 3.44).
        raise Forbidden("This collection has no key by which single items could be asked for.")
    if path.kind == "Items" and layer.has_filter and offset_of(query) != 0:
        count = visible_count(access, info, state)
        if not 0 <= offset_of(query) <= count:
            raise invalid_offset(count)
        return _OF_THESE_ROWS
    return ADMITTED
