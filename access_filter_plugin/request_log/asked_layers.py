"""The layers a request names: by the parameter of its service, by its path, or by its body."""

from __future__ import annotations

from collections.abc import Mapping

from ..late_pattern import late_pattern
from ..ows_request import ACCESS, OAPIF, OwsRequest
from .json_text import MAX_ITEMS
from .scrub import is_plain, scrubbed

MAX_LIST_TEXT = 8192

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "WFS": ("TYPENAME", "TYPENAMES"),
    "WCS": ("COVERAGE", "COVERAGEID", "IDENTIFIER", "IDENTIFIERS"),
    "WMTS": ("LAYER",),
    ACCESS: ("LAYER",),
}
_COLLECTION = late_pattern(r"/collections/([^/]{1,200})")
_MEDIA_SUFFIX = late_pattern(r"\.(?:json|geojson|html)$")
_PRINT_LAYERS = late_pattern(r"MAP[0-9]{1,3}:LAYERS")
_BODY_LOOKED_AT = 65536
_BODY_TYPE_NAME = late_pattern(rb"""\btypeNames?\s{0,4}=\s{0,4}["']([^"'<>]{1,200})["']""")
_BODY_INSERT = late_pattern(rb"<(?:\w{1,20}:)?Insert\b[^>]{0,300}>\s{0,50}<([\w.:-]{1,200})")


def layer_text(request: OwsRequest) -> str:
    """Return the names as the client sent them, separated by commas; empty when there are none."""
    sent = request.parameters.get
    service = request.service
    if service == "WMS":
        if request.operation == "GetFeatureInfo":
            return sent("QUERY_LAYERS") or sent("LAYERS") or ""
        if request.operation == "GetPrint":
            return _print_layers(request.parameters)
        return sent("LAYERS") or sent("LAYER") or ""
    if service == OAPIF:
        match = _COLLECTION.search(request.path[:2048])
        return _MEDIA_SUFFIX.sub("", match[1]) if match else ""
    for parameter in _PARAMETERS.get(service, ("LAYERS",)):
        text = sent(parameter)
        if text:
            return text
    return _wfs_layers(request) if service == "WFS" else ""


def layer_names(service: str, text: str) -> list[str]:
    """Return the names in such a text; of names in a namespace (WFS) the name alone."""
    if service != "WFS":
        return listed(text)
    # WFS 2.0 also writes (a)(b).
    return [name.strip("()").rpartition(":")[2] for name in listed(text.replace(")(", ","))]


def listed(text: str) -> list[str]:
    """Return the entries of a comma-separated text, without empty ones and without secrets."""
    if len(text) > MAX_LIST_TEXT:
        text = text[:MAX_LIST_TEXT].rpartition(",")[0] + ",…"
    # A list of plain names may be long; one with signs in it is only looked at so far.
    if not is_plain(text):
        text = scrubbed(text)
    return [name for name in text.split(",") if name]


def _print_layers(sent: Mapping[str, str]) -> str:
    texts = [text for name, text in sent.items() if _PRINT_LAYERS.fullmatch(name)]
    names = ",".join([sent.get("LAYERS", ""), *texts[:MAX_ITEMS]])
    return ",".join(dict.fromkeys(names[: MAX_LIST_TEXT + 1].split(",")))


def _wfs_layers(request: OwsRequest) -> str:
    features = request.parameter("FEATUREID") or request.parameter("RESOURCEID")
    if features:
        ids = features[: MAX_LIST_TEXT + 1].split(",")
        return ",".join(dict.fromkeys(name.rpartition(".")[0] for name in ids))
    if not request.body:
        return ""
    start = request.body[:_BODY_LOOKED_AT]
    found = _BODY_TYPE_NAME.findall(start) + _BODY_INSERT.findall(start)
    return ",".join(dict.fromkeys(name.decode("utf-8", "replace") for name in found))
