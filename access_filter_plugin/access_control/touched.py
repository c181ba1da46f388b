"""Which layers a request is about: for the log and for explanations, not for enforcement."""

from __future__ import annotations

import re

from ..ows_request import OAPIF, OwsRequest
from .catalogue import Catalogue

_PARAMETERS = ("LAYERS", "LAYER", "QUERY_LAYERS", "TYPENAME", "TYPENAMES", "COVERAGE", "COVERAGEID")
_COLLECTION = re.compile(r"/collections/([^/]+)")


def touched_layers(request: OwsRequest, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the ids of the layers that a request names; a listing touches none by name."""
    names = {name for key in _PARAMETERS for name in request.parameter(key).split(",") if name}
    if request.service == OAPIF:
        found = _COLLECTION.search(request.path)
        names |= {found.group(1), found.group(1).rsplit(".", 1)[0]} if found else set()
    if not names:
        return ()
    plain = {re.sub(r"^\w+:", "", name) for name in names}
    return tuple(
        layer.id
        for layer in catalogue.layers.values()
        if layer.names & plain or plain.intersection(layer.groups) or layer.wfs_name in plain
    )
