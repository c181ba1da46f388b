"""WMS GetFeatureInfo: every format, map tips, display names, forms and templates."""

from __future__ import annotations

from tests.noninterference.table import Request, get_info

FORMATS = (
    "text/plain",
    "text/html",
    "text/xml",
    "application/vnd.ogc.gml",
    "application/json",
    "application/geo+json",
)
#: layer → facts that an unguarded answer shows in the formats that are not JSON, and in JSON.
_FACTS = {
    "virt": ("L6", "L6"),
    "attr": ("A10", "A5"),
    "joined": ("L7 A10", "L7 A10"),
    "related": ("A10", "A10"),
    "looked": ("A10", "A10"),
}
LAYERS = (
    *("pub", "pub two", "feat", "dated", "own", "edit", "nokey", "virt", "joined", "related"),
    *("looked", "attr", "attrdd", "mixed", "forb", "rforb", "rpub", "CNAnamed", "nope"),
)
_WORKS = {"pub": "ptwo", "feat": "ftwo", "dated": "tone", "nokey": "ntwo", "edit": "e1", "attr": "aone",
          "joined": "PONE", "looked": "ptwo", "mixed": "ptwo"}  # fmt: skip


def _info(layer: str, kind: str) -> Request:
    facts = _FACTS.get(layer, ("", ""))["json" in kind]
    return get_info(
        f"{layer} as {kind}", layer, facts=facts, works=_WORKS.get(layer), INFO_FORMAT=kind
    )


REQUESTS: list[Request] = [_info(layer, kind) for layer in LAYERS for kind in FORMATS]
REQUESTS += [
    get_info(
        f"map tip of {layer} as {kind}",
        layer,
        facts="A11 F14" if layer in ("attr", "attrdd") and "json" not in kind else "",
        INFO_FORMAT=kind,
        WITH_MAPTIP="true",
    )
    for layer in ("pub", "feat", "attr", "attrdd")
    for kind in FORMATS
]
REQUESTS += [
    get_info(
        f"display name of {layer} as {kind}", layer, INFO_FORMAT=kind, WITH_DISPLAY_NAME="true"
    )
    for layer in ("pub", "feat", "attr", "attrdd")
    for kind in FORMATS
]
REQUESTS += [
    get_info(f"{name} of {layer}", layer, **more)
    for name, more in (
        ("geometry", {"WITH_GEOMETRY": "true", "INFO_FORMAT": "application/json"}),
        ("only the map tip", {"HTML_FI_ONLY_MAPTIP": "true", "INFO_FORMAT": "text/html"}),
        (
            "only the map tip by its name",
            {"WITH_MAPTIP": "html_fi_only_maptip", "INFO_FORMAT": "text/html"},
        ),
        ("old axis order", {"VERSION": "1.1.1", "SRS": "EPSG:4326"}),
        ("enriched", {"ENRICH": "1", "INFO_FORMAT": "application/json"}),
    )
    for layer in ("pub", "feat", "attr", "own", "virt", "joined", "looked", "related")
]
_AT = {"FILTER_GEOM": "", "FI_POINT_TOLERANCE": 16}
REQUESTS += [
    get_info("a point where a hidden row is", "feat", **_AT, I=82, J=18),
    get_info("a point where a hidden layer is", "pub,forb", **_AT, I=60, J=18),
    get_info("a query for a layer that is not shown", "pub", QUERY_LAYERS="forb"),
    get_info("a query for a named one", "pub", facts="L13", QUERY_LAYERS="CNAnamed"),
    get_info("a query for a group", "mixed", QUERY_LAYERS="mixed"),
    get_info("a hidden raster", "rforb", **_AT, I=50, J=50),
    get_info("a permitted raster", "rpub", works="Band 1", **_AT, I=50, J=50),
    get_info("a permitted point", "feat", near="F14 A12", works="fone", **_AT, I=20, J=80),
    get_info("a row", "attr", near="A5 A10 A13", works="aone", INFO_FORMAT="application/json"),
    get_info("a map tip", "pub", near="A11", works="ptwo", WITH_MAPTIP="true"),
    get_info(
        "a template in the data",
        "stored",
        near="X5 A12",
        works="stored",
        INFO_FORMAT="application/json",
    ),
    get_info("one of two rows", "own", facts="F1", FILTER="own:1 = 1 ) OR ( 1 = 1"),
    get_info("a joined row", "joined", near="L7", works="pone"),
]
