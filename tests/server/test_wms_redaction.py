"""What WMS answers tell a restricted caller, on the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Client, Server
from tests.support.wms_projects import wms_project

INFO: dict[str, Any] = {
    "SERVICE": "WMS",
    "REQUEST": "GetFeatureInfo",
    "VERSION": "1.3.0",
    "LAYERS": "parcels",
    "QUERY_LAYERS": "parcels",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,10,10",
    "WIDTH": 100,
    "HEIGHT": 100,
    "I": 10,
    "J": 89,
    "FI_POINT_TOLERANCE": 8,
    "FEATURE_COUNT": 5,
    "WITH_MAPTIP": "true",
}
FORMATS = [
    "text/xml",
    "text/plain",
    "text/html",
    "application/json",
    "application/geo+json",
    "application/vnd.ogc.gml",
]
RULES = [
    {
        "layers": ["parcels"],
        "filter": "public = 1",
        "attributes": ["*", "!owner_name", "!owner", "!fid"],
        "styles": ["default", "blue"],
    },
    {"layers": ["reports", "ortho"]},
    {"layers": ["owners"], "requests": ["GetMap"]},
    {"effect": "deny", "layers": "parcels", "styles": ["blue"]},
    {"effect": "deny", "layers": [], "templates": ["Official*"]},
]


@pytest.fixture(scope="module", params=["plain", "form"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project, once with GetFeatureInfo as forms show it."""
    path = wms_project(tmp_path_factory.mktemp("wms"), access_rules=RULES)
    if request.param == "form":
        text = path.read_text(encoding="utf-8")
        key = '<WMSFeatureInfoUseAttributeFormSettings type="bool">'
        entry = f"{key}true</WMSFeatureInfoUseAttributeFormSettings>"
        path.write_text(text.replace("<WMSAddWktGeometry", f"{entry}<WMSAddWktGeometry", 1))
    return path


@pytest.fixture
def client(server: Server, project: Path) -> Client:
    """Return an anonymous client."""
    return server.client(project)


def listing(client: Client, request: str, version: str = "1.3.0") -> str:
    answer = client.get(SERVICE="WMS", REQUEST=request, VERSION=version)
    assert answer.status == 200
    return answer.text


@pytest.mark.parametrize("format_", FORMATS)
def test_hidden_attributes_are_in_no_format(server: Server, client: Client, format_: str) -> None:
    with server.unguarded():
        stock = client.get(**{**INFO, "INFO_FORMAT": format_}).text
    assert "Alice A." in stock
    answer = client.get(**{**INFO, "INFO_FORMAT": format_})
    assert answer.status == 200
    assert "one" in answer.text
    for closed in ("Alice A.", "owner_name", "alice"):
        assert closed not in answer.text


def test_json_has_exactly_the_visible_properties(client: Client) -> None:
    feature = client.get(**{**INFO, "INFO_FORMAT": "application/json"}).json["features"][0]
    assert feature["id"] == "parcels.1"
    # The alias of status is the name of a hidden field, so it cannot be told apart and goes too.
    assert {"name", "zone"} <= set(feature["properties"]) <= {"name", "zone", "public"}


def test_rows_outside_the_rule_are_not_found(client: Client) -> None:
    changes = {"I": 20, "J": 79, "FI_POINT_TOLERANCE": 3, "INFO_FORMAT": "application/json"}
    assert client.get(**{**INFO, **changes}).json["features"] == []


@pytest.mark.parametrize("names", ["mixed", "Town"])
def test_a_group_is_asked_for_its_permitted_members(client: Client, names: str) -> None:
    changes = {"LAYERS": names, "QUERY_LAYERS": names, "INFO_FORMAT": "application/json"}
    ids = [f["id"] for f in client.get(**{**INFO, **changes}).json["features"]]
    assert "parcels.1" in ids
    assert not any(name.startswith("salaries") for name in ids)


def test_a_map_tip_shows_only_what_is_visible(client: Client) -> None:
    answer = client.get(**{**INFO, "INFO_FORMAT": "text/xml"})
    assert "tip" not in answer.text
    changes = {"LAYERS": "reports", "QUERY_LAYERS": "reports", "I": 12, "J": 87}
    assert "tip first" in client.get(**{**INFO, **changes, "INFO_FORMAT": "text/xml"}).text


@pytest.mark.parametrize(
    ("request_", "version"),
    [
        ("GetCapabilities", "1.1.1"),
        ("GetCapabilities", "1.3.0"),
        ("GetProjectSettings", "1.3.0"),
        ("GetContext", "1.3.0"),
    ],
)
def test_lists_name_nothing_that_is_closed(
    server: Server, client: Client, request_: str, version: str
) -> None:
    with server.unguarded():
        assert "salaries" in listing(client, request_, version)
    text = listing(client, request_, version)
    assert "parcels" in text
    for closed in ("salaries", "secrets", "owner_name", "Official", "locked</", "<Name>blue"):
        assert closed not in text
    assert 'name="locked"' not in text
    assert "themed" not in text


def test_project_settings_list_visible_attributes_and_open_layouts(client: Client) -> None:
    text = listing(client, "GetProjectSettings")
    assert 'name="zone"' in text
    assert 'name="simple"' in text
    assert 'name="locked parcels"' in text
    assert "PrimaryKeyAttribute>fid" not in text.split("<Name>parcels", 1)[1].split("</Layer>")[0]
    order = text.split("<LayerDrawingOrder>")[1].split("</LayerDrawingOrder>")[0]
    assert sorted(order.split(",")) == ["ortho", "parcels", "reports"]


def test_a_layer_that_is_open_to_maps_only_is_not_queryable(client: Client) -> None:
    before, _name, _after = listing(client, "GetCapabilities").partition("<Name>owners</Name>")
    assert 'queryable="0"' in before.rpartition("<Layer")[2]
    asked = {"LAYERS": "owners", "QUERY_LAYERS": "owners", "INFO_FORMAT": "application/json"}
    assert client.get(**{**INFO, **asked}).status == 400


def test_styles_of_a_layer_leave_out_the_closed_ones(server: Server, client: Client) -> None:
    asked = {"SERVICE": "WMS", "REQUEST": "GetStyles", "LAYERS": "parcels"}
    with server.unguarded():
        assert "Alice A." in client.get(**asked).text
    text = client.get(**asked).text
    assert "<se:Name>default</se:Name>" in text
    assert "Alice A." not in text
    assert "blue" not in text


def test_a_subject_that_sees_nothing_gets_valid_and_empty_capabilities(
    server: Server, tmp_path: Path
) -> None:
    client = server.client(wms_project(tmp_path, access_rules=[]))
    text = listing(client, "GetCapabilities")
    assert text.count("<Layer") == 1
    assert "parcels" not in text


@pytest.mark.parametrize("request_", ["GetCapabilities", "GetProjectSettings", "GetContext"])
def test_unrestricted_lists_are_left_as_they_are(
    server: Server, tmp_path: Path, request_: str
) -> None:
    client = server.client(wms_project(tmp_path, access_rules=[{"layers": "*"}]))
    mine = listing(client, request_)
    with server.unguarded():
        stock = listing(client, request_)
    # Qt writes attributes in another order each time, so the characters are compared.
    assert sorted(mine) == sorted(stock)
