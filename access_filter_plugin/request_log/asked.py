"""What a request asked for, as the members of its line: only known OGC parameters, each checked.

Everything else a client sends (tokens, filters, unknown parameters) never gets near the log. A
value that does not look like what it should be is left out: what was wrong with it is in ``error``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite

from ..ows_request import ACCESS, OAPIF, OwsRequest
from .json_text import MAX_ITEMS, quoted, string_list
from .scrub import is_plain, scrubbed

MAX_LIST_TEXT = 8192
MAX_WORD = 80
MAX_PATH = 300
_MAX_BBOX_TEXT = 200

_LAYER_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "WMS": ("LAYERS", "LAYER"),
    "WFS": ("TYPENAME", "TYPENAMES"),
    "WCS": ("COVERAGE", "COVERAGEID", "IDENTIFIER", "IDENTIFIERS"),
    "WMTS": ("LAYER",),
    ACCESS: ("LAYER",),
}
_WORDS = re.compile(r"[A-Za-z0-9:/._+;=, -]+")
_BBOX = re.compile(
    r"(?:-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?,){3}-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,17})?"
)
_COLLECTION = re.compile(r"/collections/([^/]{1,200})")
_MEDIA_SUFFIX = re.compile(r"\.(?:json|geojson|html)$")
_PRINT_LAYERS = re.compile(r"MAP[0-9]{1,3}:LAYERS")
_BODY_LOOKED_AT = 65536
_BODY_TYPE_NAME = re.compile(rb"""\btypeNames?\s{0,4}=\s{0,4}["']([^"'<>]{1,200})["']""")
_BODY_INSERT = re.compile(rb"<(?:\w{1,20}:)?Insert\b[^>]{0,300}>\s{0,50}<([\w.:-]{1,200})")


def add_asked(fields: dict[str, str], request: OwsRequest) -> None:
    """Add the members from ``service`` to ``path``, in the order of the contract."""
    sent = request.parameters
    if request.service:
        fields["service"] = _name(request.service[:MAX_WORD])
    if request.operation:
        fields["request"] = _name(request.operation[:MAX_WORD])
    _add_word(fields, "version", request.version)
    layers = asked_layers(request)
    if layers:
        fields["layers"] = string_list(layers)
    styles = sent.get("STYLES") or sent.get("STYLE")
    if styles:
        fields["styles"] = string_list(_listed(styles))
    _add_word(
        fields,
        "crs",
        sent.get("CRS") or sent.get("SRS") or sent.get("SRSNAME") or sent.get("TILEMATRIXSET"),
    )
    bbox = sent.get("BBOX") or sent.get("MAP0:EXTENT")
    if bbox:
        _add_bbox(fields, bbox)
    _add_number(fields, "width", sent.get("WIDTH"))
    _add_number(fields, "height", sent.get("HEIGHT"))
    # GetFeatureInfo has a FORMAT of the map as well; what is sent is INFO_FORMAT.
    _add_word(
        fields, "format", sent.get("INFO_FORMAT") or sent.get("FORMAT") or sent.get("OUTPUTFORMAT")
    )
    template = sent.get("TEMPLATE")
    if template:
        fields["template"] = quoted(scrubbed(template))
    _add_number(
        fields,
        "feature_count",
        sent.get("FEATURE_COUNT")
        or sent.get("MAXFEATURES")
        or sent.get("COUNT")
        or sent.get("LIMIT"),
    )
    if request.method:
        fields["method"] = _name(request.method[:MAX_WORD])
    if request.path:
        fields["path"] = _path(request.path[: MAX_PATH + 1])


def asked_layers(request: OwsRequest) -> list[str]:
    """Return the layers a request names, by the parameter of its service, its path or its body."""
    service = request.service
    sent = request.parameters
    if service == OAPIF:
        return _collection(request.path)
    if service == "WMS":
        if request.operation == "GetFeatureInfo" and sent.get("QUERY_LAYERS"):
            return _listed(sent["QUERY_LAYERS"])
        if request.operation == "GetPrint":
            return _print_layers(sent)
    for parameter in _LAYER_PARAMETERS.get(service, ("LAYERS",)):
        text = sent.get(parameter)
        if text:
            return _type_names(text) if service == "WFS" else _listed(text)
    return _wfs_layers(request) if service == "WFS" else []


def _listed(text: str) -> list[str]:
    if len(text) > MAX_LIST_TEXT:
        text = text[:MAX_LIST_TEXT].rpartition(",")[0] + ",…"
    return [name for name in _clean(text).split(",") if name]


def _clean(text: str) -> str:
    # A list of plain names may be long; one with signs in it is only looked at so far.
    return text if is_plain(text) else scrubbed(text)


def _type_names(text: str) -> list[str]:
    # WFS 2.0 also writes (a)(b).
    return [name.strip("()").rpartition(":")[2] for name in _listed(text.replace(")(", ","))]


def _print_layers(sent: Mapping[str, str]) -> list[str]:
    texts = [value for name, value in sent.items() if _PRINT_LAYERS.fullmatch(name)]
    names = _listed(sent.get("LAYERS", ""))
    for text in texts[:MAX_ITEMS]:
        names += _listed(text)
    return list(dict.fromkeys(names))


def _collection(path: str) -> list[str]:
    match = _COLLECTION.search(path[:2048])
    return [scrubbed(_MEDIA_SUFFIX.sub("", match[1]))] if match else []


def _wfs_layers(request: OwsRequest) -> list[str]:
    features = request.parameter("FEATUREID") or request.parameter("RESOURCEID")
    if features:
        names = (name.rpartition(".")[0] for name in _listed(features))
        return list(dict.fromkeys(name for name in names if name))
    start = request.body[:_BODY_LOOKED_AT]
    found = _BODY_TYPE_NAME.findall(start) + _BODY_INSERT.findall(start)
    texts = dict.fromkeys(name.decode("utf-8", "replace") for name in found)
    return [name for text in texts for name in _type_names(text)]


@lru_cache(maxsize=512)
def _name(text: str) -> str:
    return quoted(scrubbed(text), MAX_WORD)


@lru_cache(maxsize=256)
def _path(text: str) -> str:
    return quoted(scrubbed(text), MAX_PATH)


@lru_cache(maxsize=512)
def _word(text: str) -> str:
    return quoted(scrubbed(text)) if _WORDS.fullmatch(text) else ""


def _add_word(fields: dict[str, str], name: str, text: str | None) -> None:
    if text and len(text) <= MAX_WORD:
        word = _word(text)
        if word:
            fields[name] = word


def _add_number(fields: dict[str, str], name: str, text: str | None) -> None:
    if text and len(text) < 10 and text.isascii() and text.isdecimal():
        fields[name] = str(int(text))


def _add_bbox(fields: dict[str, str], text: str) -> None:
    if len(text) > _MAX_BBOX_TEXT:
        return
    if _BBOX.fullmatch(text):
        fields["bbox"] = f"[{text}]"
        return
    try:
        numbers = [float(part) for part in text.split(",")[:4]]
    except ValueError:
        return
    if len(numbers) == 4 and all(isfinite(number) for number in numbers):
        fields["bbox"] = f"[{','.join([repr(number) for number in numbers])}]"
