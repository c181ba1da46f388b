"""WFS: documents, schemas, features, filters and sorts."""

from __future__ import annotations

from tests.noninterference.table import NEVER, Request, get_feature, ows, post

VERSIONS = ("1.0.0", "1.1.0")
LAYERS = (
    *("pub", "pub_two", "feat", "dated", "own", "edit", "nokey", "virt", "joined", "related"),
    *("looked", "stored", "attr", "attrdd", "forb", "labels", "CNAnamed", "nope", "poly"),
)
_FACTS = {"virt": "L6", "joined": "L7", "attr": "A10", "CNAnamed": "L13"}
_WORKS = {"pub": "ptwo", "feat": "ftwo", "dated": "tone", "edit": "e3", "nokey": "ntwo", "joined": "PONE",
          "attr": "aone", "attrdd": "atwo", "looked": "pone", "poly": "poly"}  # fmt: skip

DOCUMENTS: list[Request] = [
    ows(
        version or "no version",
        "WFS",
        "GetCapabilities",
        facts="F11",
        works="feat",
        near="F11 L13",
        VERSION=version,
    )
    for version in ("", "1.0.0", "1.1.0", "2.0.0")
]
DOCUMENTS += [
    ows(
        f"{layer or 'all'} {version} {kind}",
        "WFS",
        "DescribeFeatureType",
        facts={"attr": "A7", "CNAnamed": "L13"}.get(layer, ""),
        near="A7" if layer == "pub" else "",
        VERSION=version,
        TYPENAME=layer,
        OUTPUTFORMAT=kind,
    )
    for layer in ("", *LAYERS, "pub,forb")
    for version, kind in (("1.0.0", "XMLSCHEMA"), ("1.1.0", "application/json"))
]
FEATURES: list[Request] = [
    get_feature(
        f"{layer} {version} {kind}",
        facts=_FACTS.get(layer, "F11" if layer == "feat" and "GML" in kind else ""),
        works=_WORKS.get(layer),
        VERSION=version,
        TYPENAME=layer,
        OUTPUTFORMAT=kind,
    )
    for layer in LAYERS
    for version, kind in (("1.0.0", "GML2"), ("1.1.0", "GML3"), ("1.1.0", "GeoJSON"))
]
#: name → (type name, parameters, facts)
_SHAPES = {
    "count of rows": ("feat", {"RESULTTYPE": "hits"}, ""),
    "count of own rows": ("own", {"RESULTTYPE": "hits"}, ""),
    "part": ("feat", {"MAXFEATURES": 1, "STARTINDEX": 1}, ""),
    "box": ("feat", {"BBOX": "8,8,10,10"}, ""),
    "hidden property": ("attr", {"PROPERTYNAME": "name,secret"}, ""),
    "only a hidden property": ("attr", {"PROPERTYNAME": "secret"}, ""),
    "no property": ("attr", {"PROPERTYNAME": ""}, ""),
    "two types": ("pub,forb", {}, "L11"),
    "two types, hidden first": ("forb,pub", {}, "L11"),
    "hidden row by id": ("feat", {"FEATUREID": "feat.11"}, "F9"),
    "a row that one variant has": ("feat", {"FEATUREID": "feat.12"}, ""),
    "row without key by id": ("nokey", {"FEATUREID": "nokey.1"}, "F8"),
    "row of a hidden layer by id": ("", {"FEATUREID": "forb.3"}, ""),
    "row by id and property": ("feat", {"FEATUREID": "feat.11", "PROPERTYNAME": "name"}, "F9"),
    "geometry as its extent": ("feat", {"GEOMETRYNAME": "extent"}, ""),
    "reprojected": ("feat", {"SRSNAME": "EPSG:3857"}, ""),
    "sorted by a secret": ("attr", {"SORTBY": "secret"}, ""),
    "sorted by a secret, downwards": ("attr", {"SORTBY": "secret DESC"}, ""),
    "sorted by an expression": (
        "attr",
        {"SORTBY": 'CASE WHEN "secret" LIKE \'CNAt%\' THEN 0 ELSE "num" END'},
        "A1",
    ),
    "hidden owner": ("own", {"EXP_FILTER": "\"owner\" = 'carol'"}, ""),
}
FEATURES += [
    get_feature(
        f"{name} {version}",
        facts=facts,
        VERSION=version,
        **({"TYPENAME": layer} if layer else {}),
        **more,
    )
    for name, (layer, more, facts) in _SHAPES.items()
    for version in VERSIONS
]
#: name → (type name, expression, facts)
_EXPRESSIONS = {
    "secret": ("attr", "\"secret\" LIKE '%Aone'", "A1"),
    "secret in capitals": ("attr", "SECRET LIKE '%Aone'", "A1"),
    "secret by attribute": ("attr", "attribute($currentfeature, 'secret') = 'CNAone'", "A1"),
    "secret by a concatenated name": ("attr", "attribute(@feature, 'sec' || 'ret') = 'CNAone'", ""),
    "derived": ("attr", "\"derived\" LIKE 'cna%'", "A1"),
    "joined": ("joined", "\"j_label\" LIKE 'CNA%'", "A1"),
    "aggregate": (
        "pub",
        "aggregate('forb_layer_id', 'concatenate', \"label\") LIKE 'CNA%'",
        "X3 F14",
    ),
    "aggregate of rows": ("pub", "aggregate('feat_layer_id', 'sum', \"num\") = 1037", "X3 F14"),
    "row of another": ("pub", "get_feature('forb_layer_id', 'code', 3) IS NULL", "X3"),
    "layer's property": ("pub", "layer_property('forb_layer_id', 'title') LIKE 'CNA%'", "X3"),
    "environment": ("pub", "env('CN_ENV_SECRET') = 'CNAenv'", "X3"),
    "variable": ("pub", "@CNsecret = 'CNAvariable'", "X3"),
    "rules": ("pub", "length(@access_rules) > 10", ""),
    "evaluated": ("pub", "eval('env(''CN_ENV_SECRET'')') = 'CNAenv'", "X3"),
    "count": ("feat", "count(1) > 3", ""),
    "minimum": ("feat", 'maximum("num") > 1007', ""),
    "relation": ("pub", "relation_aggregate('CNArelation', 'count', \"code\") > 0", ""),
    "overlay": ("pub", "array_length(overlay_nearest('forb_layer_id', \"label\")) > 0", ""),
    "nearest label": ("pub", "overlay_nearest('forb_layer_id', \"label\")[0] LIKE 'CNA%'", "X3"),
    "represented": ("related", "represent_value(\"code\") LIKE 'CNA%'", ""),
    "display": ("attr", "display_expression() LIKE 'CNA%'", ""),
    "map tip": ("attr", "maptip() LIKE '%CNA%'", ""),
    "break-out": ("feat", "1=1 ) OR ( 1=1", "F16"),
    "balanced": ("feat", "(1=1) OR (1=1)", ""),
    "hidden rows": ("feat", '"vis" = 0', ""),
    "layer's extent": ("pub", "x_max(layer_property('forb_layer_id','extent')) > 0", ""),
    "in a loop": (
        "pub",
        "array_length(array_foreach(array(1,2,3), get_feature('forb_layer_id','code',@element))) > 0",
        "",
    ),
}
FILTERS: list[Request] = [
    get_feature(
        f"expression {name} {version}",
        facts=facts,
        leaks=NEVER if facts == "F16" else (0, 99999),
        VERSION=version,
        TYPENAME=layer,
        EXP_FILTER=text,
    )
    for name, (layer, text, facts) in _EXPRESSIONS.items()
    for version in VERSIONS
]
FILTERS += [
    get_feature(f"sorted {name}", TYPENAME=layer, SORTBY=text)
    for name, (layer, text, _facts) in _EXPRESSIONS.items()
]


def ogc(body: str) -> str:
    """Return an OGC filter."""
    return f'<Filter xmlns="http://www.opengis.net/ogc" xmlns:ogc="http://www.opengis.net/ogc">{body}</Filter>'


def equal(name: str, value: str) -> str:
    """Return a comparison."""
    return (
        f"<PropertyIsEqualTo><PropertyName>{name}</PropertyName>"
        f"<Literal>{value}</Literal></PropertyIsEqualTo>"
    )


_FUNCTION = (
    '<PropertyIsEqualTo><Function name="aggregate"><Literal>forb_layer_id</Literal><Literal>count'
    "</Literal><Literal>1</Literal></Function><Literal>2</Literal></PropertyIsEqualTo>"
)
_ENVIRONMENT = (
    '<PropertyIsEqualTo><Function name="env"><Literal>CN_ENV_SECRET</Literal></Function>'
    "<Literal>CNAenv</Literal></PropertyIsEqualTo>"
)
_LIKE = (
    '<PropertyIsLike wildCard="*" singleChar="." escape="!"><PropertyName>secret</PropertyName>'
    "<Literal>CNA*</Literal></PropertyIsLike>"
)
_OGC = {
    "secret": ("attr", equal("secret", "CNAone"), "A1"),
    "secret with a prefix": ("attr", equal("qgs:secret", "CNAone"), ""),
    "secret by pattern": ("attr", _LIKE, "A1"),
    "secret within not": ("attr", f"<Not>{equal('secret', 'CNAone')}</Not>", "A1"),
    "secret within or": ("attr", f"<Or>{equal('name', 'x')}{equal('secret', 'CNAone')}</Or>", "A1"),
    "function": ("pub", _FUNCTION, ""),
    "environment": ("pub", _ENVIRONMENT, "X3"),
    "hidden row": ("feat", equal("vis", "0"), ""),
    "hidden row by id": ("feat", '<FeatureId fid="feat.11"/>', ""),
    "row without key by id": ("nokey", '<FeatureId fid="nokey.1"/>', ""),
}
FILTERS += [
    get_feature(
        f"ogc {name} {version}", facts=facts, VERSION=version, TYPENAME=layer, FILTER=ogc(text)
    )
    for name, (layer, text, facts) in _OGC.items()
    for version in VERSIONS
]


def query(layer: str, inner: str, version: str = "1.1.0", name: str = "") -> str:
    """Return a GetFeature as a document."""
    return (
        f'<wfs:GetFeature xmlns:wfs="http://www.opengis.net/wfs" service="WFS" version="{version}">'
        f'<wfs:Query typeName="{layer}">{name}{inner}</wfs:Query></wfs:GetFeature>'
    )


def _posted(name: str, body: str, **more: str) -> Request:
    return post(get_feature(f"posted {name}", **more), body)


_SORT = (
    '<ogc:SortBy xmlns:ogc="http://www.opengis.net/ogc"><ogc:SortProperty><ogc:PropertyName>secret'
    "</ogc:PropertyName></ogc:SortProperty></ogc:SortBy>"
)
POSTED: list[Request] = [
    _posted(f"{name} {version}", query(layer, ogc(text), version), facts=facts)
    for name, (layer, text, facts) in _OGC.items()
    for version in VERSIONS
]
POSTED += [
    _posted(f"all of {layer}", query(layer, ""), works=_WORKS.get(layer)) for layer in LAYERS
]
POSTED += [
    _posted("sort", query("attr", _SORT)),
    _posted("another type in the url", query("forb", ""), TYPENAME="pub"),
    _posted("two queries", query("pub", "").replace(
        "</wfs:GetFeature>", '<wfs:Query typeName="forb"/></wfs:GetFeature>')),
    _posted("an entity", '<!DOCTYPE a [<!ENTITY n "forb">]>' + query("&n;", "")),
    _posted("a property", query("attr", "", name="<wfs:PropertyName>secret</wfs:PropertyName>")),
]  # fmt: skip
EVERYDAY: list[Request] = [
    get_feature(
        "by a visible name",
        near="A1 F16",
        works="fone",
        TYPENAME="feat",
        EXP_FILTER="\"name\" = 'fone'",
    ),
    get_feature(
        "by a function",
        near="X3",
        works="aone",
        TYPENAME="attr",
        EXP_FILTER="upper(\"name\") = 'AONE'",
    ),
    get_feature("sorted", near="A1", works="ftwo", TYPENAME="feat", SORTBY="num DESC"),
    get_feature("sorted by two", works="ftwo", TYPENAME="feat", SORTBY="vis,num"),
    get_feature("first page", works="fone", TYPENAME="feat", MAXFEATURES=1),
    get_feature("second page", works="ftwo", TYPENAME="feat", MAXFEATURES=1, STARTINDEX=1),
    get_feature("by a box", works="fone", TYPENAME="feat", BBOX="1,1,3,3"),
    get_feature("by id", near="F9", works="fone", FEATUREID="feat.1"),
    get_feature("by two ids", works="ftwo", FEATUREID="feat.1,feat.2"),
    get_feature("without key", near="F8", works="none", TYPENAME="nokey", MAXFEATURES=5),
    get_feature("two types", near="L11", works="fone", TYPENAME="pub,feat"),
    get_feature("visible property", works="aone", TYPENAME="attr", PROPERTYNAME="name"),
    get_feature("number of rows", works="2", TYPENAME="feat", RESULTTYPE="hits"),
    get_feature("ogc", near="A1", works="fone", TYPENAME="feat", FILTER=ogc(equal("name", "fone"))),
    get_feature("reprojected", works="fone", TYPENAME="feat", SRSNAME="EPSG:3857"),
    _posted(
        "by a visible name", query("feat", ogc(equal("name", "fone"))), near="A1", works="fone"
    ),
    get_feature("virtual", near="L6", works="ptwo", TYPENAME="related"),
    ows(
        "json schema",
        "WFS",
        "DescribeFeatureType",
        near="A7",
        works="name",
        TYPENAME="attr",
        VERSION="1.1.0",
        OUTPUTFORMAT="application/json",
    ),
]
REQUESTS = [*DOCUMENTS, *FEATURES, *FILTERS, *POSTED, *EVERYDAY]
