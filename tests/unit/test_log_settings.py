"""The variable request_log: what a project may say about its own log, under the operator's word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access_filter_plugin.request_log.settings import (
    ALL_FIELDS,
    LogSettings,
    read_log_settings,
)


def read(value: Any, log_default: str = "on") -> LogSettings:
    text = value if isinstance(value, str) else json.dumps(value)
    settings, problems = read_log_settings(text, log_default)
    assert problems == ()
    return settings


def problems_of(value: Any, log_default: str = "on") -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value)
    settings, problems = read_log_settings(text, log_default)
    assert settings == read_log_settings(None, log_default)[0], "invalid means the defaults"
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("log_default", "is_logged"), [("on", True), ("off", False), ("always", True)]
)
def test_a_project_that_says_nothing_gets_the_operators_default(
    log_default: str, is_logged: bool
) -> None:
    settings, problems = read_log_settings(None, log_default)
    assert (settings.enabled, problems) == (is_logged, ())


@pytest.mark.parametrize("text", ["on", " On ", '"on"', "{}"])
def test_a_project_can_switch_its_log_on(text: str) -> None:
    assert read(text, "off") == LogSettings()


def test_a_project_can_switch_its_log_off() -> None:
    assert not read("off").enabled


def test_all_keys_are_read() -> None:
    value = {"slow_ms": 250, "sample": 0.1, "fields": ["*", "!client"], "anonymize": ["user"]}
    assert read(value) == LogSettings(
        slow_ms=250, sample=0.1, fields=ALL_FIELDS - {"client"}, anonymize=frozenset({"user"})
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["!referer"], ALL_FIELDS - {"referer"}),
        (["time", "user"], frozenset({"time", "user"})),
        (["user*", "!user_agent"], frozenset({"user"})),
        ("time", frozenset({"time"})),
        ([], frozenset()),
        (["layer?", "*_layers"], frozenset({"layers", "bad_layers"})),
    ],
)
def test_fields_are_a_list_of_names(fields: Any, expected: frozenset[str]) -> None:
    assert read({"fields": fields}).fields == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "request_log: not JSON"),
        ('{"slow_ms": 1, "slow_ms": 2}', "stands twice"),
        ('{"sample": 0.', "request_log: not JSON"),
        ([], 'must be "on", "off" or an object'),
        ("true", 'must be "on", "off" or an object'),
        ({"slow": 5}, 'request_log.slow: unknown key, did you mean "slow_ms"?'),
        ({"slow_ms": "fast"}, "request_log.slow_ms: must be a number"),
        ({"slow_ms": True}, "request_log.slow_ms: must be a number"),
        ({"sample": 2}, "request_log.sample: must be a number from 0 to 1"),
        ('{"sample": NaN}', "NaN is not JSON"),
        ({"fields": ["usr"]}, 'request_log.fields: no field is called "usr", did you mean "user"?'),
        ({"fields": ["!clients"]}, 'no field is called "clients", did you mean "client"?'),
        ({"fields": ["[tu]*"]}, 'no field is called "[tu]*"'),
        ({"fields": 3}, "request_log.fields: must be a string or a list"),
        ({"anonymize": ["roles"]}, 'request_log.anonymize: only "user" and "client"'),
    ],
)
def test_a_mistake_is_told_with_its_path_and_leaves_the_defaults(value: Any, problem: str) -> None:
    assert problem in "; ".join(problems_of(value))


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems_of({"slow": 1, "sample": -1, "fields": ["x"], "anonymize": ["y"]})) == 4


@pytest.mark.parametrize(
    "value",
    [
        "off",
        {"sample": 0},
        {"fields": []},
        {"fields": ["!user", "!decision", "!status"]},
        {"anonymize": ["user"]},
    ],
)
def test_a_project_cannot_weaken_a_log_that_is_always_kept(value: Any) -> None:
    settings = read(value, "always")
    assert settings.enabled
    assert settings.sample == 1.0
    assert settings.fields >= {"user", "decision", "status"}
    assert "user" not in settings.anonymize


def test_a_project_may_still_truncate_addresses_where_the_operator_logs_always() -> None:
    assert read({"anonymize": ["client"]}, "always").anonymize == {"client"}
