"""What a request asked for, as members of its line: only known OGC parameters, each checked.

Everything else a client sends (tokens, filters, unknown parameters) never gets near the log. A
value that does not look like what it should be is left out: what was wrong with it is in ``error``.

Requests repeat themselves, so what they name is written once and remembered by what was sent: one
look-up costs less than the dozen small functions behind it (benchmarks/log_line.py).
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite

from ..ows_request import OwsRequest
from .asked_layers import layer_names, layer_text, listed
from .json_text import members, quoted, string_list
from .scrub import scrubbed

MAX_WORD = 80
MAX_PATH = 300
_MAX_BBOX_TEXT = 200
_MAX_REMEMBERED = 1000
_REMEMBERED = 512

_WORDS = re.compile(r"[A-Za-z0-9:/._+;=, -]{1,80}")


def asked_text(request: OwsRequest, wanted: frozenset[str]) -> str:
    """Return the wanted members from ``service`` to ``height``, each with a comma before it."""
    sent = request.parameters.get
    texts = (
        request.service,
        request.operation,
        request.version,
        layer_text(request),
        sent("STYLES") or sent("STYLE") or "",
        sent("CRS") or sent("SRS") or sent("SRSNAME") or sent("TILEMATRIXSET") or "",
        # GetFeatureInfo has a FORMAT of the map as well; what is sent is INFO_FORMAT.
        sent("INFO_FORMAT") or sent("FORMAT") or sent("OUTPUTFORMAT") or "",
        sent("TEMPLATE") or "",
        sent("FEATURE_COUNT") or sent("MAXFEATURES") or sent("COUNT") or sent("LIMIT") or "",
        request.method,
        request.path,
        sent("WIDTH") or "",
        sent("HEIGHT") or "",
    )
    known = _known_names if len("".join(texts)) <= _MAX_REMEMBERED else _names
    bbox = sent("BBOX") or sent("MAP0:EXTENT")
    if bbox and "bbox" in wanted:
        return f"{known(texts, wanted)}{_bbox(bbox)}"
    return known(texts, wanted)


def _names(texts: tuple[str, ...], wanted: frozenset[str]) -> str:
    service, operation, version, layers, styles, crs, media, template, count = texts[:9]
    method, path, width, height = texts[9:]
    return members(
        {
            "service": _name(service),
            "request": _name(operation),
            "version": _word(version),
            "layers": string_list(layer_names(service, layers)) if layers else "",
            "styles": string_list(listed(styles)) if styles else "",
            "crs": _word(crs),
            "format": _word(media),
            "template": quoted(scrubbed(template)) if template else "",
            "feature_count": _number(count),
            "method": _name(method),
            "path": quoted(scrubbed(path), MAX_PATH) if path else "",
            "width": _number(width),
            "height": _number(height),
        },
        wanted,
    )


_known_names = lru_cache(_REMEMBERED)(_names)


def _name(text: str) -> str:
    return quoted(scrubbed(text), MAX_WORD) if text else ""


def _word(text: str) -> str:
    return quoted(scrubbed(text)) if _WORDS.fullmatch(text) else ""


def _number(text: str) -> str:
    return str(int(text)) if len(text) < 10 and text.isascii() and text.isdecimal() else ""


def _bbox(text: str) -> str:
    # By floats: a regular expression costs twenty microseconds here, right after QGIS's own work.
    if len(text) > _MAX_BBOX_TEXT:
        return ""
    try:
        west, south, east, north = map(float, text.split(",")[:4])
    except ValueError:
        return ""
    if not isfinite(west + south + east + north):
        return ""
    return f',"bbox":[{west!r},{south!r},{east!r},{north!r}]'
