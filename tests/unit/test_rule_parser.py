"""One rule: every key read strictly, every problem with its path."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from access_filter_plugin.access_control.policy import Action, Effect, Rule
from access_filter_plugin.access_control.rule_parser import parse_moment, parse_rule
from access_filter_plugin.addresses import parse_address
from access_filter_plugin.strict_json import Problem, Severity

VALID = {"layers": "parcels"}


def read(value: Any) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    rule = parse_rule(value, "r", "r", problems, lower_case_users=False)
    return rule, [str(p) for p in problems]


def valid(**keys: Any) -> Rule:
    rule, problems = read({**VALID, **keys})
    assert rule is not None, problems
    return rule


def wrong(**keys: Any) -> list[str]:
    rule, problems = read({**VALID, **keys})
    assert rule is None
    return problems


def test_the_shortest_rule_lets_everybody_read() -> None:
    rule = valid()
    assert (rule.effect, rule.actions, rule.users) == (Effect.ALLOW, {Action.READ}, None)


def test_a_deny_rule_without_actions_means_all() -> None:
    assert valid(effect="deny").actions == set(Action)


def test_layers_are_required() -> None:
    assert read({})[1] == ["r.layers: is required (except in a rule that has only templates)"]


def test_a_rule_of_templates_needs_no_layers() -> None:
    assert read({"templates": "A4"})[0].layers is None


@pytest.mark.parametrize("key", ["filter", "check", "attributes", "readonly", "styles"])
def test_a_rule_of_templates_alone_has_nothing_about_layers(key: str) -> None:
    assert read({"templates": "A4", key: "x"})[0] is None


@pytest.mark.parametrize("key", ["check", "readonly"])
def test_a_deny_rule_has_no_check_and_nothing_readonly(key: str) -> None:
    assert wrong(effect="deny", **{key: "x"}) == [f"r.{key}: belongs to an allow rule"]


@pytest.mark.parametrize("value", [None, [], "text", 3, True])
def test_what_is_not_an_object_is_one_problem(value: Any) -> None:
    rule, problems = read(value)
    assert rule is None
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", 3),
        ("effect", "permit"),
        ("effect", None),
        ("users", {}),
        ("users", [3]),
        ("users", ""),
        ("roles", "!"),
        ("roles", ["!!admin"]),
        ("layers", None),
        ("actions", "write"),
        ("actions", [["read"]]),
        ("actions", "!!read"),
        ("actions", "!write"),
        ("actions", "x*"),
        ("addresses", "!!10.0.0.0/8"),
        ("addresses", "10.0.0.0/99"),
        ("addresses", "localhost"),
        ("valid_from", "tomorrow"),
        ("valid_until", 2026),
        ("filter", ["a = 1"]),
        ("filter", ""),
        ("filter", "-- nothing"),
        ("filter", "(a = 1"),
        ("filter", "a = 1) OR (b = 1"),
        ("filter", "a = 'open"),
        ("filter", "a = @access_users"),
        ("filter", "a = @ACCESS_USER"),
        ("filter", "a = var('access_user')"),
        ("filter", "eval('a = 1')"),
        ("check", "a = @layer_name"),
        ("unknown", 1),
    ],
)
def test_a_wrong_value_is_a_problem_at_its_path(key: str, value: Any) -> None:
    assert wrong(**{key: value})[0].startswith(f"r.{key}")


def test_a_misspelt_placeholder_is_named_with_the_nearest() -> None:
    assert wrong(filter="a = @access_users") == [
        (
            "r.filter: uses @access_users, which is not a placeholder of a rule, "
            'did you mean "access_user"?'
        )
    ]


def test_a_variable_inside_a_string_or_a_comment_is_none() -> None:
    rule = valid(filter="a = '@layer_name' -- @unknown\n OR \"@x\" = 1 /* @y */")
    assert rule.filter is not None


def test_an_unknown_service_is_a_warning() -> None:
    problems: list[Problem] = []
    rule = parse_rule({**VALID, "services": "WFS3"}, "r", "r", problems, lower_case_users=False)
    assert rule is not None
    assert [p.severity for p in problems] == [Severity.WARNING]


def test_services_and_requests_ignore_case_and_names_do_not() -> None:
    rule = valid(services="wms", requests="getmap", users="Bob")
    assert rule.services is not None
    assert rule.users is not None
    assert "WMS" in rule.services
    assert "bob" not in rule.users


def test_only_excluding_addresses_start_from_all() -> None:
    addresses = valid(addresses="!10.0.0.0/8").addresses
    assert addresses is not None
    assert len(addresses.include) == 2


def test_a_block_of_ipv4_may_be_written_as_ipv6() -> None:
    addresses = valid(addresses=["::ffff:10.0.0.0/104", "!::ffff:10.1.1.1"]).addresses
    assert addresses is not None
    assert [parse_address(text) in addresses for text in ("10.9.9.9", "10.1.1.1", "11.0.0.1")] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ("*", {*Action}),
        ("!delete", {*Action} - {Action.DELETE}),
        (["*", "!lookup", "!read"], {Action.INSERT, Action.UPDATE, Action.DELETE}),
        ("*date", {Action.UPDATE}),
        ([], set()),
    ],
)
def test_actions_are_a_list_of_names_as_any_other(entries: Any, found: set[Action]) -> None:
    assert valid(actions=entries).actions == found


def test_a_built_in_role_among_users_is_a_warning() -> None:
    assert read({**VALID, "users": "anonymous"})[1] == [
        'r.users: "anonymous" is a role, not a user'
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-31T10:00:00Z", datetime(2026, 12, 31, 10, tzinfo=timezone.utc)),
        ("2026-12-31 10:00+01:00", datetime(2026, 12, 31, 9, tzinfo=timezone.utc)),
        ("2026-12-31T10:00:00.250Z", datetime(2026, 12, 31, 10, 0, 0, 250000, timezone.utc)),
    ],
)
def test_a_moment_with_an_offset_is_that_moment(text: str, moment: datetime) -> None:
    assert parse_moment(text, end_of_day=True) == moment


def test_without_an_offset_the_servers_zone_counts() -> None:
    here = datetime(2026, 7, 1, 10).astimezone()
    assert parse_moment("2026-07-01T10:00", end_of_day=False) == here


def test_a_date_is_its_start_or_its_end() -> None:
    start = parse_moment("2026-07-01", end_of_day=False)
    assert parse_moment("2026-07-01", end_of_day=True) - start == timedelta(days=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "20261231",
        "2026-W01-1",
        "2026-02-30",
        "2026-12-31T",
        "2026-12-31T25:00",
        "٢٠٢٦-12-31",
    ],
)
def test_no_other_spelling_of_a_moment_is_read(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the message is Python's)
        parse_moment(text, end_of_day=False)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
def test_a_moment_at_the_edge_of_time_is_read_or_a_problem(text: str) -> None:
    rule, problems = read({**VALID, "valid_until": text, "valid_from": text})
    assert rule is not None or problems


def test_ending_before_it_begins_is_a_warning() -> None:
    assert read({**VALID, "valid_from": "2026-02-01", "valid_until": "2026-01-01"})[1] == [
        "r.valid_until: is not after valid_from"
    ]
