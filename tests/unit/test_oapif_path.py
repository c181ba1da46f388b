"""Paths and parameters of OGC API Features are read as QGIS reads them, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from access_filter_plugin.access_control.admission.oapif import (
    ApiLayer,
    ApiPath,
    check_format,
    check_query,
    read_path,
)
from access_filter_plugin.access_control.admission.oapif_body import read_feature, read_patch
from access_filter_plugin.access_control.admission.refused import Refused
from access_filter_plugin.access_control.redaction.oapif_json import Page, Shown, redact_features
from access_filter_plugin.ows_request import oapif_operation

LAYER = ApiLayer(
    "id", frozenset({"name", "lanes"}), {"Name": "name", "lanes": "lanes"}, True, False
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/wfs3", ApiPath("LandingPage")),
        ("/wfs3/", ApiPath("LandingPage")),
        ("/wfs3.json", ApiPath("LandingPage", extension="json")),
        ("/ows/wfs3/collections", ApiPath("Collections")),
        ("/wfs3/collections.json", ApiPath("Collections", extension="json")),
        ("/wfs3/collections/a.b", ApiPath("Collection", "a.b")),
        ("/wfs3/collections/a b.html", ApiPath("Collection", "a b", extension="html")),
        ("/wfs3/collections/a/items.geojson", ApiPath("Items", "a", extension="geojson")),
        ("/wfs3/collections/a/items/1@@x", ApiPath("Item", "a", "1@@x")),
        ("/wfs3/collections/a/items/1.json", ApiPath("Item", "a", "1", "json")),
        ("/wfs3/api.openapi3", ApiPath("Api", extension="openapi3")),
        ("/wfs3/static/a/b.css", ApiPath("Static")),
    ],
)
def test_plain_paths_are_read(path: str, expected: ApiPath) -> None:
    assert read_path(path) == expected


def test_a_path_that_was_read_is_taken_for_no_other() -> None:
    names = ("a", "A", "a ", "\u00e4", "a.json.")
    paths = {name: f"/wfs3/collections/{name}/items" for name in names}
    for _ in range(2):
        assert [read_path(path).collection for path in paths.values()] == list(names)
        with pytest.raises(Refused):
            read_path("/wfs3/collections/../a/items")


@pytest.mark.parametrize(
    "path",
    [
        "/wfs3//collections",
        "/wfs3/api/collections/a/items",
        "/wfs3/collections/wfs3/items/wfs3/1",
        "/wfs3/wfs3/collections",
        "/wfs3/static/collections/a/items",
        "/wfs3/static/collections.json",
        "/wfs3/static/x/api",
        "/wfs3/collections/../api",
        "/wfs3/collections/a/items.json/1",
        "/wfs3/collections/a/items/1/2",
        "/wfs3/collections/a/items/1 OR 1",
        "/wfs3/collections/a/things",
        "/wfs3/things",
        "/wfs3x",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(Refused):
        read_path(path)


@pytest.mark.parametrize(
    ("method", "rest", "expected"),
    [
        ("GET", "/collections/a/items", "Items"),
        ("GET", "/collections/collections/items", "Items"),
        ("GET", "/static/collections/a/items", "Items"),
        ("GET", "/api/collections/a/items/1.json", "Item"),
        ("GET", "/collections/a/items/collections/b", "Collection"),
        ("DELETE", "/static/collections/a/items/1", "Delete"),
        ("GET", "/static/a/api.openapi3", "Api"),
        ("GET", "/static/a/b.css", "Static"),
        ("GET", "/things", "Unknown"),
        ("GET", "", "LandingPage"),
        ("GET", ".json", "LandingPage"),
    ],
)
def test_an_operation_is_what_qgis_finds_anywhere_in_the_path(
    method: str, rest: str, expected: str
) -> None:
    assert oapif_operation(method, rest) == expected


@pytest.mark.parametrize("extension", ["html", "flatgeobuf", "xml"])
def test_formats_that_cannot_be_redacted_are_refused(extension: str) -> None:
    with pytest.raises(Refused):
        check_format(read_path(f"/wfs3/collections/a/items.{extension}"))
    check_format(read_path(f"/wfs3/conformance.{extension}"))


@pytest.mark.parametrize(
    "query",
    [
        [("name", "a' OR '1'='1")],
        [("name", "a%27")],
        [("name", "a\\")],
        [("name", "a\0")],
        [("secret", "1")],
        [("NAME", "1")],
        [("sortby", "Name")],
        [("sortby", "secret")],
        [("datetime", "2020-01-01")],
        [("limit", "1"), ("Limit", "2")],
        [("limit", "many")],
        [("bbox", "1,2,3")],
        [("f", "html")],
        [("filter", "name = 1")],
        [("", "1")],
    ],
)
def test_parameters_beyond_the_list_are_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused):
        check_query(ApiPath("Items", "a"), query, LAYER)


def test_parameters_on_the_list_are_accepted() -> None:
    query = [("MAP", "/p.qgs"), ("Name", "A*"), ("lanes", "2"), ("sortby", "name"), ("limit", "5")]
    query += [("", ""), ("", "")]  # "?&&limit=5"
    check_query(ApiPath("Items", "a"), query, LAYER)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"type":"Feature","properties":{"a":1,"a":2}}',
        b'{"type":"Feature","crs":{},"properties":{}}',
        b'{"type":"Feature","properties":{"a":"[% 1 %]"}}',
        b'{"type":"Feature","properties":{"a":{"b":["[% 1 %]"]}}}',
    ],
)
def test_bodies_beyond_one_feature_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        read_feature(body)
    with pytest.raises(Refused):
        read_patch(body)


def test_nulls_are_not_sent() -> None:
    sent = read_feature(b'{"type":"Feature","properties":{"a":null,"b":0},"geometry":null}')
    assert (dict(sent.values), sent.geometry) == ({"b": 0}, None)
    assert dict(read_patch(b'{"modify":{"a":""}}').values) == {"a": ""}


def links(page: Page, *rels: str) -> dict[str, str]:
    found: list[dict[str, Any]] = [
        {"rel": rel, "href": f"/items?offset=90&limit=10&x={rel}"} for rel in rels
    ]
    document = {"features": [], "links": found, "numberMatched": 100}
    answer = redact_features(document, Shown(), page)
    assert answer["numberMatched"] == page.count
    return {link["rel"]: link["href"] for link in answer["links"]}


def test_pages_end_where_the_visible_rows_end() -> None:
    rels = ("self", "next", "first", "last")
    assert sorted(links(Page(0, 10, 10), *rels)) == ["self"]
    some = links(Page(10, 10, 25), *rels)
    assert sorted(some) == sorted(rels)
    assert some["last"] == "/items?offset=20&limit=10&x=last"
    assert sorted(links(Page(20, 10, 25), *rels)) == ["first", "last", "self"]


@pytest.mark.parametrize(
    ("matched", "returned", "told"), [(40, 10, 40), (99, 10, 12), (120, 10, 12), (99, 79, 99)]
)
def test_a_count_of_all_rows_is_not_told_beside_a_condition(
    matched: int, returned: int, told: int
) -> None:
    document = {"features": [{}] * returned, "links": [], "numberMatched": matched}
    page = Page(20, 10, total=99, find_count=lambda: 12)
    counted = redact_features(document, Shown(), page)["numberMatched"]
    # What came out is seen, however old the count.
    assert counted == max(told, 20 + returned)
