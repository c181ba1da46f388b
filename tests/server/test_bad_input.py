"""Rules that are wrong, huge or hostile: a list of problems, a denial, bounded time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.policy_server import by_oapif, by_wfs, by_wms
from tests.support.bounded import bounded
from tests.support.projects import policy_project
from tests.support.server import Server

SENTENCE = "This project is closed: its access rules are not valid."
REQUESTS: tuple[dict[str, Any], ...] = (
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMS", "REQUEST": "GetMap", "LAYERS": "parcels"},
    {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "parcels"},
    {"SERVICE": "WFS", "REQUEST": "Transaction"},
    {"SERVICE": "WCS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "NOTHING"},
    {},
)


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


WRONG: dict[str, dict[str, Any]] = {
    "not JSON": {"access_rules": "layers: *"},
    "cut off": {"access_rules": json.dumps([{"layers": "*"}] * 3000)[:32767]},
    "a key twice": {"access_rules": '[{"layers": "*", "layers": "parcels"}]'},
    "an unknown key": {"access_rules": [{"layers": "*", "user": "bob"}]},
    "an unknown variable": {"access_rules": [{"layers": "*"}], "access_policy": "x"},
    "a wrong type": {"access_rules": [{"layers": 3}]},
    "an expression that does not parse": {"access_rules": [{"layers": "*", "filter": "a ="}]},
    "a function that is missing": {
        "access_rules": [{"layers": "parcels", "filter": "no_such_function(name)"}]
    },
    "any other variable": {"access_rules": [{"layers": "*", "filter": "name = @project_path"}]},
    "a variable by its name": {"access_rules": [{"layers": "*", "filter": "var('x') = 1"}]},
    "a cycle of roles": {"access_rules": [], "access_roles": {"a": ["role:b"], "b": ["role:a"]}},
    "deep nesting": {"access_rules": deep(100_000)},
    "a megabyte of nonsense": {"access_rules": "x" * 1_000_000},
    "a megabyte of rules": {"access_rules": [{"layer": "x" * 80}] * 10_000},
    "half a character": {"access_rules": '[{"layers": "\\ud800"}]'},
    "an unknown layer taken away": {"access_rules": [{"layers": ["*", "!nothing"]}]},
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_rules_close_the_project_for_every_request_in_bounded_time(
    server: Server, tmp_path: Path, kind: str
) -> None:
    project = policy_project(tmp_path, **WRONG[kind])
    for user, roles in ((None, ""), ("root", "admin,gisadmin")):
        caller = server.client(project, user, roles)
        for asked in REQUESTS:
            with bounded():
                answer = caller.get(**asked)
            assert (answer.status, answer.text) == (503, SENTENCE), asked
        assert caller.api("/collections").status == 503


def test_the_project_stays_open_where_only_a_warning_is_told(
    server: Server, tmp_path: Path
) -> None:
    project = policy_project(tmp_path, access_rules=[{"layers": ["parcels", "parcel"]}])
    assert by_wfs(server.client(project), "parcels")


def test_a_filter_on_a_missing_field_opens_nothing(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "filter": "no_such_field = 1"}, {"layers": "reports"}]
    caller = server.client(policy_project(tmp_path, access_rules=rules))
    for read in (by_wfs, by_oapif, by_wms):
        assert read(caller, "parcels") is None
        assert read(caller, "reports")


def test_a_deny_filter_on_a_missing_field_covers_everything(server: Server, tmp_path: Path) -> None:
    deny = {"effect": "deny", "layers": "parcels", "filter": "no_such_field = 1"}
    caller = server.client(policy_project(tmp_path, access_rules=[{"layers": "*"}, deny]))
    assert by_wfs(caller, "parcels") is None
    assert by_wfs(caller, "reports")


def test_a_filter_that_fails_on_the_data_opens_nothing(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "filter": "to_int(name) = 1"}]
    caller = server.client(policy_project(tmp_path, access_rules=rules))
    for read in (by_wfs, by_oapif, by_wms):
        assert not read(caller, "parcels")


def test_a_deny_filter_that_fails_on_the_data_covers(server: Server, tmp_path: Path) -> None:
    deny = {"effect": "deny", "layers": "parcels", "filter": "to_int(name) = 1"}
    caller = server.client(policy_project(tmp_path, access_rules=[{"layers": "*"}, deny]))
    for read in (by_wfs, by_oapif, by_wms):
        assert not read(caller, "parcels")


def test_a_thousand_rules_are_served_in_bounded_time(server: Server, tmp_path: Path) -> None:
    rules = [
        {"id": f"rule {i}", "layers": "parcels", "roles": f"r{i}", "filter": f"zone = {i}"}
        for i in range(1000)
    ]
    project = policy_project(tmp_path, access_rules=rules)
    roles = ",".join(f"r{i}" for i in range(1000))
    with bounded():
        assert set(by_wfs(server.client(project, "bob", roles), "parcels") or ()) == {1, 2, 3, 4}
    with bounded():
        assert set(by_wfs(server.client(project, "bob", "r2"), "parcels") or ()) == {2, 4}


def test_a_wildcard_bomb_is_matched_in_bounded_time(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "*a" * 2000, "roles": "*b" * 2000}, {"layers": "parcels"}]
    project = policy_project(tmp_path, access_rules=rules)
    with bounded():
        assert by_wfs(server.client(project, "a" * 500, "b" * 500), "parcels")


@pytest.mark.parametrize(
    "user", ["O'Brien", "x') or ('1'='1", "\\", "'", '"', "a,b", "%27 OR 1=1", "@access_roles", "é"]
)
def test_a_hostile_user_name_is_nothing_but_a_value(
    server: Server, tmp_path: Path, user: str
) -> None:
    rules = [{"layers": "parcels", "filter": "owner = @access_user OR owner IN (@access_roles)"}]
    caller = server.client(policy_project(tmp_path, access_rules=rules), user, "x' OR 'a'='a")
    for read in (by_wfs, by_oapif, by_wms):
        assert not read(caller, "parcels")
