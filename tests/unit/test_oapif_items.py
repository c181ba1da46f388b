"""Pages of features that stay as they are written tell what writing them anew would tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.access_control.redaction import oapif_items
from access_filter_plugin.access_control.redaction.oapif_items import redact_items
from access_filter_plugin.access_control.redaction.oapif_json import Page, Shown, redact_features

TITLES = frozenset({"name", "owner", "Größe in m²"})


def shown(titles: frozenset[str] = TITLES) -> Shown:
    return Shown(titles=titles, hides_something=True)


def written(*properties: Any, **more: Any) -> bytes:
    """Return a page as QGIS writes it: compact, in the order of the keys."""
    features = [
        {"type": "Feature", "id": "1", "geometry": None, "properties": each} for each in properties
    ]
    document = {
        "features": features,
        "links": [{"href": "/items?offset=20&limit=10", "rel": "next", "title": "more"}],
        "numberMatched": 99,
        "numberReturned": len(features),
        "timeStamp": "2026-01-01T00:00:00Z",
        "type": "FeatureCollection",
        **more,
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def whole(body: bytes, what: Shown, page: Page) -> Any:
    return redact_features(json.loads(body), what, page)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of the pages that were written anew as a whole."""
    found: list[Any] = []

    def noted(document: Any, what: Shown, page: Page) -> Any:
        found.append(document)
        return redact_features(document, what, page)

    monkeypatch.setattr(oapif_items, "redact_features", noted)
    return found


def test_features_that_show_nothing_hidden_stay_as_they_are_written(parsed: list[Any]) -> None:
    body = written({"name": "secret", "owner": None}).replace(b'"id":"1"', b'"id":1e-07')
    found = redact_items(body, shown(), Page(count=3))
    assert parsed == []
    assert b'"id":1e-07' in found
    assert json.loads(found)["numberMatched"] == 3
    assert json.loads(found)["links"] == []


SUSPECT = (
    {"name": "a", "secret": 5},
    {"name": "a", "never heard of": 5},
    {"name": {"secret": 5}},
    {"name": 'a "secret": of'},
    {"name": {"name": "b"}},
    {"name": "a", ",": 1},
    {"name": ["x", ":y"]},
)


@pytest.mark.parametrize("properties", SUSPECT, ids=str)
def test_a_page_that_looks_different_is_written_anew(parsed: list[Any], properties: Any) -> None:
    body = written({"name": "b"}, properties)
    found = json.loads(redact_items(body, shown(), Page(count=50)))
    assert len(parsed) == 1
    assert found == whole(body, shown(), Page(count=50))
    assert not {"secret", "never heard of"} & found["features"][1]["properties"].keys()


def test_links_inside_a_value_are_not_those_of_the_page(parsed: list[Any]) -> None:
    nested = {"name": [{"secret": [[1], 2], "links": []}, [[3], [4]]], "links": [{"a": 1}]}
    body = written({"name": "a", "owner": nested})
    assert json.loads(redact_items(body, shown(), Page(count=5))) == whole(
        body, shown(), Page(count=5)
    )
    assert len(parsed) == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"features":[],"links":[],"numberMatched":9,"numberReturned":0,"more":1}',
        b'{"links":[],"features":[],"numberMatched":9,"numberReturned":0}',
        written({"name": "a"}, another=1),
        written({"name": "a"}, numberReturned="1"),
        written({"name": "a"}, numberReturned=True),
    ],
)
def test_a_page_of_another_form_is_written_anew(parsed: list[Any], body: bytes) -> None:
    redact_items(body, shown(), Page(count=5))
    assert len(parsed) == 1


def test_a_name_that_is_there_twice_is_not_overlooked(parsed: list[Any]) -> None:
    body = written({"name": "a"}).replace(b'{"name":"a"}', b'{"name":5,"name":"a"}')
    found = json.loads(redact_items(body, shown(), Page(count=5)))
    assert len(parsed) == 1
    assert found["features"][0]["properties"] == {"name": "a"}


@pytest.mark.parametrize(
    "more",
    [b'"secret":5,"type":"Feature"', b'"secret":{"secret":5},"type":"Feature"'],
)
def test_a_name_beside_the_properties_is_not_overlooked(parsed: list[Any], more: bytes) -> None:
    redact_items(written({"name": "a"}).replace(b'"type":"Feature"', more), shown(), Page(count=5))
    assert len(parsed) == 1


@pytest.mark.parametrize(
    ("shape", "is_known"),
    [
        ({"type": "Point", "coordinates": [1.5, 2]}, True),
        ({"type": "Point", "coordinates": [1.5, 2], "secret": 5}, False),
        ({"type": "GeometryCollection", "geometries": [{"type": "Point"}]}, False),
        ("POINT (1 2)", False),
    ],
    ids=str,
)
def test_a_shape_stays_where_it_holds_nothing_else(
    parsed: list[Any], shape: Any, is_known: bool
) -> None:
    text = json.dumps(shape, separators=(",", ":")).encode()
    body = written({"name": "a"}).replace(b'"geometry":null', b'"geometry":' + text)
    assert (text in redact_items(body, shown(), Page(count=5))) or not is_known
    assert len(parsed) == (0 if is_known else 1)


TEXTS = st.text(alphabet='ab:,"\\{}[] é\n', max_size=6)
NAMES = st.sampled_from(["name", "owner", "secret", "type", "id", "links", ",", ":", "features"])
#: What QGIS writes: its integers have no more than 64 bits, and orjson reads larger ones as floats.
INTEGERS = st.integers(-(2**63), 2**64 - 1)
VALUES = st.recursive(
    st.none() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.dictionaries(NAMES | TEXTS, VALUES, max_size=4), max_size=3),
    st.frozensets(NAMES | TEXTS, max_size=4),
    st.sampled_from([Page(), Page(count=0), Page(count=2), Page(offset=1, limit=1, count=9)]),
)
def test_both_ways_give_the_same(rows: list[Any], titles: frozenset[str], page: Page) -> None:
    body = written(*rows)
    what = shown(titles)
    assert json.loads(redact_items(body, what, page)) == whole(body, what, page)
