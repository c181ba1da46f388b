"""The zip works in a plugin folder of its own, with no checkout in sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.cgi import Answer, ask

VISITOR: dict[str, str] = {}
STAFF = {"REMOTE_USER": "anna", "REMOTE_ROLES": "staff"}


class Server:
    """The server with the unpacked zip as its only plugin."""

    def __init__(self, folder: Path, scratch: Path, project: Path) -> None:
        self.folder = folder
        self.scratch = scratch
        self.project = project

    def features(self, user: dict[str, str], layer: str) -> Answer:
        return ask(
            self.folder,
            self.scratch,
            user,
            MAP=str(self.project),
            SERVICE="WFS",
            VERSION="1.1.0",
            REQUEST="GetFeature",
            TYPENAME=layer,
        )


@pytest.fixture
def server(plugin_folder: Path, project: Path, tmp_path: Path) -> Server:
    return Server(plugin_folder, tmp_path, project)


def health(folder: Path, scratch: Path) -> Answer:
    return ask(folder, scratch, VISITOR, SERVICE="ACCESS", REQUEST="Health")


def test_health_is_good_with_the_unpacked_zip(plugin_folder: Path, tmp_path: Path) -> None:
    answer = health(plugin_folder, tmp_path)
    assert answer.status == 200, answer


def test_health_is_not_good_without_the_plugin(tmp_path: Path) -> None:
    empty = tmp_path / "plugins"
    empty.mkdir()
    assert health(empty, tmp_path).status != 200


def test_a_visitor_gets_the_layer_for_everybody(server: Server) -> None:
    answer = server.features(VISITOR, "parks")
    assert (answer.status, "PARKS IN THE NORTH" in answer.body) == (200, True), answer


def test_a_visitor_is_denied_the_layer_for_staff(server: Server) -> None:
    answer = server.features(VISITOR, "depots")
    assert (answer.status != 200, "DEPOTS IN THE NORTH" in answer.body) == (True, False), answer


def test_staff_gets_the_layer_for_staff(server: Server) -> None:
    answer = server.features(STAFF, "depots")
    assert (answer.status, "DEPOTS IN THE NORTH" in answer.body) == (200, True), answer


def test_without_the_plugin_the_visitor_would_get_it(server: Server, tmp_path: Path) -> None:
    server.folder = tmp_path / "empty"
    answer = server.features(VISITOR, "depots")
    assert "DEPOTS IN THE NORTH" in answer.body, answer
