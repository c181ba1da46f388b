"""Rules in a file beside the project: read again when it changes, without a restart."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.server.policy_server import by_wfs
from tests.support.projects import policy_project
from tests.support.server import Server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"layers": "parcels"})
    return policy_project(tmp_path, access_rules="file:rules.json")


def write(folder: Path, rules: Any) -> None:
    text = rules if isinstance(rules, str) else json.dumps(rules)
    (folder / "rules.json").write_text(text, encoding="utf-8")


def reads(server: Server, project: Path, layer: str) -> bool:
    return by_wfs(server.client(project, "bob"), layer) is not None


def test_the_rules_of_the_file_count(server: Server, project: Path) -> None:
    assert (reads(server, project, "parcels"), reads(server, project, "reports")) == (True, False)


def test_changed_rules_count_at_the_next_request(server: Server, project: Path) -> None:
    assert reads(server, project, "parcels")
    write(project.parent, {"layers": "reports"})
    assert (reads(server, project, "parcels"), reads(server, project, "reports")) == (False, True)


@pytest.mark.parametrize("rules", ["", "[", '{"layer": "parcels"}', "null"])
def test_rules_that_become_invalid_close_the_project_until_they_are_right(
    server: Server, project: Path, rules: str
) -> None:
    assert reads(server, project, "parcels")
    write(project.parent, rules)
    answer = server.client(project, "bob").get(SERVICE="WMS", REQUEST="GetCapabilities")
    assert answer.status == 503
    write(project.parent, {"layers": "parcels"})
    assert reads(server, project, "parcels")


def test_a_missing_file_closes_the_project_until_it_is_there(
    server: Server, tmp_path: Path
) -> None:
    project = policy_project(tmp_path, access_rules="file:rules.json")
    asked = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
    assert server.client(project, "bob").get(**asked).status == 503
    write(tmp_path, {"layers": "*"})
    assert server.client(project, "bob").get(**asked).status == 200


def test_a_file_outside_the_folder_closes_the_project(server: Server, tmp_path: Path) -> None:
    write(tmp_path, {"layers": "*"})
    project = policy_project(tmp_path / "inside", access_rules="file:../rules.json")
    answer = server.client(project, "bob").get(SERVICE="WMS", REQUEST="GetCapabilities")
    assert (answer.status, "rules.json" in answer.text) == (503, False)


def test_a_project_that_is_saved_again_has_its_new_rules(server: Server, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules={"layers": "parcels"})
    assert reads(server, project, "parcels")
    again = policy_project(tmp_path / "again", access_rules={"layers": "reports"})
    text = again.read_text(encoding="utf-8").replace(str(again.parent), str(tmp_path))
    project.write_text(text, encoding="utf-8")
    later = project.stat().st_mtime + 5
    os.utime(project, (later, later))
    server.forget(project)
    assert (reads(server, project, "parcels"), reads(server, project, "reports")) == (False, True)
