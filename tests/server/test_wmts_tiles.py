"""WMTS for restricted callers on the real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server.test_guards import TILE
from tests.server.test_wms_admission import RULES, get, is_picture
from tests.support.server import Client, Server
from tests.support.wms_projects import wms_project

INFO = {**TILE, "REQUEST": "GetFeatureInfo", "INFOFORMAT": "text/xml", "I": 129, "J": 127}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project with rules that restrict everybody."""
    return wms_project(tmp_path_factory.mktemp("wmts"), access_rules=RULES)


@pytest.fixture
def client(server: Server, project: Path) -> Client:
    """Return an anonymous client."""
    return server.client(project)


def capabilities(client: Client) -> str:
    answer = client.get(SERVICE="WMTS", REQUEST="GetCapabilities")
    assert answer.status == 200
    return answer.text


@pytest.mark.parametrize("layer", ["parcels", "mixed", "Town", "ortho"])
def test_tiles_of_layers_and_groups_still_work(client: Client, layer: str) -> None:
    assert is_picture(get(client, TILE, LAYER=layer))


@pytest.mark.parametrize("layer", ["salaries", "secrets"])
def test_a_closed_name_answers_like_one_that_does_not_exist(client: Client, layer: str) -> None:
    closed, unknown = get(client, TILE, LAYER=layer), get(client, TILE, LAYER="x" * len(layer))
    assert closed.status == unknown.status == 400
    assert closed.text.replace(layer, "x" * len(layer)) == unknown.text


def test_a_tile_of_a_group_holds_its_permitted_members_only(client: Client, server: Server) -> None:
    group = get(client, TILE, LAYER="mixed")
    assert group.body == get(client, TILE).body
    with server.unguarded():
        assert get(client, TILE, LAYER="mixed").body != group.body


def test_a_group_that_was_cut_for_one_request_is_whole_for_the_next(
    server: Server, client: Client
) -> None:
    with server.unguarded():
        before = get(client, TILE, LAYER="mixed").body
    get(client, TILE, LAYER="mixed")
    with server.unguarded():
        assert get(client, TILE, LAYER="mixed").body == before


def test_the_list_of_tiles_names_nothing_that_is_closed(server: Server, client: Client) -> None:
    with server.unguarded():
        assert "secrets" in capabilities(client)
    text = capabilities(client)
    names = set(re.findall(r"<Layer>\s*<ows:Identifier>(.*?)</ows:Identifier>", text))
    assert names == {"Town", "mixed", "parcels", "reports", "owners", "ortho"}
    for closed in ("salaries", "secrets"):
        assert closed not in text


def test_the_extent_of_a_group_is_that_of_its_open_members(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["salaries", "ortho"]}]
    client = server.client(wms_project(tmp_path, access_rules=rules))
    group = capabilities(client).split("<ows:Identifier>mixed<")[1].split("</Layer>")[0]
    assert "1.500000 1.500000" in group
    assert "4" not in re.findall(r"UpperCorner>(.*?)<", group)[0].replace("EPSG", "")


@pytest.mark.parametrize("format_", ["text/xml", "text/plain", "text/html"])
def test_feature_info_of_tiles_leaves_out_hidden_attributes(
    server: Server, client: Client, format_: str
) -> None:
    with server.unguarded():
        assert "owner_name" in get(client, INFO, INFOFORMAT=format_).text
    answer = get(client, INFO, INFOFORMAT=format_)
    assert answer.status == 200
    assert "parcels" in answer.text
    assert "owner_name" not in answer.text


def test_tiles_are_drawn_in_the_open_style(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "styles": ["blue"]}]
    client = server.client(wms_project(tmp_path, access_rules=rules))
    tile = get(client, TILE)
    assert is_picture(tile)
    with server.unguarded():
        assert get(client, TILE).body != tile.body


def test_an_unrestricted_caller_gets_the_same_tiles(server: Server, tmp_path: Path) -> None:
    client = server.client(wms_project(tmp_path, access_rules=[{"layers": "*"}]))
    mine = [get(client, TILE, LAYER=name).body for name in ("parcels", "mixed", "Town")]
    listed = sorted(capabilities(client))
    with server.unguarded():
        assert [get(client, TILE, LAYER=n).body for n in ("parcels", "mixed", "Town")] == mine
        assert sorted(capabilities(client)) == listed
