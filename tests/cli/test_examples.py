"""The examples of docs/rules.md are the files of docs/examples, and each does what its text says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr
from qgis.core import QgsPrintLayout, QgsProject

from tests.support.projects import publish, save, vector_layer, write_geopackage

from .conftest import Result

Run = Callable[..., Result]
DOCS = Path(__file__).resolve().parents[2] / "docs"
FILES = sorted((DOCS / "examples").glob("*.json"))
TEXT = (DOCS / "rules.md").read_text("utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
OTHERS = ("04-roles.json", "11-tests.json")
RULES = [path for path in FILES if path.name not in OTHERS]

POINT, TABLE = ogr.wkbPoint, ogr.wkbNone
TABLES: dict[str, Any] = {
    "parcels": (
        POINT,
        {
            **dict.fromkeys(("parcel_id", "status", "owner", "owner_name"), ogr.OFTString),
            "zone": ogr.OFTInteger,
        },
        [
            (1, 1.0, 1.0, ("p1", "public", "anna", "Anna A.", 1)),
            (2, 2.0, 2.0, ("p2", "draft", "bob", "Bob B.", 2)),
            (3, 3.0, 3.0, ("p3", None, "anna", "Anna A.", 1)),
        ],
    ),
    "salaries": (POINT, {"amount": ogr.OFTInteger}, [(1, 1.0, 1.0, (4100,))]),
    "budget": (POINT, {"amount": ogr.OFTInteger}, [(1, 1.0, 1.0, (7,))]),
    "owners": (TABLE, {"login": ogr.OFTString}, [(1, None, None, ("anna",))]),
}


def project_with(folder: Path, rules: str) -> Path:
    """Write a project with every layer, style and layout that the examples speak of."""
    folder.mkdir()
    write_geopackage(folder / "data.gpkg", TABLES)
    project = QgsProject()
    for table in TABLES:
        layer = vector_layer(folder, table)
        if table == "parcels":
            layer.styleManager().addStyleFromLayer("owners")
        project.addMapLayer(layer)
    for name in ("Official A4", "Draft"):
        layout = QgsPrintLayout(project)
        layout.initializeDefaults()
        layout.setName(name)
        project.layoutManager().addLayout(layout)
    publish(project)
    roles = (DOCS / "examples" / "04-roles.json").read_text("utf-8")
    variables = {"access_rules": rules, "access_roles": roles}
    return save(project, folder / "project.qgs", variables)


def test_every_example_of_the_page_is_a_file_and_every_file_an_example() -> None:
    assert [path.read_text("utf-8") for path in FILES] == BLOCKS


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_names_only_what_exists(
    run: Run, tmp_path: Path, path: Path
) -> None:
    result = run("check", project_with(tmp_path / "p", path.read_text("utf-8")))
    assert result.code == 0
    for words in ("no such", "no layer of", "error", "can never match", "swallowed"):
        assert words not in result.out


#: example → (caller, layer, request) → what the page says of it.
PROMISES: list[tuple[str, list[str], str, dict[str, Any]]] = [
    ("01-everybody-reads", [], "salaries", {"read": True, "rows": None, "insert": False}),
    ("02-one-role", [], "salaries", {"read": False}),
    ("02-one-role", ["--user", "u", "--role", "hr"], "salaries", {"read": True}),
    ("02-one-role", [], "parcels", {"read": True}),
    ("03-deny-one-layer", ["--user", "u", "--role", "hr"], "salaries", {"read": True}),
    ("03-deny-one-layer", ["--user", "u", "--role", "other"], "salaries", {"read": False}),
    ("05-rows", [], "parcels", {"rows": "(\"status\" = 'public')"}),
    (
        "05-rows",
        ["--user", "anna"],
        "parcels",
        {"rows": "((\"status\" = 'public') OR (\"owner\" = 'anna'))"},
    ),
    ("06-deny-rows", [], "parcels", {"rows": "NOT (\"status\" = 'draft')"}),
    ("07-attributes", [], "parcels", {"hidden": ["owner_name"]}),
    ("08-edits", ["--user", "u"], "parcels", {"read": False, "update": False}),
    (
        "08-edits",
        ["--user", "anna"],
        "parcels",
        {"rows": "(\"status\" = 'draft')", "update": True, "delete": False},
    ),
    ("09-lookup", [], "owners", {"read": False, "lookup": True}),
    ("10-services", [], "budget", {"read": False}),
    ("10-services", ["--address", "10.1.2.3"], "budget", {"read": True}),
    ("10-services", ["--service", "WFS"], "parcels", {"read": False}),
    ("10-services", ["--service", "OAPIF"], "parcels", {"read": False}),
    ("10-services", ["--service", "WMS"], "parcels", {"read": True, "styles": ["default"]}),
    (
        "10-services",
        ["--user", "u", "--role", "editor"],
        "parcels",
        {"read": True, "styles": ["default", "owners"]},
    ),
]


@pytest.mark.parametrize(("example", "caller", "layer", "promise"), PROMISES)
def test_an_example_does_what_its_text_says(
    run: Run,
    tmp_path: Path,
    example: str,
    caller: list[str],
    layer: str,
    promise: dict[str, Any],
) -> None:
    rules = (DOCS / "examples" / f"{example}.json").read_text("utf-8")
    project = project_with(tmp_path / "p", rules)
    body = run("explain", project, *caller, "--layer", layer, "--json").json
    decision = body["layers"][0]["decision"]
    for edit in ("insert", "update", "delete"):
        decision[edit] = decision[edit]["allowed"]
    assert {key: decision[key] for key in promise} == promise


def test_the_example_of_layouts_closes_the_official_ones(run: Run, tmp_path: Path) -> None:
    rules = (DOCS / "examples" / "10-services.json").read_text("utf-8")
    project = project_with(tmp_path / "p", rules)
    assert run("explain", project, "--json").json["templates"] == ["Draft"]
    editor = run("explain", project, "--user", "u", "--role", "editor", "--json").json
    assert editor["templates"] == ["Official A4", "Draft"]


def test_what_an_edit_of_the_example_may_write_is_not_its_key(run: Run, tmp_path: Path) -> None:
    rules = (DOCS / "examples" / "08-edits.json").read_text("utf-8")
    project = project_with(tmp_path / "p", rules)
    body = run("explain", project, "--user", "anna", "--layer", "parcels", "--json").json
    update = body["layers"][0]["decision"]["update"]
    (check,) = update["checks"]
    assert check.replace(" ", "") == "\"status\"IN('draft','submitted')"
    assert not {"parcel_id", "$geometry"} & set(update["writable"])
    assert "owner" in update["writable"]


def test_the_assertions_of_the_page_hold_for_its_rules_and_not_without_them(
    run: Run, tmp_path: Path
) -> None:
    assertions = DOCS / "examples" / "11-tests.json"
    rules = (DOCS / "examples" / "03-deny-one-layer.json").read_text("utf-8")
    project = project_with(tmp_path / "t", rules)
    assert run("set", project, "--tests", assertions).code == 0
    held = run("test", project)
    assert (held.code, "3 passed, 0 failed" in held.out) == (0, True), held.out
    assert run("set", project, "--rules", DOCS / "examples" / "01-everybody-reads.json").code == 0
    failed = run("test", project)
    assert (failed.code, "1 passed, 2 failed" in failed.out) == (1, True), failed.out
