"""WCS and WMTS, and what WMTS passes on to WMS."""

from __future__ import annotations

from tests.noninterference.requests_wms import SECRET_SLD
from tests.noninterference.table import Request, ows

COVERAGES: list[Request] = [
    ows(version, "WCS", "GetCapabilities", works="rpub", near="L13", VERSION=version)
    for version in ("1.0.0", "1.1.1", "")
]
COVERAGES += [
    ows(
        f"{name} {version}",
        "WCS",
        "DescribeCoverage",
        works="rpub" if name == "rpub" else None,
        VERSION=version,
        COVERAGE=name,
        IDENTIFIER=name,
    )
    for name in ("rpub", "rforb", "nope", "rpub,rforb", "")
    for version in ("1.0.0", "1.1.1")
]
COVERAGES += [
    ows(
        f"{name} {kind}",
        "WCS",
        "GetCoverage",
        works="" if name == "rpub" and "tif" in kind.lower() else None,
        VERSION="1.0.0",
        COVERAGE=name,
        CRS="EPSG:4326",
        BBOX="0,0,10,10",
        WIDTH=10,
        HEIGHT=10,
        FORMAT=kind,
    )
    for name in ("rpub", "rforb", "nope", "pub")
    for kind in ("GTiff", "image/tiff", "png")
]

_TILE = {
    "VERSION": "1.0.0",
    "STYLE": "",
    "TILEMATRIXSET": "EPSG:3857",
    "TILEMATRIX": 4,
    "TILEROW": 7,
    "TILECOL": 8,
    "FORMAT": "image/png",
}
LAYERS = (
    *("pub", "pub two", "feat", "own", "attrdd", "virt", "joined", "rpub", "mixed", "open"),
    *(
        "forb",
        "rforb",
        "closed",
        "CNAnamed",
        "CNAgroup",
        "grouped",
        "nope",
        "labels",
        "poly",
        "nokey",
    ),
)
_FACTS = {"attrdd": "A9", "virt": "L6", "mixed": "L16", "CNAnamed": "L13"}
TILES: list[Request] = [
    ows(
        "documents",
        "WMTS",
        "GetCapabilities",
        facts="L10 F11",
        near="L10 L8",
        works="feat",
        VERSION="1.0.0",
    ),
]
TILES += [
    ows(
        f"{layer} {kind}",
        "WMTS",
        "GetTile",
        facts=_FACTS.get(layer, ""),
        near="X6" if layer in ("pub", "feat") else "",
        works="" if layer in ("poly", "rpub", "nokey", "attr", "open") else None,
        LAYER=layer,
        **{**_TILE, "FORMAT": kind},
    )
    for layer in LAYERS
    for kind in ("image/png", "image/jpeg")
]
_INFO = {**_TILE, "I": 128, "J": 128}
TILES += [
    ows(
        f"{layer} {kind}",
        "WMTS",
        "GetFeatureInfo",
        LAYER=layer,
        INFOFORMAT=kind,
        **_INFO,
    )
    for layer in ("pub", "feat", "attr", "joined", "stored", "forb", "virt", "mixed", "nope")
    for kind in ("text/xml", "application/json", "text/html")
]
#: name → (layer, parameter that carries it, what it carries)
_SMUGGLED = {
    "sld": ("attr", "FORMAT", f"image/png&SLD_BODY={SECRET_SLD}"),
    "filter": ("feat", "FORMAT", 'image/png&FILTER=feat:"vis" = 0 ) OR ( "vis" = 0'),
    "filter in the style": ("feat", "STYLE", 'default&FILTER=feat:"vis" = 0 ) OR ( "vis" = 0'),
    "layers": ("pub", "FORMAT", "image/png&LAYERS=attrdd"),
    "print": ("pub", "FORMAT", "png&REQUEST=GetPrint&TEMPLATE=unsecret&map0:EXTENT=0,0,10,10"),
    "info": ("stored", "FORMAT", "image/png&REQUEST=GetFeatureInfo&QUERY_LAYERS=stored&INFO_FORMAT=text/xml"
             "&FILTER_GEOM=POLYGON((0 0,0 1000000,1000000 1000000,1000000 0,0 0))"),
    "hash": ("pub", "FORMAT", "image/png#&LAYERS=forb"),
    "encoded twice": ("feat", "FORMAT", 'image/png%26FILTER=feat:"vis" = 0 ) OR ( "vis" = 0'),
}  # fmt: skip
TILES += [
    ows(
        f"smuggled {name}",
        "WMTS",
        "GetTile",
        facts="" if name == "hash" else "X6",
        LAYER=layer,
        **{**_TILE, parameter: text},
    )
    for name, (layer, parameter, text) in _SMUGGLED.items()
]
TILES += [
    ows(
        "smuggled in an info format",
        "WMTS",
        "GetFeatureInfo",
        LAYER="feat",
        **_INFO,
        INFOFORMAT='text/xml&FILTER=feat:"vis" = 0 ) OR ( "vis" = 0',
    ),
]
REQUESTS = [*COVERAGES, *TILES]
