"""WMS: documents, maps and legends."""

from __future__ import annotations

from tests.noninterference.table import (
    ALWAYS,
    BEFORE_324,
    SINCE_324,
    Request,
    get_info,
    get_map,
    ows,
)

PLAIN = ("pub", "pub two", "poly", "rpub", "open", "pub,poly", "rpub,pub")
ROWS = ("feat", "dated", "own", "edit", "nokey", "virt")
DERIVED = ("joined", "related", "looked", "stored", "attr", "attrdd")
MIXED = ("mixed", "grouped", "world", "feat,forb", "forb,feat", "pub,rforb", "")
CLOSED = ("forb", "rforb", "labels", "closed", "CNAnamed", "CNAgroup", "forb_layer_id", "nope")
LAYERS = (*PLAIN, *ROWS, *DERIVED, *MIXED, *CLOSED)
VERSIONS = ("1.1.1", "1.3.0")
SECRET_SLD = (
    '<StyledLayerDescriptor xmlns="http://www.opengis.net/sld" version="1.1.0" '
    'xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc"><NamedLayer>'
    "<se:Name>attr</se:Name><UserStyle><se:FeatureTypeStyle><se:Rule><ogc:Filter>"
    "<ogc:PropertyIsEqualTo><ogc:PropertyName>secret</ogc:PropertyName>"
    "<ogc:Literal>CNAone</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter><se:PointSymbolizer>"
    "<se:Graphic><se:Mark><se:WellKnownName>square</se:WellKnownName><se:Fill>"
    '<se:SvgParameter name="fill">#00ff00</se:SvgParameter></se:Fill></se:Mark><se:Size>20'
    "</se:Size></se:Graphic></se:PointSymbolizer></se:Rule></se:FeatureTypeStyle></UserStyle>"
    "</NamedLayer></StyledLayerDescriptor>"
)
CIRCLE = (
    '<se:PointSymbolizer xmlns:se="http://www.opengis.net/se"><se:Graphic><se:Mark>'
    '<se:WellKnownName>circle</se:WellKnownName><se:Fill><se:SvgParameter name="fill">#ff0000'
    "</se:SvgParameter></se:Fill></se:Mark><se:Size>8</se:Size></se:Graphic></se:PointSymbolizer>"
)

_MAP_FACTS = {
    "attrdd": ("A9", ALWAYS),
    "virt": ("L6", ALWAYS),
    "grouped": ("L4", SINCE_324),
    "mixed": ("L16", ALWAYS),
    "world": ("L16", ALWAYS),
    "CNAnamed": ("L13", ALWAYS),
    "CNAgroup": ("L13", ALWAYS),
}

DOCUMENTS: list[Request] = [
    ows(f"{version or 'no version'}", "WMS", request, facts, VERSION=version)
    for request, facts in (
        ("GetCapabilities", "F11 F13 A6 L8"),
        ("GetProjectSettings", "A7 L9 F11 F13"),
        ("GetContext", "F11"),
    )
    for version in ("", *VERSIONS)
]
DOCUMENTS += [
    ows("everyday", "WMS", "GetCapabilities", near="L8 A6 F11 F13", works="<Name>feat</Name>"),
    ows("everyday", "WMS", "GetProjectSettings", near="L9 A7", works="heading"),
    ows("everyday", "WMS", "GetContext", near="L9", works="feat"),
    ows("static", "WMS", "GetSchemaExtension", works="schema"),
]
DOCUMENTS += [
    ows(
        f"{layers} {version}",
        "WMS",
        "DescribeLayer",
        facts="L13" if layers == "CNAnamed" else "",
        LAYERS=layers,
        VERSION=version,
        SLD_VERSION="1.1.0",
        works="" if layers in ("pub", "feat") else None,
    )
    for layers in ("pub", "feat", "forb", "CNAnamed", "mixed", "nope", "pub,forb")
    for version in VERSIONS
]
DOCUMENTS += [
    ows(
        f"{layers} {version}",
        "WMS",
        request,
        facts="A8" if layers in ("attrdd", "poly") else "",
        near="A8" if layers in ("pub", "feat") else "",
        LAYERS=layers,
        VERSION=version,
    )
    for request in ("GetStyle", "GetStyles")
    for layers in ("pub", "feat", "attrdd", "poly", "forb", "attr", "nope", "mixed")
    for version in VERSIONS
]


def _plain_map(layers: str, version: str, image: str) -> Request:
    facts, leaks = _MAP_FACTS.get(layers, ("", ALWAYS))
    open_ = layers in (*PLAIN, *ROWS[:5], "attr", "joined", "related", "looked", "stored", "mixed")
    return get_map(
        f"{layers} {version} {image}",
        facts=facts,
        leaks=leaks,
        works="" if open_ and layers != "own" else None,
        LAYERS=layers,
        VERSION=version,
        FORMAT=image,
        SRS="EPSG:4326",
    )


MAPS: list[Request] = [
    _plain_map(layers, version, image)
    for layers in LAYERS
    for version, image in (("1.1.1", "image/png"), ("1.3.0", "image/png"), ("1.3.0", "image/jpeg"))
    if layers != "world" or version == "1.3.0"
]
MAPS += [
    get_map(f"opaque {layers} {value}", LAYERS=layers, TRANSPARENT=value, OPACITIES="128")
    for layers in ("pub", "feat", "mixed", "attrdd")
    for value in ("TRUE", "FALSE")
]
MAPS += [
    get_map(
        f"{kind} of {layers}",
        facts=facts,
        leaks=leaks,
        LAYERS=layers,
        FORMAT=kind,
    )
    for kind, facts, leaks in (
        ("application/pdf", "F2 A4", SINCE_324),
        ("application/dxf", "F3", ALWAYS),
    )
    for layers in ("feat", "attrdd")
]
MAPS += [
    get_map(f"{kind} of {layers}", LAYERS=layers, FORMAT=kind)
    for kind in ("application/pdf", "application/dxf", "image/svg+xml", "image/gif", "text/html")
    for layers in ("pub", "attr", "forb", "mixed", "virt", "own", "joined")
]
MAPS += [
    get_map("drawing of pub", near="F3", LAYERS="pub", FORMAT="application/dxf"),
    get_map(
        "drawing by secret",
        facts="A3",
        LAYERS="attr",
        FORMAT="application/dxf",
        FORMAT_OPTIONS="MODE:SYMBOLLAYERSYMBOLOGY;LAYERATTRIBUTES:secret",
    ),
    get_map("picture of feat", near="F2 A4 A3 L14 L12 X7", LAYERS="feat"),
    get_map("plain style", near="A2 A9", LAYERS="attrdd", STYLES="plain"),
    get_map("second style", near="A8", LAYERS="poly", STYLES="second"),
    get_map("closed style", facts="A9", LAYERS="poly", STYLES="hiddenstyle"),
    get_map("unknown style", LAYERS="poly", STYLES="nopestyle"),
    get_map("closed style of group", LAYERS="open,poly", STYLES=",hiddenstyle"),
    get_map("group", near="L16 L4 L3", LAYERS="mixed"),
    get_map("sld", facts="A2", LAYERS="attr", SLD_BODY=SECRET_SLD),
    get_map("sld elsewhere", LAYERS="attr", SLD="http://127.0.0.1:9/x.sld"),
    get_map("annotation", facts="L14", LAYERS="pub", BBOX="35,35,45,45"),
    get_map("annotation of a group", facts="L14", LAYERS="mixed", BBOX="35,35,45,45"),
    get_map("a layer by another's name", LAYERS="pub", LAYER="forb"),
    get_map("two map parameters", LAYERS="forb", layers="pub"),
    get_map("forbidden twice", LAYERS="pub", layers="forb"),
]

_OGC = (
    "<Filter><PropertyIsEqualTo><PropertyName>{name}</PropertyName>"
    "<Literal>{value}</Literal></PropertyIsEqualTo></Filter>"
)
_FUNCTION = (
    '<Filter><PropertyIsEqualTo><Function name="env"><Literal>CN_ENV_SECRET</Literal></Function>'
    "<Literal>CNAenv</Literal></PropertyIsEqualTo></Filter>"
)
#: name → (layer, FILTER, facts)
_FILTERS = {
    "break-out": ("feat", 'feat:"vis" = 0 ) OR ( "vis" = 0', "F1"),
    "nested break-out": ("feat", 'feat:"vis" = 1) OR ("vis" IN (0)) OR (1=0', ""),
    "balanced": ("feat", 'feat:("vis" = 0) OR ("num" > 1)', ""),
    "comment": ("feat", 'feat:"vis" = 0 ) OR ( 1 = 1 --', ""),
    "string": ("feat", "feat:\"name\" = ')' OR \"name\" = '('", ""),
    "encoded": ("feat", "feat:%22vis%22 = 0 ) OR ( %22vis%22 = 0", ""),
    "secret": ("attr", "attr:\"secret\" = 'CNAone'", "A1"),
    "secret by pattern": ("attr", "attr:\"secret\" LIKE 'CNA%'", "A1"),
    "secret in capitals": ("attr", "attr:SECRET = 'CNAone'", ""),
    "secret unquoted": ("attr", "attr:secret = 'CNAone'", ""),
    "two layers": ("attr", "attr,attrdd:\"secret\" = 'CNAone'", ""),
    "everything": ("feat", "feat:1 = 1", ""),
    "in": ("feat", 'feat:"num" IN ( 10 , 1007 )', ""),
    "is": ("feat", 'feat:"name" IS NOT NULL', ""),
    "of a derived column": ("attr", "attr:\"derived\" = 'cnaone'", ""),
    "of a joined column": ("joined", "joined:\"j_label\" = 'CNAlabel1'", ""),
    "of another owner": ("own", "own:\"owner\" = 'carol' ) OR ( \"owner\" = 'carol'", "F1"),
    "ogc": ("attr", _OGC.format(name="secret", value="CNAone"), "A1"),
    "ogc function": ("attr", _FUNCTION, ""),
    "break-out behind a blank": (
        "feat",
        ' <Filter x="q:1">;feat:"vis" = 0 ) OR ( "vis" = 0;q:1</Filter>',
        "F1",
    ),
    "secret behind a line": (
        "attr",
        '\n<Filter x="q:1">;attr:"secret" = \'CNAone\';q:1</Filter>',
        "",
    ),
    "ogc and a blank": ("attr", _OGC.format(name="secret", value="CNAone") + " ", ""),
    "ogc of no end": ("feat", '<Filter x=\'q,feat:"vis" = 0 ) OR ( "vis" = 0\'/>', ""),
}
FILTERS: list[Request] = [
    get_map(f"filter {name}", facts=facts, LAYERS=layer, FILTER=text)
    for name, (layer, text, facts) in _FILTERS.items()
]
FILTERS += [
    get_info(f"filter {name}", layer, FILTER=text)
    for name, (layer, text, _facts) in _FILTERS.items()
]
FILTERS += [
    get_map(
        "secret behind a blank",
        facts="A1",
        leaks=BEFORE_324,
        LAYERS="attr",
        FILTER=' <Filter x="q:1">;attr:"secret" = \'CNAone\';q:1</Filter>',
    ),
    get_map("by a visible number", near="F1 A1", LAYERS="feat", FILTER='feat:"num" > 15'),
    get_map("by a name", near="F1", LAYERS="feat", FILTER="feat:\"name\" = 'fone'"),
    get_map("in a group", works="", LAYERS="mixed", FILTER='related:"code" > 1'),
    get_info("by a visible number", "feat", near="F1", works="ftwo", FILTER='feat:"num" > 15'),
    get_info("by a list", "feat", works="fone", FILTER="feat:\"name\" IN ( 'fone' , 'x' )"),
    get_info(
        "by an ogc filter", "feat", works="fone", FILTER=_OGC.format(name="name", value="fone")
    ),
    get_map("dimension", near="F13 A6", LAYERS="pub", DIM_CODEDIM="2"),
    get_map("secret dimension", facts="A1", LAYERS="attr", SECDIM="CNAone", DIM_SECDIM="CNAone"),
    get_map("row dimension", LAYERS="feat", DIM_NUMDIM="1007"),
    get_map("selection", works="", LAYERS="feat", SELECTION="feat:1,11"),
    get_map("selection elsewhere", LAYERS="pub", SELECTION="forb:1"),
    get_map(
        "highlight",
        works="",
        LAYERS="pub",
        HIGHLIGHT_GEOM="POINT(5 5)",
        HIGHLIGHT_SYMBOL=f'<StyledLayerDescriptor xmlns="http://www.opengis.net/sld"><UserStyle>'
        f'<se:FeatureTypeStyle xmlns:se="http://www.opengis.net/se"><se:Rule>{CIRCLE}</se:Rule>'
        f"</se:FeatureTypeStyle></UserStyle></StyledLayerDescriptor>",
        HIGHLIGHT_LABELSTRING="here",
    ),
]

LEGENDS: list[Request] = [
    ows(
        f"{layers} {kind} {list(more.items())}",
        "WMS",
        "GetLegendGraphic",
        facts={"attrdd": "A8"}.get(layers, ""),
        LAYERS=layers,
        VERSION="1.3.0",
        FORMAT=kind,
        **more,
    )
    for layers in ("pub", "feat", "attrdd", "mixed", "forb", "rforb", "poly", "CNAgroup", "own")
    for kind in ("image/png", "application/json")
    for more in (
        {},
        {"SHOWFEATURECOUNT": "TRUE"},
        {"SHOWRULEDETAILS": "TRUE"},
        {"ADDLAYERGROUPS": "TRUE"},
    )
]
_BY_CONTENT = {"BBOX": "9,9,10,10", "CRS": "EPSG:4326", "SRCWIDTH": 100,
               "SRCHEIGHT": 100}  # fmt: skip
LEGENDS += [
    ows(
        f"{layers} in a corner",
        "WMS",
        "GetLegendGraphic",
        LAYERS=layers,
        FORMAT="image/png",
        VERSION="1.3.0",
        **_BY_CONTENT,
    )
    for layers in ("feat", "attrdd", "own", "pub", "mixed")
]
LEGENDS += [
    ows(
        "counted rows",
        "WMS",
        "GetLegendGraphic",
        facts="F10",
        LAYERS="feat",
        FORMAT="image/png",
        SHOWFEATURECOUNT="TRUE",
    ),
    ows(
        "group with names",
        "WMS",
        "GetLegendGraphic",
        facts="L5",
        LAYERS="mixed",
        FORMAT="application/json",
        ADDLAYERGROUPS="TRUE",
    ),
    ows(
        "closed style",
        "WMS",
        "GetLegendGraphic",
        facts="A8",
        LAYERS="poly",
        STYLES="hiddenstyle",
        FORMAT="image/png",
    ),
    ows(
        "plain style",
        "WMS",
        "GetLegendGraphic",
        near="A8",
        LAYERS="attrdd",
        STYLES="plain",
        FORMAT="image/png",
    ),
    ows("group", "WMS", "GetLegendGraphic", near="L5 F10", LAYERS="mixed", FORMAT="image/png"),
    ows("feat", "WMS", "GetLegendGraphic", near="F10", LAYERS="feat", FORMAT="image/png"),
    ows("json", "WMS", "GetLegendGraphic", works="class", LAYERS="feat", FORMAT="application/json"),
    ows("several", "WMS", "GetLegendGraphics", works="", LAYERS="pub,feat", FORMAT="image/png"),
    ows(
        "one rule",
        "WMS",
        "GetLegendGraphic",
        LAYERS="poly",
        STYLES="second",
        RULE="rule",
        WIDTH=20,
        HEIGHT=20,
        FORMAT="image/png",
    ),
    ows(
        "by content",
        "WMS",
        "GetLegendGraphic",
        near="X8",
        LAYERS="pub",
        FORMAT="image/png",
        **{**_BY_CONTENT, "BBOX": "0,0,10,10"},
    ),
]
_RED = get_map("as the author drew it", LAYERS="poly")
POISON: list[Request] = [
    ows(
        f"leaves a style behind {index}",
        "WMS",
        "GetLegendGraphic",
        FORMAT="image/png",
        then=_RED,
        **{**_BY_CONTENT, "BBOX": "0,0,10,10", **more},
    )
    for index, more in enumerate(
        (
            {"LAYERS": "poly", "STYLES": "second"},
            {"LAYERS": "poly", "STYLES": "hiddenstyle"},
            {"LAYER": "poly", "STYLE": "second"},
            {"LAYERS": "poly", "SLD_BODY": SECRET_SLD.replace(">attr<", ">poly<")},
            {"LAYERS": "poly,pub", "STYLES": "second,"},
        )
    )
]
"""Requests that an unguarded server's later answers would show; see test_shared_state."""
REQUESTS = [*DOCUMENTS, *MAPS, *FILTERS, *LEGENDS]
