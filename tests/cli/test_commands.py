"""``explain``, ``matrix``, ``test`` and ``set`` from the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from access_filter_plugin.command_line.project_file import read_project_file
from tests.support.projects import policy_project

from .conftest import Result

Run = Callable[..., Result]
RULES = [
    {"id": "map", "layers": ["*", "!salaries"]},
    {"id": "hr", "roles": "hr", "layers": "salaries", "filter": "\"amount\" > 4100"},
    {"id": "own", "roles": "viewer", "layers": "reports", "actions": ["insert", "update", "delete"],
     "filter": "\"author\" = @access_user"},
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "project", access_rules=RULES)


def test_explain_says_what_and_why(run: Run, project: Path) -> None:
    result = run("explain", project, "--user", "bob", "--role", "hr", "--layer", "salaries")
    assert result.code == 0
    assert "salaries: readable" in result.out
    assert 'rows: ("amount" > 4100)' in result.out
    assert "+ hr: allows read, lookup" in result.out
    assert "- map: it does not name this layer" in result.out


MAP = "http://x/ows?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS=salaries&STYLES=&WIDTH=9"
MAP += "&HEIGHT=9&CRS=EPSG:4326&BBOX=0,0,9,9&FORMAT=image/png&MAP=/srv/on_the_server.qgs"


def test_explain_says_what_each_wall_would_do_with_a_url(run: Run, project: Path) -> None:
    caller = ("--user", "bob", "--role", "hr", "--url")
    out = run("explain", project, *caller, MAP).out
    assert "admission: let in" in out
    assert 'enforcement: salaries: readable; rows: ("amount" > 4100); attributes: all' in out
    assert "redaction: nothing" in out
    refused = run("explain", project, *caller, MAP + "&SLD_BODY=x").out
    assert "admission: refused with 403" in refused
    assert "enforcement" not in refused
    body = run("explain", project, *caller, MAP, "--json").json
    assert {"admission", "enforcement", "redaction"} <= set(body)


def test_explain_says_which_closed_name_is_asked_for_as_unknown(run: Run, project: Path) -> None:
    body = run("explain", project, "--url", MAP, "--json").json
    hidden = body["admission"]["asked_as_unknown"] or [body["admission"]["refused"]]
    assert hidden
    assert body["layers"]


def test_explain_for_nobody_in_particular_is_for_anonymous(run: Run, project: Path) -> None:
    body = run("explain", project, "--layer", "salaries", "--json").json
    assert body["subject"] == {"user": None, "roles": ["anonymous"], "address": None}
    assert body["layers"][0]["decision"]["read"] is False


@pytest.mark.parametrize(
    "arguments", [["--layer", "nothing"], ["--role", "viewer"], ["--user", "b", "--service", "X"]]
)
def test_a_question_that_cannot_be_answered_is_named(
    run: Run, project: Path, arguments: list[str]
) -> None:
    result = run("explain", project, *arguments)
    assert result.code == 2
    assert result.err
    assert not result.out


def test_the_matrix_has_a_column_for_everybody_the_rules_tell_apart(
    run: Run, project: Path
) -> None:
    rows = {row["layer"]: row for row in run("matrix", project, "--format", "json").json}
    assert list(rows["salaries"]) == [
        "layer",
        "anonymous",
        "authenticated",
        "role hr",
        "role viewer",
    ]
    assert rows["salaries"]["anonymous"] == "-"
    assert rows["salaries"]["role hr"] == "r*"
    assert rows["reports"]["role viewer"] == "riud"


def test_the_matrix_is_a_table_csv_or_html(run: Run, project: Path) -> None:
    assert "salaries  -" in run("matrix", project).out
    assert "\nsalaries,-,-,r*,-\n" in run("matrix", project, "--format", "csv").out
    assert "<td>salaries</td><td>-</td>" in run("matrix", project, "--format", "html").out


ASSERTIONS = [
    {"as": {"user": "bob", "roles": ["viewer"]}, "layer": "salaries", "expect": {"read": False}},
    {"as": {"user": "ida", "roles": ["hr"]}, "layer": "salaries",
     "expect": {"read": True, "rows": "some", "visible": ["amount"], "update": False}},
    {"name": "nobody sees salaries listed", "request": "SERVICE=WMS&REQUEST=GetCapabilities",
     "expect": {"status": 200, "contains": ["parcels"], "absent": ["salaries"]}},
]  # fmt: skip


def test_assertions_that_hold_pass(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path / "t", access_rules=RULES, access_tests=ASSERTIONS)
    result = run("test", project)
    assert result.code == 0, result.out
    assert "3 passed, 0 failed" in result.out


def test_assertions_that_do_not_hold_say_what_is(run: Run, tmp_path: Path) -> None:
    wrong = [
        {"as": {"user": "ida", "roles": ["hr"]}, "layer": "salaries", "expect": {"rows": "all"}},
        {"request": "SERVICE=WMS&REQUEST=GetCapabilities", "expect": {"absent": "parcels"}},
        ASSERTIONS[0],
    ]
    project = policy_project(tmp_path / "t", access_rules=RULES, access_tests=wrong)
    result = run("test", project)
    assert result.code == 1
    assert "FAILED ida: salaries - rows are some" in result.out
    assert 'contains "parcels"' in result.out
    assert "1 passed, 2 failed" in result.out


def test_a_project_without_assertions_cannot_be_tested(run: Run, project: Path) -> None:
    assert run("test", project).code == 2


def rules_file(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "rules.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_set_writes_rules_that_check_and_matrix_then_see(
    run: Run, tmp_path: Path, project: Path
) -> None:
    new = rules_file(tmp_path, [{"layers": "parcels"}])
    assert run("set", project, "--rules", new, "--default", "deny").code == 0
    assert json.loads(read_project_file(str(project)).variables["access_rules"]) == [
        {"layers": "parcels"}
    ]
    rows = {row["layer"]: row for row in run("matrix", project, "--format", "json").json}
    assert rows["reports"]["anonymous"] == "-"


@pytest.mark.parametrize("text", ['[{"layer": "*"}]', "[", '[{"layers":"*","layers":"x"}]'])
def test_set_refuses_what_is_not_valid(run: Run, tmp_path: Path, project: Path, text: str) -> None:
    before = project.read_bytes()
    result = run("set", project, "--rules", rules_file(tmp_path, text))
    assert result.code == 2
    assert "Nothing was written" in result.err
    assert project.read_bytes() == before
    assert os.listdir(project.parent).count("project.qgs.backup") == 0


def test_set_with_nothing_to_set_says_so(run: Run, project: Path) -> None:
    assert "nothing to set" in run("set", project).err


def test_an_unknown_command_lists_the_known_ones(run: Run) -> None:
    result = run("chekc")
    assert result.code == 2
    assert "check" in result.err
