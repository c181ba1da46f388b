"""Every answer of SERVICE=ACCESS is what docs/access-service.schema.json says, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.projects import policy_project
from tests.support.server import Answer, Server

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "access-service.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
RULES = [
    {"id": "map", "layers": ["*", "!salaries"]},
    {"id": "no-owners", "effect": "deny", "roles": "!editor", "layers": "parcels", "attributes": "owner*"},
    {"id": "own", "roles": "viewer", "layers": "reports", "actions": ["insert", "update", "delete"],
     "filter": "\"author\" = @access_user"},
    {"id": "typo", "layers": "parcles"},
]  # fmt: skip
GET_MAP = "http://x/?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS=parcels&STYLES=&CRS=EPSG:4326"
GET_MAP += "&BBOX=0,0,9,9&WIDTH=9&HEIGHT=9&FORMAT=image/png"
PERMISSIONS = {"REQUEST": "GetPermissions"}
EXPLAIN = {"REQUEST": "Explain", "USER": "bob", "ROLES": "viewer"}

#: what is asked → (project, user, roles, parameters, status)
QUESTIONS: dict[str, tuple[str, Any, str, dict[str, str], int]] = {
    "health": ("good", None, "", {"REQUEST": "Health"}, 200),
    "health of closed rules": ("broken", None, "", {"REQUEST": "Health"}, 503),
    "capabilities": ("good", None, "", {"REQUEST": "GetCapabilities"}, 200),
    "permissions of a stranger": ("good", None, "", PERMISSIONS, 200),
    "permissions of an editor of rows": ("good", "bob", "viewer", PERMISSIONS, 200),
    "permissions of an administrator": ("good", "ada", "gisadmin", PERMISSIONS, 200),
    "permissions without rules": ("open", "bob", "viewer", PERMISSIONS, 200),
    "permissions of closed rules": ("broken", "bob", "", PERMISSIONS, 503),
    "problems of closed rules": ("broken", "ada", "gisadmin", PERMISSIONS, 503),
    "explanation": ("good", "ada", "gisadmin", EXPLAIN, 200),
    "explanation without rules": ("open", "ada", "gisadmin", EXPLAIN, 200),
    "explanation of a map": ("good", "ada", "gisadmin", {**EXPLAIN, "URL": GET_MAP}, 200),
    "explanation of a refusal": (
        "good", "ada", "gisadmin", {**EXPLAIN, "URL": GET_MAP + "&SLD_BODY=x"}, 200,
    ),
    "explanation for a stranger": ("good", "bob", "viewer", EXPLAIN, 403),
    "unknown layer": ("good", "ada", "gisadmin", {**EXPLAIN, "LAYER": "none"}, 400),
    "unknown request": ("good", None, "", {"REQUEST": "Destroy"}, 400),
    "challenge": ("challenge", None, "", PERMISSIONS, 401),
    "nothing to see": ("challenge", "bob", "", PERMISSIONS, 200),
}  # fmt: skip


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, server: Server) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("schema")
    return {
        "good": policy_project(folder / "good", access_rules=RULES),
        "open": policy_project(folder / "open"),
        "broken": policy_project(folder / "broken", access_rules='[{"layer": "*"}]'),
        "challenge": policy_project(
            folder / "challenge",
            access_rules=[{"roles": "editor", "layers": "*"}],
            access_catalog="challenge",
        ),
    }


def ask(server: Server, projects: dict[str, Path], question: str) -> Answer:
    project, user, roles, parameters, _status = QUESTIONS[question]
    return server.client(projects[project], user, roles).get(SERVICE="ACCESS", **parameters)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_examples_of_the_page_are_what_the_schema_says() -> None:
    page = (DOCS / "access-service.md").read_text("utf-8")
    blocks = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    assert len(blocks) == 4
    for block in blocks:
        if "admission" in block:
            part = dict(SCHEMA["$defs"]["explanation"]["properties"])
            schema = {"$defs": SCHEMA["$defs"], "properties": part, "additionalProperties": False}
            assert list(Draft202012Validator(schema).iter_errors(block)) == []
        else:
            assert list(VALIDATOR.iter_errors(block)) == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_is_what_the_schema_says(
    server: Server, projects: dict[str, Path], question: str
) -> None:
    answer = ask(server, projects, question)
    assert answer.status == QUESTIONS[question][4]
    assert answer.headers["Content-Type"].startswith("application/json")
    assert [error.message for error in VALIDATOR.iter_errors(answer.json)] == []


def damaged(value: Any) -> Iterator[Any]:
    """Yield the answer with one thing added, taken away or of another type."""
    for path, node in objects(value):
        more = copy.deepcopy(value)
        at(more, path)["no_such_member"] = 1
        yield more
        for key in node:
            if (*path, key)[-2:-1] == ("changes",) or key in ("warnings", "problems"):
                continue
            for change in (None, ["x", 1], 7.5):
                other = copy.deepcopy(value)
                if change is None:
                    del at(other, path)[key]
                else:
                    at(other, path)[key] = change
                yield other


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        if path[-1:] not in (("changes",), ("writable",)):
            yield path, value
        for key, inner in value.items():
            yield from objects(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, (*path, index))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize(
    "question",
    ["health", "capabilities", "permissions of an editor of rows", "explanation of a map"],
)
def test_damage_of_any_kind_is_noticed(
    server: Server, projects: dict[str, Path], question: str
) -> None:
    whole = ask(server, projects, question).json
    if "layers" in whole:
        whole["layers"] = whole["layers"][:1]
    changes = list(damaged(whole))
    assert len(changes) > 5
    assert [change for change in changes if VALIDATOR.is_valid(change)] == []


def test_a_challenge_names_the_way_to_log_in(server: Server, projects: dict[str, Path]) -> None:
    answer = ask(server, projects, "challenge")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    hidden = server.client(projects["good"]).get(SERVICE="ACCESS", REQUEST="Explain")
    assert "WWW-Authenticate" not in hidden.headers
    explain = server.client(projects["challenge"]).get(SERVICE="ACCESS", REQUEST="Explain")
    assert explain.status == 401


def test_administrators_read_the_warnings_about_the_rules(
    server: Server, projects: dict[str, Path]
) -> None:
    warnings = ask(server, projects, "permissions of an administrator").json["warnings"]
    assert any("parcles" in warning for warning in warnings)


def test_an_explained_url_says_what_each_wall_would_do(
    server: Server, projects: dict[str, Path]
) -> None:
    body = ask(server, projects, "explanation of a map").json
    assert body["admission"]["admitted"] is True
    (told,) = body["enforcement"]
    assert (told["name"], told["read"], told["filter"]) == ("parcels", True, None)
    assert told["attributes"] == ["fid", "name", "public", "status", "zone"]
    assert body["redaction"] is None
    refused = ask(server, projects, "explanation of a refusal").json
    assert refused["admission"]["status"] == 403
    assert refused["enforcement"] is None


def test_an_explained_feature_info_says_what_is_taken_out(
    server: Server, projects: dict[str, Path]
) -> None:
    url = GET_MAP.replace("GetMap", "GetFeatureInfo") + "&QUERY_LAYERS=parcels&I=1&J=1"
    body = (
        server.client(projects["good"], "ada", "gisadmin")
        .get(SERVICE="ACCESS", **{**EXPLAIN, "URL": url})
        .json
    )
    assert "hidden attributes" in body["redaction"]


def test_a_url_with_another_map_is_not_explained(server: Server, projects: dict[str, Path]) -> None:
    answer = server.client(projects["good"], "ada", "gisadmin").get(
        SERVICE="ACCESS", **{**EXPLAIN, "URL": GET_MAP + "&MAP=/elsewhere.qgs"}
    )
    assert (answer.status, answer.json["error"][:4]) == (400, "URL:")
