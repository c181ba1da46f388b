"""Verdicts on requests that clients send again and again with nothing but another place in them.

A map client asks for the same layers, styles and filters at every move. A verdict depends on the
decisions of a caller and on the parameters; of those that say which piece of a map is asked for, it
depends on their form alone, which is checked again each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Callable, Optional

from ...ows_request import OAPIF, OwsRequest
from ..project_access import OperationAccess
from .grammar import Grammar, is_bbox, is_integer, is_number
from .verdict import Verdict

#: Service → parameters of which only the form counts, as strict as the service's own judge is.
PLACES: Mapping[str, Mapping[str, Grammar]] = MappingProxyType(
    {
        "WMS": MappingProxyType(
            {
                "BBOX": is_bbox,
                "WIDTH": is_integer,
                "HEIGHT": is_integer,
                "I": is_number,
                "J": is_number,
                "X": is_number,
                "Y": is_number,
            }
        ),
        "WMTS": MappingProxyType({"TILEROW": is_integer, "TILECOL": is_integer}),
        "WFS": MappingProxyType(
            {
                "BBOX": is_bbox,
                "MAXFEATURES": is_integer,
                "COUNT": is_integer,
                "STARTINDEX": is_integer,
            }
        ),
        OAPIF: MappingProxyType({}),
    }
)
MAX_TEXT = 4000
"""Requests with more characters than this in their parameters are judged each time."""
_WELL_FORMED = object()

Key = tuple[object, ...]


class RememberedVerdicts:
    """The latest admissions of one project; a refusal is never remembered, nor what rows decide."""

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._known: OrderedDict[Key, tuple[OperationAccess, Verdict]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def verdict(
        self, request: OwsRequest, access: OperationAccess, judge: Callable[[], Verdict]
    ) -> Verdict:
        """Return what the judge said of such a request before, or says now."""
        shape = shape_of(request)
        if shape is None:
            return judge()
        # The decisions are kept along, so that no other object can come to have their identity.
        key = (id(access), *shape)
        known = self._known.get(key)
        if known is not None and known[0] is access:
            self._known.move_to_end(key)
            return known[1]
        found = judge()
        if found.refused is None and found.is_lasting:
            self._known[key] = (access, found)
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return found


def shape_of(request: OwsRequest) -> Optional[Key]:
    """Return everything of a request that a verdict may depend on; None for what is too long."""
    places = PLACES.get(request.service)
    if places is None or request.body:
        return None
    parts: list[object] = [request.service, request.operation, request.method]
    size = 0
    if request.service == OAPIF:
        # QGIS reads the parameters there from the address, each in its own case.
        parts += (request.path, request.url)
        size = len(request.path) + len(request.url)
    for name, value in request.parameters.items():
        grammar = places.get(name)
        is_place = grammar is not None and value != "" and grammar(value)
        parts += (name, _WELL_FORMED if is_place else value)
        size += len(name) + (0 if is_place else len(value))
    return None if size > MAX_TEXT else tuple(parts)
