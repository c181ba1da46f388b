"""The operator's rules: for every project, read again when their file changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.policy_server import by_wfs, operator_rules
from tests.support.projects import policy_project
from tests.support.server import Server

CLOSE_SALARIES = {"effect": "deny", "roles": "!hr", "layers": "salaries"}


@pytest.fixture
def operator(server: Server, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "operator.json"
    write(path, {"access_rules": [CLOSE_SALARIES]})
    with operator_rules(server, path):
        yield path


def write(path: Path, rules: Any) -> None:
    path.write_text(rules if isinstance(rules, str) else json.dumps(rules), encoding="utf-8")


def reads(server: Server, project: Path, layer: str, roles: str = "viewer") -> bool:
    return by_wfs(server.client(project, "bob", roles), layer) is not None


def test_no_project_opens_what_the_operator_denies(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    assert operator.exists()
    project = policy_project(
        tmp_path / "p",
        access_rules={"layers": "*"},
        access_default="allow",
        access_roles={"human": ["bob"]},
    )
    assert reads(server, project, "parcels")
    assert not reads(server, project, "salaries")
    assert reads(server, project, "salaries", "hr")


def test_a_role_of_the_project_is_none_of_the_operators(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    assert operator.exists()
    project = policy_project(
        tmp_path / "p", access_rules={"layers": "*"}, access_roles={"hr": ["bob"]}
    )
    assert not reads(server, project, "salaries")


def test_with_the_operators_rules_a_project_without_any_is_closed(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    assert operator.exists()
    project = policy_project(tmp_path / "p")
    assert not reads(server, project, "parcels")


def test_the_operators_rules_may_speak_of_layers_that_a_project_lacks(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    write(operator, {"access_rules": [{"effect": "deny", "layers": ["elsewhere", "salaries"]}]})
    project = policy_project(tmp_path / "p", access_rules={"layers": "*"})
    assert reads(server, project, "parcels")
    assert not reads(server, project, "salaries")


def test_changed_rules_count_without_a_restart(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    project = policy_project(tmp_path / "p", access_rules={"layers": "*"})
    assert not reads(server, project, "salaries")
    write(operator, {"access_rules": [{"effect": "deny", "layers": "parcels"}]})
    assert reads(server, project, "salaries")
    assert not reads(server, project, "parcels")


@pytest.mark.parametrize("rules", ["", "[", {"access_rules": [{}]}, {"access_rule": []}])
def test_rules_that_become_invalid_close_every_project(
    server: Server, operator: Path, tmp_path: Path, rules: Any
) -> None:
    project = policy_project(tmp_path / "p", access_rules={"layers": "*"})
    assert reads(server, project, "parcels")
    write(operator, rules)
    assert server.client(project, "bob").get(SERVICE="WMS", REQUEST="GetCapabilities").status == 503
    write(operator, {"access_rules": [CLOSE_SALARIES]})
    assert reads(server, project, "parcels")


def test_rules_that_disappear_close_every_project(
    server: Server, operator: Path, tmp_path: Path
) -> None:
    project = policy_project(tmp_path / "p", access_rules={"layers": "*"})
    operator.unlink()
    assert server.client(project, "bob").get(SERVICE="WMS", REQUEST="GetCapabilities").status == 503
