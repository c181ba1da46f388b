"""Values, labels, fields and properties as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.feature_info.fields import (
    FieldFrame,
    computed_entry,
    properties_of,
    with_unit,
)
from access_filter_plugin.feature_info.rasters import class_label, exact_number, number_of
from access_filter_plugin.feature_info.values import (
    exact_text,
    is_dropped,
    json_value,
    plain_text,
    without_empty,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (1.5, 1.5),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        ("a", "a"),
        (2**63, 2**63),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        ((1, math.nan), [1, None]),
        ({1: {"a": math.inf}}, {"1": {"a": None}}),
        (b"x", "b'x'"),
    ],
)
def test_a_value_becomes_json(value: Any, expected: Any) -> None:
    assert json_value(value) == expected


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_every_value_can_be_written_strictly(value: Any) -> None:
    json.dumps(json_value(value), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, None),
        (2**53 + 1, "9007199254740993"),
        (-(2**53) - 1, "-9007199254740993"),
        (True, None),
        (1e300, None),
        ("9007199254740993", None),
    ],
)
def test_an_integer_beyond_what_javascript_counts_is_told_as_text(
    value: Any, expected: Any
) -> None:
    assert exact_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, "true"),
        (3.0, "3"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        ([1, "a", None], "1, a, "),
    ],
)
def test_a_value_as_text(value: Any, expected: Any) -> None:
    assert plain_text(value) == expected


@pytest.mark.parametrize(
    ("value", "null", "empty"),
    [
        (None, True, True),
        ("", False, True),
        ([], False, True),
        ({}, False, True),
        (0, False, False),
        (0.0, False, False),
        (False, False, False),
        ("0", False, False),
    ],
)
def test_what_counts_as_empty(value: Any, null: bool, empty: bool) -> None:
    assert is_dropped(value, "keep") is False
    assert is_dropped(value, "drop_null") is null
    assert is_dropped(value, "drop_empty") is empty
    assert ("x" in without_empty({"x": value}, "drop_empty")) is not empty


FRAME = FieldFrame(name="zone", alias="Zoning", type="integer", widget="ValueMap")


def test_a_field_has_its_six_members_and_no_more() -> None:
    assert FRAME.entry(3, "Residential") == {
        "name": "zone",
        "alias": "Zoning",
        "value": 3,
        "label": "Residential",
        "type": "integer",
        "widget": "ValueMap",
    }


def test_groups_units_and_exact_texts_are_added_where_there_are_any() -> None:
    frame = FieldFrame("a", "A", "integer", "", groups=("Tab", "Box"), unit="m")
    entry = frame.entry(2**60, "many")
    assert (entry["group"], entry["groups"]) == ("Tab / Box", ["Tab", "Box"])
    assert (entry["unit"], entry["label"], entry["text"]) == ("m", "many m", str(2**60))
    assert "groups" not in FieldFrame("a", "A", "integer", "", groups=("Tab",)).entry(1, "1")


def test_a_unit_needs_something_to_stand_behind() -> None:
    assert (with_unit(None, "m"), with_unit("", "m"), with_unit("1", "")) == (None, "", "1")
    assert computed_entry(None, None, "m") == {"value": None, "label": None, "unit": "m"}


def test_properties_by_name_label_and_alias() -> None:
    entries = [FRAME.entry(3, "Residential"), FieldFrame("b", "Zoning", "string", "").entry("", "")]
    assert properties_of(entries, "names", "keep") == {"zone": 3, "b": ""}
    assert properties_of(entries, "labels", "drop_empty") == {"zone": "Residential"}
    assert properties_of(entries, "aliases", "keep") == {"Zoning": "Residential", "b": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.5", 1.5), ("1e+06", 1e6), ("null", None), ("", None), (None, None), ("nan", None)],
)
def test_a_raster_number_is_read_from_the_stock_text(text: Any, expected: Any) -> None:
    assert number_of(text) == expected


@pytest.mark.parametrize(
    ("stock", "read", "integer", "single", "expected"),
    [
        (1234.57, 1234.5670166015625, False, True, 1234.567),
        (1.23457e6, 1234567.875, False, True, 1234567.875),
        (0.1, 0.10000000149011612, False, True, 0.1),
        (1.23457e6, 1234567.0, True, False, 1234567),
        (0.1, None, False, True, 0.1),
        (None, 5.0, False, False, None),
        (7.0, 9.0, True, False, 7),
        (7.0, math.nan, True, False, 7),
        (1.23457e39, 1.2345678e39, False, True, 1.2345678e39),
        (0.0, 0.0, False, True, 0.0),
    ],
)
def test_a_raster_number_has_all_of_its_digits(
    stock: Any, read: Any, integer: bool, single: bool, expected: Any
) -> None:
    assert exact_number(stock, read, integer=integer, single=single) == expected


def test_a_class_is_the_equal_one_or_the_first_range_that_reaches() -> None:
    classes = [(5.0, "low"), (10.0, "high"), (12.0, "")]
    assert class_label(5, classes, discrete=False) == "low"
    assert class_label(7, classes, discrete=False) is None
    assert class_label(7, classes, discrete=True) == "high"
    assert class_label(11, classes, discrete=True) is None
    assert class_label(99, classes, discrete=True) is None
    assert class_label(None, classes, discrete=True) is None
