"""The caller in expressions: during the request, in everything that draws, and never after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsExpressionContextUtils, QgsProject, QgsRuleBasedRenderer, QgsSymbol
from qgis.server import QgsConfigCache

from tests.server.policy_server import draws
from tests.support.projects import (
    policy_project,
    publish,
    save,
    vector_layer,
    write_geopackage,
)
from tests.support.server import Server

NAMES = ("access_user", "access_roles", "access_is_anonymous")
MAP = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "LAYERS": "parcels",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,5,5",
    "WIDTH": 60,
    "HEIGHT": 60,
    "FORMAT": "image/png",
}


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Return a project that draws parcels for editors, and their own for others."""
    write_geopackage(tmp_path / "data.gpkg")
    project = QgsProject()
    layer = vector_layer(tmp_path, "parcels")
    symbol = QgsSymbol.defaultSymbol(layer.geometryType())
    symbol.setSize(6)
    root = QgsRuleBasedRenderer.Rule(None)
    for text in ("array_contains(@access_roles, 'editor')", '"owner" = @access_user'):
        root.appendChild(QgsRuleBasedRenderer.Rule(symbol.clone(), filterExp=text))
    layer.setRenderer(QgsRuleBasedRenderer(root))
    project.addMapLayer(layer)
    publish(project)
    return save(project, tmp_path / "project.qgs", {"access_rules": {"layers": "*"}})


def picture(server: Server, project: Path, user: Any = None, roles: str = "") -> bytes:
    answer = server.client(project, user, roles).get(**MAP)
    assert answer.status == 200, answer.text
    return answer.body


def test_a_style_draws_what_the_caller_may_see_of_it(server: Server, drawn: Path) -> None:
    empty = picture(server, drawn)
    alice = picture(server, drawn, "alice", "viewer")
    bob = picture(server, drawn, "bob", "viewer")
    editor = picture(server, drawn, "root", "editor")
    assert len({empty, alice, bob, editor}) == 4
    assert picture(server, drawn) == empty
    assert picture(server, drawn, "alice", "viewer") == alice


def left_over(path: Path) -> dict[str, Any]:
    project = QgsConfigCache.instance().project(str(path))
    found = QgsExpressionContextUtils.projectScope(project)
    return {name: found.variable(name) for name in NAMES if found.hasVariable(name)}


@pytest.mark.parametrize(
    "asked",
    [
        MAP,
        {**MAP, "LAYERS": "nothing"},
        {**MAP, "FORMAT": "nothing"},
        {**MAP, "BBOX": "nonsense"},
        {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": "parcels"},
        {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": "nothing"},
        {"SERVICE": "NOTHING"},
    ],
)
def test_nothing_of_the_caller_is_left_after_any_answer(
    server: Server, drawn: Path, asked: dict[str, Any]
) -> None:
    server.client(drawn, "alice", "editor").get(**asked)
    assert left_over(drawn) == {}
    assert not QgsConfigCache.instance().project(str(drawn)).isDirty()


def test_a_projects_own_variable_of_that_name_is_covered_and_put_back(
    server: Server, tmp_path: Path
) -> None:
    path = policy_project(tmp_path, access_rules={"layers": "*"}, my_variable="mine")
    assert draws(server.client(path, "alice"), "parcels")
    project = QgsConfigCache.instance().project(str(path))
    assert project.customVariables()["my_variable"] == "mine"
    assert not set(NAMES) & set(project.customVariables())


def test_a_filter_of_the_client_cannot_ask_who_it_is(server: Server, drawn: Path) -> None:
    for user, roles in (("alice", "editor"), (None, "")):
        answer = server.client(drawn, user, roles).get(
            SERVICE="WFS",
            VERSION="1.1.0",
            REQUEST="GetFeature",
            TYPENAME="parcels",
            OUTPUTFORMAT="application/json",
            EXP_FILTER="env('REMOTE_USER') = 'alice'",
        )
        assert answer.status != 200 or not answer.json.get("features")
