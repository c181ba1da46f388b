"""Permissions that QGIS finds by itself: those of the request at hand, and of no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProject
from qgis.PyQt import sip
from qgis.server import QgsConfigCache, QgsServerSettings

from access_filter_plugin.qgis_stand_in import KnownPermissions, denied_permissions
from tests.support.projects import policy_project
from tests.support.server import Server

RULES = [
    {"layers": "parcels", "roles": "viewer"},
    {"layers": ["parcels", "salaries"], "roles": "admin"},
]
REQUESTS = (
    {"SERVICE": "WFS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMS", "REQUEST": "GetContext"},
    {"SERVICE": "WMS", "REQUEST": "GetProjectSettings"},
)


@pytest.fixture
def asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the layers that QGIS asked the target for."""
    names: list[str] = []
    target = server.plugin.wall.target
    found = target.layer_permissions

    def noted(layer: Any) -> Any:
        names.append(layer.name())
        return found(layer)

    monkeypatch.setattr(target, "layer_permissions", noted)
    return names


@pytest.mark.parametrize("rules", [None, RULES], ids=["open", "rules"])
def test_a_list_of_collections_asks_nothing_but_what_is_known(
    server: Server, tmp_path: Path, asked: list[str], rules: Any
) -> None:
    variables = {} if rules is None else {"access_rules": rules}
    client = server.client(policy_project(tmp_path, **variables), "eve", "admin")
    assert client.api("/collections").status == 200
    assert asked == []


def test_a_layer_that_is_not_known_is_asked_for(
    server: Server, tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = server.plugin.access_control
    known = hooks.know
    monkeypatch.setattr(
        hooks, "know", lambda found: known(KnownPermissions({}, hooks.ask_permissions))
    )
    project = policy_project(tmp_path, access_rules=RULES)
    body = server.client(project, "bob", "viewer").api("/collections/parcels").text
    assert set(asked) >= {"parcels", "salaries"}
    assert "salaries" not in body


def told_by(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list to which each request will add the layers that it tells are open."""
    hooks, told = server.plugin.access_control, []
    know = hooks.know

    def noted(found: KnownPermissions) -> None:
        told.append(sorted(layer.name() for layer, one in found.items() if one.canRead))
        know(found)

    monkeypatch.setattr(hooks, "know", noted)
    return told


@pytest.mark.parametrize("parameters", REQUESTS, ids=str)
def test_each_caller_has_his_own_whoever_came_before(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str]
) -> None:
    """Looked at before QGIS: the other walls would keep a mistake from the answer."""
    project = policy_project(tmp_path, access_rules=RULES)
    told = told_by(server, monkeypatch)
    for role in ("admin", "viewer", "admin", "nobody"):
        server.client(project, f"eve as {role}", role).get(**parameters)
    both = ["parcels", "salaries"]
    assert told == [both, ["parcels"], []]  # the second admin is answered from the cache


def test_a_list_that_has_to_name_everything_opens_nothing_to_the_next_request(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 3.22 the list of collections is made of all layers, and then redacted."""
    client = server.client(policy_project(tmp_path, access_rules=RULES), "bob", "viewer")
    told = told_by(server, monkeypatch)
    client.api("/collections")
    client.api("/collections/parcels/items")
    assert told[1] == ["parcels"]


def test_nothing_is_known_between_requests(server: Server, tmp_path: Path) -> None:
    hooks = server.plugin.access_control
    project = policy_project(tmp_path)
    assert server.client(project).api("/collections").status == 200
    layer = next(iter(_loaded(project).mapLayers().values()))
    assert "layerPermissions" not in vars(hooks)
    assert not server.plugin.wall.target._access_control._by_layer
    assert hooks.layerPermissions(layer).canRead  # asked the long way: no rules there


def test_a_request_that_fails_leaves_nothing_known(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature = server.plugin.wall.target._access_control
    tell = feature._tell

    def told_and_failed(*arguments: Any) -> None:
        tell(*arguments)
        raise RuntimeError("a failure of the test")

    monkeypatch.setattr(feature, "_tell", told_and_failed)
    client = server.client(policy_project(tmp_path), "eve", "admin")
    assert client.api("/collections").status == 503
    assert "layerPermissions" not in vars(server.plugin.access_control)
    assert not feature._by_layer


def test_answers_are_found_by_the_layers_of_the_project_that_is_served(
    server: Server, tmp_path: Path
) -> None:
    feature = server.plugin.wall.target._access_control
    path = policy_project(tmp_path, access_rules=RULES)
    client = server.client(path, "bob", "viewer")
    assert client.api("/collections/parcels/items").status == 200
    before = list(_loaded(path).mapLayers().values())
    found: list[Any] = []
    tell = feature._tell
    feature._tell = lambda *given: (tell(*given), found.append(dict(feature._by_layer)))
    try:
        client.api("/collections/parcels/items")
    finally:
        del feature._tell
    assert set(found[0]) == set(before)


def test_what_is_no_permission_is_never_known(server: Server) -> None:
    with pytest.raises(TypeError, match="permissions"):
        KnownPermissions({object(): None}, lambda _layer: denied_permissions())


def test_pyqt_lets_go_of_the_wrapper_of_a_layer_that_is_deleted(tmp_path: Path) -> None:
    """So an equal wrapper is the same layer, whatever comes to lie at its address."""
    path = policy_project(tmp_path)
    project = _loaded(path)
    kept = list(project.mapLayers().values())
    assert kept
    assert not any(sip.isdeleted(layer) for layer in kept)
    QgsConfigCache.instance().removeEntry(str(path))
    assert sip.isdeleted(project)
    assert all(sip.isdeleted(layer) for layer in kept)
    for _ in range(3):
        again = _loaded(path).mapLayers().values()
        assert not any(layer is old for layer in again for old in kept)
        QgsConfigCache.instance().removeEntry(str(path))


def _loaded(path: Path) -> QgsProject:
    settings = QgsServerSettings()
    settings.load()
    return QgsConfigCache.instance().project(str(path), settings)
