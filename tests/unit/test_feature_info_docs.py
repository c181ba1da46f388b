"""docs/feature-info.md says what the code does: its options parse, its answers fit the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from access_filter_plugin.feature_info import settings as words
from access_filter_plugin.feature_info.settings_parser import (
    LAYER_KEYS,
    MAX_LIMIT,
    RELATED_KEYS,
    parse_settings,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "feature-info.md").read_text(encoding="utf-8")
SCHEMA = json.loads((DOCS / "feature-info.schema.json").read_text(encoding="utf-8"))
KINDS = ("settings", "answer", "feature", "info")


def blocks(kind: str) -> list[str]:
    """Return the examples of a kind, which is written behind the language."""
    return re.findall(rf"^```json {kind}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def fitting(definition: str, *, complete: bool) -> Draft202012Validator:
    """Return a validator of one definition of the schema; of a fragment nothing is required."""
    wanted = dict(SCHEMA["$defs"][definition])
    if not complete:
        wanted.pop("required")
    return Draft202012Validator({**wanted, "$defs": SCHEMA["$defs"]})


def test_every_example_says_what_it_is() -> None:
    kinds = re.findall(r"^```json *(.*)$", TEXT, re.MULTILINE)
    assert set(kinds) == set(KINDS)
    assert len(kinds) == sum(len(blocks(kind)) for kind in KINDS)


@pytest.mark.parametrize("text", blocks("settings"))
def test_every_example_of_options_is_valid(text: str) -> None:
    assert parse_settings(text) is not None


@pytest.mark.parametrize("text", blocks("answer"))
def test_the_answer_fits_the_schema(text: str) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(text))


@pytest.mark.parametrize("text", blocks("info"))
def test_every_piece_of_info_fits_the_schema(text: str) -> None:
    fitting("featureInfo", complete=False).validate(json.loads(text))


@pytest.mark.parametrize("text", blocks("feature"))
def test_every_piece_of_a_feature_fits_the_schema(text: str) -> None:
    fitting("feature", complete=False).validate(json.loads(text))


def test_a_damaged_example_would_be_found() -> None:
    assert not fitting("featureInfo", complete=False).is_valid({"link": {}})
    assert not fitting("feature", complete=False).is_valid({"bbox": [1, 2]})


def used_keys() -> set[str]:
    """Return every option that stands in an example."""
    found: set[str] = set()
    for text in blocks("settings"):
        value: dict[str, Any] = json.loads(text)
        found |= {key for part in (value, *value.get("layers", {}).values()) for key in part}
    return found


def test_every_option_has_an_example_or_is_shown_in_the_text() -> None:
    shown = used_keys() | set(re.findall(r'`"(\w+)": "', TEXT))
    assert shown >= {*LAYER_KEYS, "layers"}


@pytest.mark.parametrize(
    "modes", [words.PROPERTIES_MODES, words.PLACES, words.EMPTY_MODES, words.GEOMETRY_MODES]
)
def test_every_value_of_an_option_is_told(modes: tuple[str, ...]) -> None:
    for mode in modes:
        assert re.search(rf'["`]{mode}["`]', section("Options")), mode


def test_every_key_of_related_is_told_with_its_limits() -> None:
    related = section("Options").split("### related\n", 1)[1].split("\n### ", 1)[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", related, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(RELATED_KEYS)
    assert f"0 to {MAX_LIMIT}" in related


def test_every_type_of_a_field_is_told() -> None:
    told = re.search(r"A `type` is one of (.*?)\.", TEXT, re.DOTALL)
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == SCHEMA["$defs"]["field"]["properties"]["type"]["enum"]


def test_every_member_of_info_is_told() -> None:
    answer = section("An answer")
    for member in SCHEMA["$defs"]["featureInfo"]["properties"]:
        assert re.search(rf"^\|[^|]*`{member}`[^|]*\|", answer, re.MULTILINE), member
    for member in SCHEMA["$defs"]["field"]["properties"]:
        assert f"`{member}`" in answer or f'"{member}"' in answer, member
