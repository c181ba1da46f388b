"""JSON as people type it, read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from access_filter_plugin.strict_json import (
    ObjectReader,
    Problem,
    StrictJsonError,
    did_you_mean,
    read_json,
    shown,
)


def refused(text: str) -> str:
    with pytest.raises(StrictJsonError) as caught:
        read_json(text, "x")
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["3", "[]", '{"a": [null, true, 1.5, "é\\u00e9"]}', '"\\ud83d\\ude00"']
)
def test_json_is_read(text: str) -> None:
    read_json(text, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x: not JSON"),
        ("{'a': 1}", "x: not JSON"),
        ("[1,]", "x: not JSON"),
        ('{"a": 1, "a": 2}', 'x: the key "a" stands twice in one object'),
        ('[{"b": {"a": 1, "a": 1}}]', 'x: the key "a" stands twice in one object'),
        ("NaN", "x: NaN is not JSON"),
        ("[-Infinity]", "x: -Infinity is not JSON"),
        ("\ufeff[]", "x: not JSON"),
        ('"\\ud800"', "x: cannot be read as JSON (UnicodeEncodeError)"),
        ("[" * 200_000, "x: cannot be read as JSON (RecursionError)"),
        ('{"a":' * 200_000, "x: cannot be read as JSON (RecursionError)"),
    ],
)
def test_what_is_not_strict_json_is_one_problem(text: str, message: str) -> None:
    assert refused(text).startswith(message)


def test_half_a_character_in_the_text_itself_is_refused() -> None:
    assert "cannot be read" in refused('["\ud800"]')


def test_the_place_of_an_error_is_told() -> None:
    assert "line 2, column 3" in refused("[\n  x]")


@pytest.mark.parametrize("value", ["x" * 500, list(range(500)), {"a": object()}, object()])
def test_a_value_is_shown_on_one_short_line(value: Any) -> None:
    assert len(shown(value)) <= 60
    assert "\n" not in shown("a\nb")


def test_the_nearest_name_is_suggested_in_its_own_spelling() -> None:
    assert did_you_mean("LAYERZ", ["Layers", "roles"]) == ', did you mean "Layers"?'
    assert did_you_mean("quite different", ["layers"]) == ""


def reader(value: Any, *known: str) -> tuple[ObjectReader, list[Problem]]:
    problems: list[Problem] = []
    return ObjectReader(value, "o", problems, known), problems


def test_an_unknown_key_is_a_problem() -> None:
    assert [str(p) for p in reader({"b": 1}, "a")[1]] == ["o.b: unknown key"]


@pytest.mark.parametrize(
    ("method", "arguments", "wrong"),
    [
        ("strings", (), 3),
        ("strings", (), ["a", 3]),
        ("string", (), 3),
        ("choice", (("x", "y"), "x"), "z"),
        ("choice", (("x", "y"), "x"), None),
        ("boolean", (True,), 1),
        ("number", (1, 0, 2), 3),
        ("number", (1, 0, 2), True),
        ("number", (1, 0, 2), "1"),
        ("number", (1, 0, 2), 1e999),
        ("integer", (1, 0, 2), 1.5),
        ("integer", (1, 0, 2), 3),
    ],
)
def test_a_wrong_member_is_a_problem_and_the_default(
    method: str, arguments: tuple[Any, ...], wrong: Any
) -> None:
    found, problems = reader({"a": wrong}, "a")
    getattr(found, method)("a", *arguments)
    assert len(problems) == 1


def test_one_string_stands_for_a_list_of_one() -> None:
    assert reader({"a": "x"}, "a")[0].strings("a") == ("x",)


def test_an_absent_list_is_none_and_an_empty_one_is_empty() -> None:
    found, _ = reader({"a": []}, "a", "b")
    assert (found.strings("a"), found.strings("b")) == ((), None)
