"""Requests that nobody thought of: put together at random from what requests are made of."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.noninterference.compare import canaries, difference
from tests.noninterference.runner import Pair
from tests.noninterference.table import EVERYWHERE, Request

LAYERS = (
    *(
        "pub",
        "feat",
        "own",
        "attr",
        "attrdd",
        "joined",
        "related",
        "looked",
        "virt",
        "nokey",
        "forb",
    ),
    *("rforb", "mixed", "closed", "labels", "edit", "poly", "grouped", "rpub", "nope"),
)
COLUMNS = ("name", "vis", "num", "secret", "derived", "label", "j_label", "owner", "code", "fid")
VALUES = ("0", "1", "20", "'fone'", "'CNAone'", "NULL", "''", "'x'' OR ''1''=''1'", "')'", "1007")
FUNCTIONS = (
    "upper({0})",
    "coalesce({0}, {1})",
    "length({0})",
    "attribute($currentfeature, {0})",
    "aggregate('forb_layer_id', 'max', \"label\")",
    "get_feature('forb_layer_id', 'code', {0})",
    "eval({0})",
    "env('CN_ENV_SECRET')",
    "represent_value({0})",
    "sum({0})",
    "@CNsecret",
    "$id",
    "({0}",
    "{0})",
)
layers = st.lists(st.sampled_from(LAYERS), min_size=1, max_size=2).map(",".join)
columns = st.sampled_from(COLUMNS).flatmap(lambda n: st.sampled_from((n, f'"{n}"', n.upper())))
operands = st.one_of(
    columns,
    st.sampled_from(VALUES),
    st.builds(str.format, st.sampled_from(FUNCTIONS), columns, st.sampled_from(VALUES)),
)
comparisons = st.builds(
    "{} {} {}".format,
    operands,
    st.sampled_from(("=", "<>", ">", "LIKE", "IS NOT", "IN", "||")),
    operands,
)
expressions = st.lists(comparisons, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from((" OR ", " AND ", ") OR (", " ) OR NOT ( ", ";")).map(
        lambda word: word.join(parts)
    )
)
formats = st.sampled_from(
    ("image/png", "application/dxf", "application/pdf", "text/xml", "application/json")
)


def _request(service: str, operation: str, **parameters: str) -> Request:
    given_ = {"SERVICE": service, "REQUEST": operation, **parameters}
    query = tuple((name, value) for name, value in given_.items())
    return Request(f"{service} {operation}", query)


_VIEW = {"VERSION": "1.3.0", "CRS": "EPSG:4326", "BBOX": "0,0,10,10", "WIDTH": "50", "HEIGHT": "50"}


def _wms(operation: str, names: str, text: str, kind: str, style: str) -> Request:
    first = names.split(",", maxsplit=1)[0]
    return _request(
        "WMS",
        operation,
        **_VIEW,
        LAYERS=names,
        QUERY_LAYERS=names,
        STYLES=style,
        FORMAT="image/png" if operation != "GetMap" else kind,
        INFO_FORMAT=kind,
        FEATURE_COUNT="20",
        FILTER_GEOM=EVERYWHERE,
        FILTER=f"{first}:{text}",
    )


def _wfs(names: str, text: str, sort: str, where: str, kind: str) -> Request:
    more = (
        {"EXP_FILTER": text} if where == "filter" else {"SORTBY": sort} if where == "sort" else {}
    )
    more |= {"PROPERTYNAME": sort} if where == "property" else {}
    more |= {"FEATUREID": f"{names}.11"} if where == "id" else {"TYPENAME": names}
    return _request("WFS", "GetFeature", VERSION="1.1.0", OUTPUTFORMAT=kind, **more)


def _api(name: str, column: str, value: str, row: str, sort: bool) -> Request:
    query = (("sortby", column),) if sort else ((column, value),)
    path = f"/wfs3/collections/{quote(name)}/items{row}"
    return Request(f"OAPIF {path}", query, path=path)


requests = st.one_of(
    st.builds(
        _wms,
        st.sampled_from(
            ("GetMap", "GetFeatureInfo", "GetLegendGraphic", "GetStyles", "DescribeLayer")
        ),
        layers,
        expressions,
        formats,
        st.sampled_from(("", "plain", "hiddenstyle", "default")),
    ),
    st.builds(
        _wfs,
        layers,
        expressions,
        operands,
        st.sampled_from(("filter", "sort", "property", "id")),
        st.sampled_from(("GML2", "GML3", "GeoJSON")),
    ),
    st.builds(
        _api,
        st.sampled_from(LAYERS),
        st.sampled_from(COLUMNS),
        st.one_of(st.sampled_from(VALUES), expressions),
        st.sampled_from(("", ".json", "/1", "/11", "/1.json")),
        st.booleans(),
    ),
)


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request_=requests, caller=st.sampled_from(("anonymous", "bob")))
def test_no_request_at_random_tells_what_is_hidden(
    pair: Pair, request_: Request, caller: str
) -> None:
    first, second = pair.both(request_, caller)
    assert difference(first, second) is None, request_
    assert not canaries(request_, first) | canaries(request_, second), request_
