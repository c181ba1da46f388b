"""Which layers a request is about: for the log and for explanations, not for enforcement."""

from __future__ import annotations

from ..late_pattern import late_pattern
from ..ows_request import OAPIF, OwsRequest
from .catalogue import Catalogue

_PARAMETERS = ("LAYERS", "LAYER", "QUERY_LAYERS", "TYPENAME", "TYPENAMES", "COVERAGE", "COVERAGEID")
_COLLECTION = late_pattern(r"/collections/([^/]+)")
_PREFIX = late_pattern(r"\w+:")


def naming_texts(request: OwsRequest) -> tuple[str, ...]:
    """Return all texts of a request that name layers; the last is the path of OGC API Features."""
    sent = request.parameters.get
    path = request.path if request.service == OAPIF else ""
    return (*[sent(key, "") for key in _PARAMETERS], path)


def touched_layers(request: OwsRequest, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the ids of the layers that a request names, each once; a listing names none."""
    *texts, path = naming_texts(request)
    found = _COLLECTION.search(path) if path else None
    texts += [found.group(1), found.group(1).rsplit(".", 1)[0]] if found else []
    known = catalogue.ids_by_name
    ids: dict[str, None] = {}
    for name in dict.fromkeys(name for text in texts for name in text.split(",")):
        prefix = _PREFIX.match(name) if ":" in name else None
        ids.update(dict.fromkeys(known.get(name[prefix.end() :] if prefix else name, ())))
    return tuple(ids)
