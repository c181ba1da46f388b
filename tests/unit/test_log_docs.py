"""docs/logging.md says what the code does: fields, limits, the order of shortening, fail2ban."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from pathlib import Path

import pytest

from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import DecisionRecord, RequestContext
from access_filter_plugin.request_log.entry import LineWriter, RequestFacts
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.settings import FIELDS, KEYS, LogSettings, read_log_settings
from access_filter_plugin.request_log.shorten import GIVEN_UP
from access_filter_plugin.subject import Subject

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "logging.md").read_text(encoding="utf-8")
ADDRESS = r"(?P<ip>[0-9a-fA-F.:]+)"


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_field_has_its_place_in_the_table() -> None:
    rows = re.findall(r"^\| (`[^|]+`) \|", section("Fields"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted([*FIELDS, "shortened"])


def test_the_example_has_the_fields_in_their_order() -> None:
    example = json.loads(TEXT.split("```json\n", 1)[1].split("```", 1)[0])
    names = [name for name in FIELDS if name in example]
    assert list(example) == names


def test_the_example_of_the_variable_is_valid() -> None:
    example = section("Who decides what").split("```json\n", 1)[1].split("```", 1)[0]
    assert read_log_settings(example, "on")[1] == ()
    assert tuple(json.loads(example)) == KEYS


def test_the_order_in_which_a_long_line_gives_up_is_told() -> None:
    told = section("Where lines go")
    places = [told.index(f"`{name}`") for name in GIVEN_UP]
    assert places == sorted(places)


def line(status: int, effect: str, layers: str = "salaries") -> str:
    request = OwsRequest("WMS", "GetMap", parameters={"LAYERS": layers}, path="/")
    context = RequestContext(
        request,
        Subject(address=ip_address("203.0.113.9")),
        decision=DecisionRecord(effect, ("a",)),
        request_id="id",
    )
    facts = RequestFacts(1767225600.0, 1.0, status, user_agent=layers, referer=layers)
    return LineWriter(Pseudonyms("k")).line(context, facts, LogSettings(), "info").decode()


@pytest.mark.parametrize(
    ("text", "banned"),
    [
        (line(403, "deny"), "203.0.113.9"),
        (line(401, "deny"), "203.0.113.9"),
        (line(403, "deny", '","client":"198.51.100.1","'), "203.0.113.9"),
        (
            line(200, "allow", '"status":403,"client":"198.51.100.1","decision":{"effect":"deny"'),
            None,
        ),
        (line(200, "allow"), None),
        (line(404, "allow"), None),
    ],
)
def test_the_filter_for_fail2ban_finds_refusals_and_their_true_client(
    text: str, banned: str | None
) -> None:
    pattern = re.search(r"^failregex = (.*)$", TEXT, re.MULTILINE)
    assert pattern is not None
    found = re.search(pattern[1].replace("<ADDR>", ADDRESS), text)
    assert (found["ip"] if found else None) == banned
