"""The guards that hold for everybody, in projects without any rule, on the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.test_wms_admission import LEGEND, MAP, PRINT, get, is_picture, pixels
from tests.support.server import Client, Server
from tests.support.wfs import NAMESPACES, names, query
from tests.support.wms_projects import wms_project

INFO = {
    **MAP,
    "REQUEST": "GetFeatureInfo",
    "QUERY_LAYERS": "parcels",
    "I": 1,
    "J": 1,
    "INFO_FORMAT": "text/xml",
}
TILE: dict[str, Any] = {
    "SERVICE": "WMTS",
    "REQUEST": "GetTile",
    "VERSION": "1.0.0",
    "LAYER": "parcels",
    "STYLE": "default",
    "FORMAT": "image/png",
    "TILEMATRIXSET": "EPSG:3857",
    "TILEMATRIX": 0,
    "TILEROW": 0,
    "TILECOL": 0,
}
FEATURES = {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "parcels"}
FUNCTION = (
    '<Filter><PropertyIsEqualTo><Function name="{name}"><Literal>HOME</Literal></Function>'
    "<Literal>x</Literal></PropertyIsEqualTo></Filter>"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project without access rules."""
    return wms_project(tmp_path_factory.mktemp("open"))


@pytest.fixture
def client(server: Server, project: Path) -> Client:
    """Return an anonymous client."""
    return server.client(project)


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (PRINT, {"heading": "[% 1 + 1 %]"}),
        (PRINT, {"heading": "%5B%25 1 %25%5D"}),
        (PRINT, {"heading": "%255B%2525 1 %2525%255D"}),
        (PRINT, {"heading": "<img src='file:///etc/x.svg'>"}),
        (MAP, {"FILTER": FUNCTION.format(name="env")}),
        (MAP, {"FILTER": FUNCTION.format(name="&#101;nv")}),
        (INFO, {"FILTER": FUNCTION.format(name="load_layer")}),
        (MAP, {"SLD_BODY": f"<StyledLayerDescriptor>{FUNCTION.format(name='env')}</a>"}),
        (MAP, {"LAYERS": "EXTERNAL_WMS:ext", "ext:url": "http://127.0.0.1:9/"}),
        (MAP, {"LAYERS": "parcels,EXTERNAL_WMS:ext", "EXT:URL": "file:///etc"}),
        (MAP, {"LAYERS": None, "LAYER": "EXTERNAL_WMS:ext", "ext:url": "http://127.0.0.1:9/"}),
        (PRINT, {"map0:LAYERS": "EXTERNAL_WMS:ext", "ext:url": "http://127.0.0.1:9/"}),
        (FEATURES, {"EXP_FILTER": "env('HOME') = 'x'"}),
        (FEATURES, {"EXP_FILTER": "@project_path = 'x'"}),
        (FEATURES, {"EXP_FILTER": "file_exists('/etc/passwd')"}),
        (FEATURES, {"EXP_FILTER": "Env ( 'HOME' ) = 'x'"}),
        (FEATURES, {"SORTBY": "eval('1')"}),
        (TILE, {"FORMAT": "image/png&REQUEST=GetPrint&TEMPLATE=simple"}),
        (TILE, {"FORMAT": "image/png%26LAYERS=salaries"}),
        (TILE, {"LAYER": "parcels#"}),
        (MAP, {"::FILTER": FUNCTION.format(name="env")}),
        (MAP, {"FILTER\0x": FUNCTION.format(name="env")}),
        (MAP, {"LAYERS": None, "::LAYERS": "EXTERNAL_WMS:ext", "ext:url": "http://127.0.0.1:9/"}),
        (FEATURES, {"::EXP_FILTER": "env('HOME') = 'x'"}),
        (FEATURES, {"EXP_FILTER\0": "env('HOME') = 'x'"}),
    ],
)
def test_what_endangers_others_is_refused(
    client: Client, base: dict[str, Any], changes: dict[str, Any]
) -> None:
    answer = get(client, base, **changes)
    assert answer.status in {400, 403}
    assert "ServiceException" in answer.text


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (PRINT, {"heading": "100 % [of all]"}),
        (MAP, {"A::B": "x"}),
        (MAP, {"FILTER": "parcels:\"name\" = 'env'"}),
        (MAP, {"FILTER": FUNCTION.format(name="lower")}),
        (FEATURES, {"EXP_FILTER": "\"name\" = 'env(x) a@b.c'"}),
        (FEATURES, {"EXP_FILTER": 'length("name") > 2'}),
        (TILE, {}),
    ],
)
def test_what_is_harmless_passes(
    client: Client, base: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert get(client, base, **changes).status == 200


@pytest.mark.parametrize(
    ("rows", "is_refused"),
    [
        ("0 OR env('HOME') = 'x'", True),
        ("0 ) OR ( length(env('HOME')) > 1", True),
        ("0 OR @project_path LIKE '/%'", True),
        ("a@b.c", False),  # a key
        ("0,1", False),
    ],
)
def test_no_row_of_an_atlas_reads_the_server(client: Client, rows: str, is_refused: bool) -> None:
    """QGIS puts ATLAS_PK into an expression as it is, where the rows have no primary key."""
    answer = get(client, PRINT, ATLAS_PK=rows)
    assert answer.status == 400  # which this layout without an atlas is anyway
    assert ("not for clients" in answer.text) == is_refused


def test_tiles_become_no_other_request(server: Server, client: Client) -> None:
    smuggled = {"FORMAT": "image/png&LAYERS=salaries"}
    with server.unguarded():
        assert get(client, TILE, **smuggled).body != get(client, TILE).body
    assert get(client, TILE, **smuggled).status == 400


def test_a_legend_leaves_no_style_behind(server: Server, client: Client) -> None:
    content = {"BBOX": "0,0,5,5", "CRS": "EPSG:4326", "WIDTH": 50, "HEIGHT": 50}
    before = get(client, MAP).body
    assert get(client, LEGEND, STYLE="blue", **content).status == 400
    assert get(client, LEGEND, STYLE="default", **content).status == 200
    assert get(client, LEGEND, **content).status == 200
    assert get(client, LEGEND, STYLE="blue").status == 200
    assert get(client, MAP).body == before


@pytest.mark.parametrize("name", ["GetLegendGraphic\u017f", "Get\u0301Map"])
def test_a_request_by_a_name_that_only_qgis_reads_is_judged_as_what_it_is(
    server: Server, tmp_path: Path, name: str
) -> None:
    """QGIS folds case in ways of its own: a long s is an s to it."""
    client = server.client(wms_project(tmp_path))
    before = get(client, MAP).body
    content = {"BBOX": "0,0,5,5", "CRS": "EPSG:4326", "WIDTH": 50, "HEIGHT": 50}
    assert get(client, LEGEND, REQUEST=name, STYLE="blue", **content).status in {400, 501}
    assert get(client, MAP).body == before


def test_a_legend_by_content_in_another_style_would_change_the_next_map(
    server: Server, tmp_path: Path
) -> None:
    client = server.client(wms_project(tmp_path))
    before = get(client, MAP).body
    content = {"BBOX": "0,0,5,5", "CRS": "EPSG:4326", "WIDTH": 50, "HEIGHT": 50}
    with server.unguarded():
        get(client, LEGEND, STYLE="blue", **content)
        assert get(client, MAP).body != before


def test_an_open_project_gives_the_same_bytes(server: Server, client: Client) -> None:
    for base in (MAP, PRINT, LEGEND, TILE):
        mine = get(client, base)
        with server.unguarded():
            stock = get(client, base)
        assert mine.status == stock.status
        assert pixels(mine) == pixels(stock)
    assert is_picture(get(client, MAP))


CANARY = "ACCESS_CANARY_OF_TESTS"


def _body(function: str, before: str = "") -> str:
    """Return a GetFeature that asks whether the environment has a value."""
    return (
        f'{before}<wfs:GetFeature service="WFS" version="1.1.0" outputFormat="GeoJSON" {NAMESPACES}>'
        '<wfs:Query typeName="parcels"><ogc:Filter><ogc:PropertyIsEqualTo>'
        f'<ogc:Function name="{function}"><ogc:Literal>{CANARY}</ogc:Literal></ogc:Function>'
        "<ogc:Literal>sung</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter></wfs:Query>"
        "</wfs:GetFeature>"
    )


ENTITY = '<!DOCTYPE x [<!ENTITY e "env">]>'
BODIES = {
    "plain": _body("env"),
    "after many blanks": " " * 5000 + _body("env"),
    "by an entity": _body("&e;", ENTITY),
    "in UTF-7": _body("+AGU-nv", '<?xml version="1.0" encoding="UTF-7"?>'),
    "by sorting": query(
        "parcels",
        "<ogc:SortBy><ogc:SortProperty><ogc:PropertyName>CASE WHEN "
        f"env('{CANARY}') = 'sung' THEN fid ELSE -fid END</ogc:PropertyName>"
        "</ogc:SortProperty></ogc:SortBy>",
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_no_body_reads_the_environment_for_anybody(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def asked() -> Any:
        answer = client.post(BODIES[kind], SERVICE="WFS", REQUEST="GetFeature")
        return [feature["id"] for feature in answer.json["features"]]

    with server.unguarded():
        monkeypatch.setenv(CANARY, "sung")
        before = asked()
        monkeypatch.setenv(CANARY, "silent")
        assert asked() != before or "UTF-7" in kind  # which Qt 6 does not read
    answer = client.post(BODIES[kind], SERVICE="WFS", REQUEST="GetFeature")
    assert (answer.status, "not for clients" in answer.text) == (400, True)


def test_no_entity_in_a_parameter_reads_the_environment_for_anybody(client: Client) -> None:
    text = ENTITY + FUNCTION.format(name="&e;")
    for asked in ({**FEATURES, "FILTER": text}, {**MAP, "SLD_BODY": text}):
        assert client.get(**asked).status == 400
    for name in ("env", "abs"):
        asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "REQUEST_BODY": _body(name)}
        refused = "REQUEST_BODY: it reads" in client.get(**asked, TYPENAME="parcels").text
        assert refused == (name == "env")


def test_bodies_with_functions_and_sorting_pass_otherwise(client: Client) -> None:
    sort = "<ogc:SortBy><ogc:SortProperty><ogc:PropertyName>name</ogc:PropertyName>"
    sort += "<ogc:SortOrder>DESC</ogc:SortOrder></ogc:SortProperty></ogc:SortBy>"
    sorted_by = client.post(query("parcels", sort), SERVICE="WFS", REQUEST="GetFeature")
    assert names(sorted_by) == ["two", "three", "one", "four"]
    function = _body("lower").replace(CANARY, "SUNG")
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>' + function
    for body in (function, latin):
        answer = client.post(body, SERVICE="WFS", REQUEST="GetFeature")
        assert len(names(answer)) == 4
