"""What a request asked for, as members of its line: only known OGC parameters, each checked.

Everything else a client sends (tokens, filters, unknown parameters) never gets near the log. A
value that does not look like what it should be is left out: what was wrong with it is in ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from math import isfinite
from types import MappingProxyType

from ..late_pattern import late_pattern
from ..ows_request import OAPIF, OwsRequest
from .asked_layers import layer_names, layer_text, listed
from .json_text import members, quoted, string_list
from .scrub import scrubbed

MAX_WORD = 80
MAX_PATH = 300
_MAX_BBOX_TEXT = 200
_SIDES = 4
_PLAIN = "0123456789.,-"

_WORDS = late_pattern(r"[A-Za-z0-9:/._+;=, -]{1,80}")


_MAP = ("STYLES", "STYLE", "CRS", "SRS", "FORMAT", "WIDTH", "HEIGHT")
_WMS = (*_MAP, "LAYERS", "LAYER", "QUERY_LAYERS", "INFO_FORMAT", "TEMPLATE", "FEATURE_COUNT")
_WFS = ("TYPENAME", "TYPENAMES", "SRSNAME", "OUTPUTFORMAT", "FEATUREID", "RESOURCEID")
_WCS = (*_MAP, "COVERAGE", "COVERAGEID", "IDENTIFIER", "IDENTIFIERS")
#: Service → the parameters a line is made of, but for the place on the map, which is another in each
#: request. Few, since each is looked up; of services that are not here any of them is shown.
SHOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "WMS": _WMS,
        "WFS": (*_WFS, "MAXFEATURES", "COUNT"),
        "WCS": _WCS,
        "WMTS": ("LAYER", "STYLE", "TILEMATRIXSET", "FORMAT", "INFO_FORMAT"),
        OAPIF: ("CRS", "LIMIT"),
    }
)
SHOWN_ELSEWHERE = tuple(dict.fromkeys(chain(*SHOWN.values())))


def asked_text(request: OwsRequest) -> str:
    """Return the members from ``service`` to ``height``, each with a comma before it.

    ``request`` need not have other parameters than those ``SHOWN``.
    """
    return asked_members(request, layer_text(request))


def asked_members(request: OwsRequest, layers: str) -> str:
    """Return the same members of a request whose layers were found elsewhere."""
    sent = request.parameters.get
    service, path, template = request.service, request.path, sent("TEMPLATE")
    styles = sent("STYLES") or sent("STYLE")
    # GetFeatureInfo has a FORMAT of the map as well; what is sent is INFO_FORMAT.
    media = sent("INFO_FORMAT") or sent("FORMAT") or sent("OUTPUTFORMAT")
    count = sent("FEATURE_COUNT") or sent("MAXFEATURES") or sent("COUNT") or sent("LIMIT")
    return members(
        {
            "service": _name(service),
            "request": _name(request.operation),
            "version": _word(request.version),
            "layers": string_list(layer_names(service, layers)) if layers else "",
            "styles": string_list(listed(styles)) if styles else "",
            "crs": _word(sent("CRS") or sent("SRS") or sent("SRSNAME") or sent("TILEMATRIXSET")),
            "format": _word(media),
            "template": quoted(scrubbed(template)) if template else "",
            "feature_count": _number(count),
            "method": _name(request.method),
            "path": quoted(scrubbed(path), MAX_PATH) if path else "",
            "width": _number(sent("WIDTH")),
            "height": _number(sent("HEIGHT")),
        }
    )


def _name(text: str | None) -> str:
    return quoted(scrubbed(text), MAX_WORD) if text else ""


def _word(text: str | None) -> str:
    return quoted(scrubbed(text)) if text and _WORDS.fullmatch(text) else ""


def _number(text: str | None) -> str:
    if not text or len(text) > 9 or not text.isascii() or not text.isdecimal():
        return ""
    return str(int(text))


def _is_written_as_in_json(number: str) -> bool:
    """Return whether a text of the characters ``_PLAIN`` is a number of JSON."""
    whole, point, part = number.partition(".")
    whole = whole[1:] if whole[:1] == "-" else whole
    return whole.isdigit() and (whole == "0" or whole[0] != "0") and (not point or part.isdigit())


def bbox_text(text: str) -> str:
    """Return the member ``bbox`` with a comma before it; empty when the text is none."""
    # By floats: a regular expression costs twenty microseconds here, right after QGIS's own work.
    if len(text) > _MAX_BBOX_TEXT:
        return ""
    if not text.strip(_PLAIN):
        sides = text.split(",")
        if len(sides) == _SIDES and all(map(_is_written_as_in_json, sides)):
            return f',"bbox":[{text}]'
    try:
        west, south, east, north = map(float, text.split(",")[:4])
    except ValueError:
        return ""
    if not isfinite(west + south + east + north):
        return ""
    return f',"bbox":[{west!r},{south!r},{east!r},{north!r}]'
