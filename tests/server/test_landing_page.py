"""The landing page lists projects whole, so it is closed where one of them has something closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from access_filter_plugin.access_control import qgis_landing_page
from tests.support.projects import policy_project
from tests.support.server import Server

PATHS = ["/", "/index.json", "/map/0123456789abcdef0123456789abcdef"]


@pytest.mark.parametrize("path", PATHS)
def test_a_project_with_something_closed_has_no_landing_page(
    server: Server, tmp_path: Path, path: str
) -> None:
    rules = [{"layers": "parcels"}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    answer = server.run(f"http://localhost{path}?MAP={client.project}", cgi=client.cgi)
    assert answer.status == 404
    assert "parcels" not in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_list_that_holds_such_a_project_is_closed_without_any_project(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    policy_project(tmp_path / "p", access_rules=[{"layers": "parcels"}])
    monkeypatch.setattr(qgis_landing_page, "_LISTED", (str(tmp_path), ""))
    assert server.run(f"http://localhost{path}").status == 404


def test_a_list_in_a_database_is_closed_since_nobody_can_look_into_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qgis_landing_page, "_LISTED", ("", "postgresql://"))
    assert server.run("http://localhost/index.json").status == 404


def test_a_list_of_open_projects_stays(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_project(tmp_path / "p")
    monkeypatch.setattr(qgis_landing_page, "_LISTED", (str(tmp_path), ""))
    assert server.run("http://localhost/index.json").status != 404
