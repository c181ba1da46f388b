"""What the variable feature_info may say, and how every mistake in it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.feature_info.settings import FeatureInfoSettings
from access_filter_plugin.feature_info.settings_parser import parse_settings
from access_filter_plugin.strict_json import StrictJsonError


def problems(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(StrictJsonError) as caught:
        parse_settings(text)
    return [str(problem) for problem in caught.value.problems]


def parsed(value: Any) -> FeatureInfoSettings:
    settings = parse_settings(json.dumps(value))
    assert settings is not None
    return settings


@pytest.mark.parametrize("text", ["off", " OFF\n", '"off"'])
def test_off_is_off(text: str) -> None:
    assert parse_settings(text) is None


@pytest.mark.parametrize("text", ["on", " On ", '"on"', "{}"])
def test_on_and_an_empty_object_mean_all_defaults(text: str) -> None:
    assert parse_settings(text) == FeatureInfoSettings()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", 'feature_info: must be "on", "off" or an object, is true'),
        ("[]", 'feature_info: must be "on", "off" or an object, is []'),
        ("", "feature_info: not JSON: Expecting value at line 1, column 1"),
        ('{"place": "member", "place": "member"}', 'the key "place" stands twice in one object'),
        ({"properties": "raw"}, 'feature_info.properties: must be one of "stock", "names"'),
        ({"geometry": "box"}, '"centroid", is "box", did you mean "bbox"?'),
        ({"empty": None}, "feature_info.empty: must be one of"),
        ({"precision": 1.5}, "feature_info.precision: must be a whole number, is 1.5"),
        ({"precision": 99}, "feature_info.precision: must be a number from 0 to 15, is 99"),
        ({"fields": [1]}, "feature_info.fields[0]: must be a string, is 1"),
        ({"computed": {"x": 1}}, "feature_info.computed.x: must be a text, is 1"),
        ({"computed": {"x": " "}}, 'feature_info.computed.x: must be a text, is " "'),
        ({"links": {"l": "a [% b"}}, 'feature_info.links.l: has "[%" without "%]"'),
        ({"static": []}, "feature_info.static: must be an object, is []"),
        ({"maptip": 1}, "feature_info.maptip: must be true or false, is 1"),
        ({"layers": []}, "feature_info.layers: must be an object, is []"),
        ({"layers": {"a": []}}, "feature_info.layers.a: must be an object, is []"),
        ({"layers": {"a": {"layers": {}}}}, "feature_info.layers.a.layers: unknown key"),
        ({"rename": {"a": "c", "b": "c"}}, 'feature_info.rename.b: gives two fields the name "c"'),
        (
            {"related": {"r": {"limit": -1}}},
            "feature_info.related.r.limit: must be a number from 0",
        ),
        ({"related": {"r": {"fielsd": []}}}, 'unknown key, did you mean "fields"?'),
        (
            {"related": {"r": {"related": {"s": {"related": {}}}}}},
            "feature_info.related.r.related.s.related: unknown key",
        ),
        (
            {"attachments": {"f": {"base_url": "ftp://x"}}},
            "feature_info.attachments.f.base_url: must start with http:// or https://",
        ),
        ({"attachments": {"f": "https://x"}}, "feature_info.attachments.f: must be an object"),
    ],
)
def test_a_mistake_is_named_with_its_path(value: Any, expected: str) -> None:
    (problem,) = problems(value)
    assert expected in problem


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems({"place": 1, "empty": 2, "layers": {"x": {"maptip": 0, "nope": 1}}})) == 4


def test_a_layer_starts_from_the_defaults_and_overrides_whole_keys() -> None:
    settings = parsed(
        {
            "place": "property",
            "static": {"a": 1},
            "layers": {"parcels": {"static": {"b": 2}, "precision": 2}},
        }
    )
    layer = settings.for_layer(("id1", "parcels"))
    assert (layer.place, layer.precision, dict(layer.static)) == ("property", 2, {"b": 2})
    assert dict(settings.for_layer(("id2", "roads")).static) == {"a": 1}


def test_a_name_counts_more_than_a_pattern_and_patterns_count_in_their_order() -> None:
    settings = parsed(
        {
            "layers": {
                "parcels": {"precision": 1},
                "p*": {"precision": 2, "maptip": True},
                "*": {"maptip": False},
            }
        }
    )
    layer = settings.for_layer(("id", "parcels"))
    assert (layer.precision, layer.maptip) == (1, False)


def test_a_layer_is_known_by_any_of_its_names() -> None:
    settings = parsed({"layers": {"short": {"maptip": True}}})
    assert settings.for_layer(("id", "short", "Long name")).maptip is True


def test_brackets_in_a_layers_name_mean_themselves() -> None:
    settings = parsed({"layers": {"a[1]*": {"maptip": True}}})
    assert settings.for_layer(("a[1]x",)).maptip is True
    assert settings.for_layer(("a1x",)).maptip is False


def test_every_key_knows_where_it_was_written() -> None:
    settings = parsed({"units": {"a": "m"}, "layers": {"p": {"computed": {"x": "1"}}}})
    layer = settings.for_layer(("p",))
    assert layer.path("computed", "x") == "feature_info.layers.p.computed.x"
    assert layer.path("units", "a") == "feature_info.units.a"
    assert (layer.own, settings.for_layer(("q",)).own) == ({"computed"}, frozenset())


def test_entries_that_fit_no_layer_are_found() -> None:
    settings = parsed({"layers": {"a": {}, "b": {}, "b*": {}, "c*": {}}})
    unused = settings.unused([("id", "a"), ("id2", "bb")])
    assert [entry.pattern for entry in unused] == ["b", "c*"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["layers", "fields", "related", "links", "computed", "limit", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def only_its_own_error(text: str) -> bool:
    try:
        parse_settings(text)
    except StrictJsonError as error:
        return bool(error.problems)
    return True


@settings(max_examples=40)
@given(json_values)
def test_no_json_makes_the_parser_raise_anything_but_its_own_error(value: Any) -> None:
    assert only_its_own_error(json.dumps(value))


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_raise_anything_but_its_own_error(text: str) -> None:
    assert only_its_own_error(text)
