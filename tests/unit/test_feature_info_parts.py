"""Names, templates, links, attachments, map requests, callers, warnings, and the answer itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_filter_plugin.feature_info.attachments import attachment_url, media_type
from access_filter_plugin.feature_info.boundary import attempt
from access_filter_plugin.feature_info.caller import Caller, Kept
from access_filter_plugin.feature_info.enrichment import (
    Enrichment,
    enriched_collection,
    is_feature_collection,
    unwritable_layers,
)
from access_filter_plugin.feature_info.expression_calls import first_arguments
from access_filter_plugin.feature_info.lint import Lint
from access_filter_plugin.feature_info.map_request import (
    feature_count,
    fitted,
    is_switched_off,
    query_layers,
    read_map_request,
    styles_by_layer,
)
from access_filter_plugin.feature_info.name_selection import matches, select
from access_filter_plugin.feature_info.templates import fill_link, split_template, web_url
from access_filter_plugin.json_codec import dumps

SHOWN, OTHERS, HIDDEN = ["a", "b", "c"], ["d"], ["h"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (None, ["a", "b", "c"]),
        ([], []),
        (["c", "a"], ["c", "a"]),
        (["*"], ["a", "b", "c", "d"]),
        (["!b"], ["a", "c"]),
        (["c", "*"], ["c", "a", "b", "d"]),
        (["*", "a"], ["b", "c", "d", "a"]),
        (["h", "d"], ["h", "d"]),
        (["?", "!b", "!h*"], ["a", "c", "d"]),
        (["a", "a", "nowhere"], ["a"]),
        (["h", "!h"], []),
    ],
)
def test_a_list_of_names_selects_and_orders(entries: Any, expected: list[str]) -> None:
    assert select(entries, SHOWN, OTHERS, HIDDEN) == expected


def test_brackets_in_a_pattern_mean_themselves() -> None:
    assert matches("a[b]*", "a[b]c")
    assert not matches("a[b]*", "abc")


@given(st.text("ab[]*?!", max_size=6), st.text("ab[]", max_size=6))
def test_a_pattern_without_wildcards_fits_only_itself(pattern: str, name: str) -> None:
    if "*" not in pattern and "?" not in pattern:
        assert matches(pattern, name) == (pattern == name)


def test_a_template_is_split_as_qgis_does() -> None:
    assert split_template("a[% x %]b[%y\n+1%]") == [
        (False, "a"),
        (True, "x"),
        (False, "b"),
        (True, "y\n+1"),
    ]
    assert split_template("plain ]%") == [(False, "plain ]%")]


def test_values_in_a_link_are_encoded_and_its_text_is_not() -> None:
    parts = split_template("https://e.org/a b/[% x %]?q=[% y %]")
    assert fill_link(parts, ["ä/&?#%", "1 2"]) == "https://e.org/a b/%C3%A4%2F%26%3F%23%25?q=1%202"
    assert fill_link(parts, ["x", None]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://e.org/a b", "https://e.org/a%20b"),
        ("HTTP://e.org/ä%20", "HTTP://e.org/%C3%A4%20"),
        ('https://e.org/"><script>', "https://e.org/%22%3E%3Cscript%3E"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//e.org/x", None),
        ("https:///x", None),
        ("http://[", None),
        ("file.jpg", None),
        (None, None),
    ],
)
def test_only_web_addresses_pass_as_whole_links(value: Any, expected: Any) -> None:
    assert web_url(value) == expected
    assert fill_link([(True, "x")], [value]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a/b c.jpg", "https://e.org/f/a/b%20c.jpg"),
        ("a\\b.jpg", "https://e.org/f/a/b.jpg"),
        ("./a.jpg", "https://e.org/f/a.jpg"),
        ("/srv/data/x/y.pdf", "https://e.org/f/x/y.pdf"),
        ("/home/somebody/y.pdf", "https://e.org/f/y.pdf"),
        ("C:/Users/somebody/y.pdf", "https://e.org/f/y.pdf"),
        ("file:///home/somebody/y.pdf", "https://e.org/f/y.pdf"),
        ("https://other.org/z.png", "https://other.org/z.png"),
        ("javascript:alert(1)", "https://e.org/f/javascript%3Aalert%281%29"),
        ("//evil.org/x.png", "https://e.org/f/x.png"),
        ("../secret.txt", None),
        ("a/../../secret.txt", None),
        ("", None),
        (None, None),
        ("/", None),
    ],
)
def test_an_attachment_lies_below_its_base_and_tells_no_folder_of_the_server(
    value: Any, expected: Any
) -> None:
    assert attachment_url(value, "https://e.org/f", ("/srv/data/",)) == expected


def test_a_base_url_may_end_as_it_likes() -> None:
    for base in ("https://e.org/f", "https://e.org/f/"):
        assert attachment_url("a.jpg", base) == "https://e.org/f/a.jpg"
    assert attachment_url("a.jpg", "https://e.org/get?name=") == "https://e.org/get?name=a.jpg"


def test_without_a_base_only_web_addresses_are_told() -> None:
    assert attachment_url("a.jpg", "") is None
    assert attachment_url("https://e.org/a.jpg", "") == "https://e.org/a.jpg"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.org/a.JPG?x=1", "image/jpeg"),
        ("https://e.org/a.pdf", "application/pdf"),
        ("https://e.org/a.webp", "image/webp"),
        ("https://e.org/a%2Epng", "image/png"),
        ("https://e.org/a.gpkg", "application/geopackage+sqlite3"),
        ("https://e.org/a", "application/octet-stream"),
    ],
)
def test_a_media_type_is_told_by_the_names_end(url: str, expected: str) -> None:
    assert media_type(url) == expected


PARAMETERS = {
    "BBOX": "0,1,2,3",
    "WIDTH": "100",
    "HEIGHT": "50",
    "I": "3",
    "J": "4",
    "CRS": "EPSG:4326",
}


def test_a_map_request_is_read_from_the_parameters() -> None:
    request = read_map_request({**PARAMETERS, "FI_LINE_TOLERANCE": "7", "FI_POINT_TOLERANCE": "x"})
    assert request is not None
    assert (request.box, request.i, request.j, request.version) == ((0, 1, 2, 3), 3, 4, "1.3.0")
    assert request.tolerances == {"line": 7}
    old = {"SRS": PARAMETERS["CRS"], "X": "1", "Y": "2", "VERSION": "1.1.1"}
    others = {key: value for key, value in PARAMETERS.items() if key not in ("CRS", "I", "J")}
    request = read_map_request({**others, **old})
    assert request is not None
    assert (request.i, request.j, request.version) == (1, 2, "1.1.1")


@pytest.mark.parametrize(
    "damage",
    [
        {"BBOX": ""},
        {"BBOX": "0,1,2"},
        {"BBOX": "0,1,2,nan"},
        {"BBOX": "2,1,0,3"},
        {"I": ""},
        {"J": "x"},
        {"WIDTH": "0"},
        {"CRS": ""},
        {"FILTER": "l:x = 1"},
        {"FILTER_GEOM": "POINT(0 0)"},
        {"DIM_HEIGHT": "3"},
        {"TIME": "2020"},
    ],
)
def test_a_search_that_cannot_be_repeated_is_no_map(damage: dict[str, str]) -> None:
    assert read_map_request({**PARAMETERS, **damage}) is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2.0, 1.0), (100, 50, 33, 44)),
        ((1.0, 1.0), (66, 66, 21, 58)),
        ((4.0, 1.0), (133, 33, 43, 29)),
    ],
)
def test_a_map_is_given_the_proportions_of_its_box(
    size: tuple[float, float], expected: Any
) -> None:
    request = read_map_request({**PARAMETERS, "I": "33", "J": "44"})
    assert request is not None
    assert fitted(request, *size) == expected


def test_before_wms_1_3_a_map_keeps_its_size() -> None:
    request = read_map_request({**PARAMETERS, "VERSION": "1.1.1"})
    assert request is not None
    assert fitted(request, 1.0, 1.0) == (100, 50, 3, 4)


@pytest.mark.parametrize(("text", "expected"), [("", 1), ("0", 1), ("-3", 1), ("x", 1), ("7", 7)])
def test_a_feature_count_is_at_least_one(text: str, expected: int) -> None:
    assert feature_count({"FEATURE_COUNT": text}) == expected


def test_layers_and_styles_are_read_in_their_order() -> None:
    assert query_layers({"QUERY_LAYERS": "b,a,,b", "LAYERS": "c"}) == ("b", "a", "b")
    assert query_layers({"LAYER": "tile"}) == ("tile",)
    assert query_layers({}) == ()
    assert styles_by_layer({"LAYERS": "a,b,c", "STYLES": "x,,z"}) == {"a": "x", "c": "z"}


@pytest.mark.parametrize(
    ("text", "off"), [("false", True), (" OFF ", True), ("0", True), ("true", False), ("", False)]
)
def test_a_client_switches_it_off(text: str, off: bool) -> None:
    assert is_switched_off({"ENRICH": text}) is off
    assert is_switched_off({}) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aggregate('roads', 'sum', \"a\")", ["roads"]),
        ("aggregate('it''s', 'sum')", ["it's"]),
        ("aggregate(@layer, 'sum')", [None]),
        ("aggregate('a' || 'b', 'sum')", [None]),
        ("'aggregate(''x'', 1)'", []),
        ("\"aggregate\" + aggregate('a')", ["a"]),
        ("xaggregate('a')", []),
        ("aggregate('a', aggregate(1))", ["a", None]),
    ],
)
def test_the_first_argument_of_a_call_is_found(text: str, expected: Any) -> None:
    assert list(first_arguments(text, "aggregate")) == expected


def test_a_name_for_several_layers_is_a_problem_only_if_it_fits_none() -> None:
    lint = Lint()
    lint.misses("p.a", "no a", own=False)
    lint.fits("p.a")
    lint.misses("p.b", "no b", own=False)
    lint.misses("p.b", "no b", own=False)
    lint.misses("q.c", "no c", own=True)
    assert [str(problem) for problem in lint.problems()] == ["q.c: no c", "p.b: no b"]


@dataclass
class _Rows:
    text: Optional[str]

    def expression(self) -> Optional[str]:
        return self.text


@dataclass
class _Decision:
    read: bool = True
    rows: _Rows = field(default_factory=lambda: _Rows(None))
    attributes: frozenset[str] = frozenset({"a"})
    raw_attributes: frozenset[str] = frozenset()
    lookup: bool = True
    lookup_rows: _Rows = field(default_factory=lambda: _Rows(None))
    lookup_attributes: frozenset[str] = frozenset({"a"})
    is_fully_readable: bool = False
    styles: frozenset[str] = frozenset({"default"})
    default_style: str = "default"


@dataclass
class _Access:
    decided: _Decision
    is_on: bool = True
    is_denied: bool = False
    is_restricted: bool = True
    signature: str = ""

    def decision(self, _layer_id: str) -> _Decision:
        return self.decided

    def expression_variables(self) -> dict[str, Any]:
        return {"access_user": "bob"}


def test_without_access_control_everything_is_seen() -> None:
    for access in (None, _Access(_Decision(read=False), is_on=False)):
        caller = Caller(access)
        assert caller.sight("x").shows("anything")
        assert (caller.is_restricted, dict(caller.variables())) == (False, {})


def test_a_sight_shows_what_the_decision_opens() -> None:
    sight = Caller(_Access(_Decision(rows=_Rows("x > 1")))).sight("l")
    assert (sight.read, sight.rows, sight.is_whole) == (True, "x > 1", False)
    assert (sight.shows("a"), sight.shows("b"), sight.looks_up_all({"a"})) == (True, False, True)


def test_a_layer_only_for_lookup_shows_no_attribute_and_no_row() -> None:
    sight = Caller(_Access(_Decision(read=False))).sight("l")
    assert (sight.read, sight.rows, sight.attributes) == (False, "FALSE", frozenset())
    assert sight.looks_up_all({"a"}) is True
    assert sight.looks_up_all({"a", "b"}) is False


@pytest.mark.parametrize(
    "access", [_Access(_Decision(read=False, lookup=False)), _Access(_Decision(), is_denied=True)]
)
def test_a_closed_layer_shows_nothing(access: _Access) -> None:
    sight = Caller(access).sight("l")
    assert (sight.read, sight.rows, sight.lookup, sight.lookup_rows) == (
        False,
        "FALSE",
        False,
        "FALSE",
    )
    assert not sight.shows("a")
    assert not sight.looks_up_all(set())


def test_what_is_kept_is_shared_by_equal_decisions_and_by_no_others() -> None:
    kept = Kept()
    one = _Access(_Decision(), signature="a")
    Caller(one, kept).kept["x"] = 1
    assert Caller(_Access(_Decision(), signature="a"), kept).kept["x"] == 1
    others = [
        None,
        _Access(_Decision(), signature="b"),
        _Access(_Decision(), signature="a", is_restricted=False),
        _Access(_Decision(), signature="a", is_denied=True),
    ]
    assert not any("x" in Caller(access, kept).kept for access in others)
    assert "x" not in Caller(one).kept


def test_what_was_used_last_is_kept_longest() -> None:
    kept = Kept(limit=2)
    a, b, c = (_Access(_Decision(), signature=name) for name in "abc")
    for access in (a, b):
        kept.of(access)["x"] = access.signature
    kept.of(a)
    kept.of(c)["x"] = "c"
    assert [kept.of(access).get("x") for access in (a, c)] == ["a", "c"]
    assert kept.of(b) == {}


STOCK = {
    "features": [
        {"geometry": None, "id": "a.1", "properties": {"x": 1}, "type": "Feature"},
        {"id": "raster", "properties": {"Band 1": "3"}, "type": "Feature"},
        {"geometry": None, "id": "b.1", "properties": None, "type": "Feature"},
    ],
    "crs": {"type": "name"},
    "type": "FeatureCollection",
}


def test_members_of_the_stock_answer_stay() -> None:
    answer = enriched_collection(STOCK, [None, None, None], {"layers": []})
    assert answer["crs"] == {"type": "name"}
    assert answer["info"] == {"version": 1, "layers": []}
    assert answer["features"] == STOCK["features"]
    assert list(answer) == ["type", "crs", "info", "features"]


def test_a_feature_gets_its_info_as_member_or_property() -> None:
    enrichments = [Enrichment({"t": 1}, "member", "a"), Enrichment({"t": 2}, "property", "r"), None]
    first, second, third = enriched_collection(STOCK, enrichments, {})["features"]
    assert (first["info"], first["properties"]) == ({"t": 1}, {"x": 1})
    assert (second["properties"], second["geometry"]) == ({"Band 1": "3", "info": {"t": 2}}, None)
    assert "info" not in third
    assert "info" not in STOCK["features"][1]["properties"]  # type: ignore[index]


def test_properties_geometry_and_box_may_be_made_anew() -> None:
    enrichment = Enrichment(
        {}, "property", "b", properties={"y": 2}, geometry={"type": "Point"}, bbox=[1, 2, 3, 4]
    )
    third = enriched_collection(STOCK, [None, None, enrichment], {})["features"][2]
    assert third["properties"] == {"y": 2, "info": {}}
    assert (third["geometry"], third["bbox"]) == ({"type": "Point"}, [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (STOCK, True),
        ({"type": "FeatureCollection", "features": []}, True),
        ({"type": "FeatureCollection"}, False),
        ({"type": "FeatureCollection", "features": {}}, False),
        ({"type": "FeatureCollection", "features": [1]}, False),
        ({"type": "FeatureCollection", "features": [{"properties": []}]}, False),
        ([], False),
        (None, False),
    ],
)
def test_only_a_feature_collection_is_touched(value: Any, expected: bool) -> None:
    assert is_feature_collection(value) is expected


def test_layers_that_cannot_be_written_are_found() -> None:
    enrichments = [
        Enrichment({"a": "\ud800"}, "member", "broken"),
        None,
        Enrichment({"a": "fine"}, "member", "sound"),
        Enrichment({}, "member", "props", properties={"x": "\udfff"}),
    ]
    assert set(unwritable_layers(enrichments, dumps)) == {"broken", "props"}


def test_an_attempt_gives_the_result_or_what_failure_makes_of_the_error() -> None:
    assert attempt(lambda: 1, lambda error: 2) == 1
    assert attempt(lambda: int("x"), lambda error: len(str(error))) > 1
