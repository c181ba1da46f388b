"""``access_catalog: challenge`` where nothing at all is open: whoever is nobody must log in first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Client, Server

CAPABILITIES = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
ANYTHING: tuple[dict[str, Any], ...] = (
    CAPABILITIES,
    {"SERVICE": "WMS", "REQUEST": "GetMap", "LAYERS": "nothing"},
    {"SERVICE": "WMS", "REQUEST": "Nonsense"},
    {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "nothing"},
    {"SERVICE": "WCS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "NOTHING"},
    {},
)
PATHS = ("/", "/collections", "/collections/nothing", "/api", "/conformance")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy_project(
        tmp_path_factory.mktemp("challenge"),
        access_rules=[{"layers": "*", "users": "anna"}],
        access_catalog="challenge",
    )


def statuses(client: Client) -> set[int]:
    answers = [client.get(**parameters) for parameters in ANYTHING]
    return {a.status for a in answers} | {client.api(path).status for path in PATHS}


def test_every_request_of_nobody_is_asked_to_log_in(server: Server, project: Path) -> None:
    assert statuses(server.client(project)) == {401}
    assert 401 not in statuses(server.client(project, "bob"))


def test_the_plugin_itself_says_who_it_is_all_the_same(server: Server, project: Path) -> None:
    anon = server.client(project)
    asked = ("Health", "GetCapabilities", "GetPermissions")
    told = [anon.get(SERVICE="ACCESS", REQUEST=name).status for name in asked]
    assert told == [200, 200, 401]


def test_a_document_of_somebody_without_rights_is_not_nobodys(
    server: Server, project: Path
) -> None:
    """Both have equal decisions; the cache of documents must not take one for the other."""
    for _ in range(2):
        assert server.client(project, "zoe").get(**CAPABILITIES).status == 200
        assert server.client(project).get(**CAPABILITIES).status == 401


def test_where_something_is_open_the_unknown_stays_unknown(server: Server, tmp_path: Path) -> None:
    project = policy_project(
        tmp_path,
        access_rules=[{"layers": "parcels", "services": "WFS"}],
        access_catalog="challenge",
    )
    anon = server.client(project)
    assert anon.get(SERVICE="WFS", REQUEST="GetFeature", TYPENAME="nothing").status == 400
    assert anon.get(SERVICE="WFS", REQUEST="GetCapabilities").status == 200
    # By WMS every layer is closed, so its capabilities challenge.
    assert anon.get(**CAPABILITIES).status == 401
    assert server.client(project, "zoe").get(SERVICE="WMS", REQUEST="GetCapabilities").status == 200
    assert anon.get(**CAPABILITIES).status == 401
