"""The caller's variables are set for projects that can see them, and for no others."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from qgis.core import (
    QgsExpression,
    QgsExpressionContextUtils,
    QgsExpressionFunction,
    QgsProject,
    QgsVectorLayer,
)
from qgis.server import QgsConfigCache

from tests.support.projects import publish, save, vector_layer, write_geopackage
from tests.support.server import Server

OWN = [{"id": "own", "layers": "*", "filter": '"owner" = @access_user'}]
FEATURES = {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "parcels"}
Prepare = Callable[[QgsProject, QgsVectorLayer], Any]


@pytest.fixture
def seen(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what is set on projects, request by request."""
    found: list[dict[str, Any]] = []
    variables = server.plugin.wall.target._access_control._variables
    set_them = variables.set

    def record(project: Any, values: dict[str, Any]) -> None:
        found.append(dict(values))
        set_them(project, values)

    monkeypatch.setattr(variables, "set", record)
    return found


def made(folder: Path, prepare: Prepare = lambda *_: None, **variables: Any) -> Path:
    """Return a project that is old enough to be the one that QGIS loads."""
    write_geopackage(folder / "data.gpkg")
    project = QgsProject()
    layer = vector_layer(folder, "parcels")
    project.addMapLayer(layer)
    prepare(project, layer)
    publish(project)
    path = save(project, folder / "project.qgs", {"access_rules": OWN, **variables})
    time.sleep(0.12)
    return path


def ask(server: Server, path: Path, user: str = "alice") -> None:
    assert server.client(path, user, "viewer").get(**FEATURES).status == 200


def test_a_project_whose_rules_alone_name_them_is_left_as_it_is(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    path = made(tmp_path)
    ask(server, path)
    assert seen == []
    project = QgsConfigCache.instance().project(str(path))
    scope = QgsExpressionContextUtils.projectScope(project)
    assert not scope.hasVariable("access_user")
    answers = {user: server.client(path, user).get(**FEATURES).text for user in ("alice", "bob")}
    assert answers["alice"] != answers["bob"], "the placeholders of rules are literals"


def map_tip(_project: QgsProject, layer: QgsVectorLayer) -> None:
    layer.setMapTipTemplate("[% @access_user %]")


def style_of_another_name(_project: QgsProject, layer: QgsVectorLayer) -> None:
    styles = layer.styleManager()
    styles.addStyleFromLayer("other")
    styles.setCurrentStyle("other")
    layer.setDisplayExpression("@access_roles")
    styles.setCurrentStyle("default")


def computed_name(_project: QgsProject, layer: QgsVectorLayer) -> None:
    layer.setDisplayExpression("var(concat('access', '_user'))")


def legend_text(project: QgsProject, layer: QgsVectorLayer) -> None:
    node = project.layerTreeRoot().findLayer(layer.id())
    node.setCustomProperty("legend/title-label", "[% @access_is_anonymous %]")


@pytest.mark.parametrize(
    "prepare",
    [map_tip, style_of_another_name, computed_name, legend_text],
    ids=lambda f: f.__name__,
)
def test_a_project_that_can_see_them_gets_them(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]], prepare: Prepare
) -> None:
    ask(server, made(tmp_path, prepare))
    assert [values["access_user"] for values in seen] == ["alice"]


def test_another_variable_of_the_project_may_name_them(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    ask(server, made(tmp_path, greeting="Hello [% @access_user %]"))
    assert len(seen) == 1


def test_a_project_that_may_be_newer_than_the_loaded_one_gets_them(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    path = made(tmp_path)
    later = time.time() + 3600  # whatever the machine does meanwhile, the file seems to be newer
    os.utime(path, (later, later))
    ask(server, path)
    assert len(seen) == 1


def test_a_project_in_an_archive_is_searched_as_well(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    for name, prepare in (("plain", lambda *_: None), ("tip", map_tip)):
        folder = tmp_path / name
        folder.mkdir()
        path = made(folder, prepare)
        with zipfile.ZipFile(path.with_suffix(".qgz"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "project.qgs")
        path.unlink()
        time.sleep(0.12)
        ask(server, path.with_suffix(".qgz"))
        assert len(seen) == (name == "tip")


def test_a_newer_project_is_searched_again(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    path = made(tmp_path)
    ask(server, path)
    assert seen == []
    made(tmp_path, map_tip)
    server.forget(path)
    ask(server, path)
    assert len(seen) == 1


@pytest.fixture
def function_of_another_plugin() -> Iterator[None]:
    class Reader(QgsExpressionFunction):
        def __init__(self) -> None:
            super().__init__("who_is_asking", 0, "x")

        def func(self, values: Any, context: Any, parent: Any, node: Any) -> Any:
            return context.variable("access_user")

    reader = Reader()
    QgsExpression.registerFunction(reader)
    yield
    QgsExpression.unregisterFunction("who_is_asking")


@pytest.mark.usefixtures("function_of_another_plugin")
def test_functions_of_other_plugins_may_ask_for_them(
    server: Server, tmp_path: Path, seen: list[dict[str, Any]]
) -> None:
    ask(server, made(tmp_path))
    assert len(seen) == 1
