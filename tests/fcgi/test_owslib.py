"""OWSLib, the client library of Python, against the real server as two users in both orders.

After every test the log must show that nothing the client sent of itself was refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from lxml import etree
from owslib.fes import PropertyIsEqualTo, PropertyIsLike
from owslib.ogcapi.features import Features
from owslib.util import Authentication, ServiceException
from owslib.wcs import WebCoverageService
from owslib.wfs import WebFeatureService
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService

from tests.support.office import PASSWORD, Office, open_office

BOTH_ORDERS = pytest.mark.parametrize("users", [("bob", "boss"), ("boss", "bob")])
#: What asks for 2.0.0 gets 1.1.0 from QGIS Server, which OWSLib then cannot read.
WFS_VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
LAYERS = {"bob": {"parcels", "notes", "ortho"}}
LAYERS["boss"] = {*LAYERS["bob"], "salaries", "plan"}
VECTORS = {user: layers - {"ortho", "plan"} for user, layers in LAYERS.items()}
PARCELS = {"bob": list(range(1, 22, 2)), "boss": list(range(1, 22))}
COLUMNS = {"bob": {"fid", "name", "zone"}, "boss": {"fid", "name", "zone", "owner"}}
PNG, BOX = b"\x89PNG", (0, 0, 10, 10)


@pytest.fixture(scope="module")
def running(
    serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    office = open_office(serve, tmp_path_factory.mktemp("office"))
    yield office
    office.close()


@pytest.fixture
def office(running: Office) -> Iterator[Office]:
    running.lines()
    yield running
    assert running.refused() == []


def login(user: str) -> dict[str, Any]:
    return {"username": user, "password": PASSWORD}


def fids(features: list[dict[str, Any]]) -> list[int]:
    return sorted(int(str(feature["id"]).rpartition(".")[2]) for feature in features)


@BOTH_ORDERS
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_wms(office: Office, users: tuple[str, ...], version: str) -> None:
    for user in users:
        wms = WebMapService(office.base, version=version, **login(user))
        assert {name for name in wms.contents if name} >= LAYERS[user]
        assert LAYERS["boss"].difference(LAYERS[user]).isdisjoint(wms.contents)
        asked = {
            "layers": ["ortho", "parcels"],
            "styles": ["", ""],
            "srs": "EPSG:4326",
            "bbox": BOX,
            "size": (100, 100),
        }
        picture = wms.getmap(format="image/png", transparent=True, **asked).read()
        assert picture.startswith(PNG)
        found = wms.getfeatureinfo(
            **{**asked, "layers": ["parcels"], "styles": [""]},
            query_layers=["parcels"],
            info_format="application/json",
            feature_count=50,
            xy=(15, 95),
        )
        features = json.loads(found.read())["features"]
        assert [set(feature["properties"]) for feature in features] == [COLUMNS[user]]


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_wms_pictures_differ_where_rows_are_hidden(office: Office, version: str) -> None:
    def picture(user: str, layer: str) -> bytes:
        wms = WebMapService(office.base, version=version, **login(user))
        asked = {"srs": "EPSG:4326", "bbox": BOX, "size": (100, 100), "format": "image/png"}
        return bytes(wms.getmap(layers=[layer], styles=[""], **asked).read())

    assert picture("bob", "parcels") != picture("boss", "parcels")
    assert picture("bob", "ortho") == picture("boss", "ortho")


def test_wms_of_a_hidden_layer_is_an_exception(running: Office) -> None:
    wms = WebMapService(running.base, version="1.3.0", **login("bob"))
    asked = {"srs": "EPSG:4326", "bbox": BOX, "size": (100, 100), "format": "image/png"}
    with pytest.raises(ServiceException, match="salaries"):
        wms.getmap(layers=["salaries"], styles=[""], **asked)


@BOTH_ORDERS
@WFS_VERSIONS
def test_wfs_lists_and_describes(office: Office, users: tuple[str, ...], version: str) -> None:
    for user in users:
        wfs = WebFeatureService(office.base, version=version, **login(user))
        assert {name.rpartition(":")[2] for name in wfs.contents} == VECTORS[user]
        schema = wfs.get_schema("parcels")
        assert set(schema["properties"]) == COLUMNS[user]


@BOTH_ORDERS
@WFS_VERSIONS
def test_wfs_reads(office: Office, users: tuple[str, ...], version: str) -> None:
    for user in users:
        _read_by_wfs(office, user, version)


def _read_by_wfs(office: Office, user: str, version: str) -> None:
    wfs = WebFeatureService(office.base, version=version, **login(user))

    def read(**asked: Any) -> list[dict[str, Any]]:
        named = {"outputFormat": "GeoJSON", "typename": ["parcels"], **asked}
        features = json.loads(wfs.getfeature(**named).read())["features"]
        assert all(set(feature["properties"]) <= COLUMNS[user] for feature in features)
        return list(features)

    mine = PARCELS[user]
    assert fids(read()) == mine
    one = PropertyIsEqualTo("name", "parcel 3")
    two = PropertyIsEqualTo("name", "parcel 2")
    like = PropertyIsLike("name", "parcel 1%")
    assert fids(read(filter=text_of(one))) == [3]
    assert fids(read(filter=text_of(two))) == [fid for fid in (2,) if fid in mine]
    assert fids(read(filter=text_of(like))) == [f for f in mine if str(f).startswith("1")]
    assert fids(read(featureid=["parcels.1"])) == [1]
    assert set(read(propertyname=["name"], maxfeatures=1)[0]["properties"]) == {"name"}
    assert fids(read(maxfeatures=3)) == mine[:3]
    if version != "1.0.0":
        pages = [fids(read(maxfeatures=4, startindex=start)) for start in range(0, 22, 4)]
        assert sorted(fid for page in pages for fid in page) == mine


def text_of(condition: Any) -> str:
    """Return a filter as it travels in a parameter."""
    inner = etree.tostring(condition.toXML(), encoding="unicode")
    return f'<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc">{inner}</ogc:Filter>'


@BOTH_ORDERS
@WFS_VERSIONS
def test_wfs_reads_by_post(office: Office, users: tuple[str, ...], version: str) -> None:
    for user in users:
        wfs = WebFeatureService(office.base, version=version, **login(user))
        answer = wfs.getfeature(typename=["parcels"], outputFormat="GeoJSON", method="Post")
        assert fids(json.loads(answer.read())["features"]) == PARCELS[user]


@BOTH_ORDERS
def test_wcs(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        auth = Authentication(**login(user))
        wcs = WebCoverageService(office.base, version="1.0.0", auth=auth)
        assert set(wcs.contents) == LAYERS[user] - VECTORS[user]
        coverage = wcs.getCoverage(
            identifier="ortho", crs="EPSG:4326", bbox=BOX, width=10, height=10, format="GTiff"
        )
        assert BytesIO(coverage.read()).read(2) in (b"II", b"MM")


@BOTH_ORDERS
def test_wmts(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        wmts = WebMapTileService(office.base, **login(user))
        assert set(wmts.contents) == LAYERS[user]
        level = min(wmts.tilematrixsets["EPSG:3857"].tilematrix, key=int)
        tile = wmts.gettile(
            layer="ortho",
            tilematrixset="EPSG:3857",
            tilematrix=level,
            row=0,
            column=0,
            format="image/png",
        )
        assert tile.read().startswith(PNG)


@BOTH_ORDERS
def test_oapif(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        _read_by_oapif(office, user)


def _read_by_oapif(office: Office, user: str) -> None:
    api = Features(office.base + "wfs3", auth=Authentication(**login(user)))
    assert {found["id"] for found in api.collections()["collections"]} == VECTORS[user]
    assert "/wfs3/collections/parcels/items" in api.api()["paths"]
    assert api.collection("parcels")["id"] == "parcels"

    def read(**asked: Any) -> list[int]:
        found = api.collection_items("parcels", **asked)
        assert all(set(f["properties"]) == COLUMNS[user] for f in found["features"])
        return fids(found["features"])

    mine = PARCELS[user]
    assert read(limit=100) == mine
    assert read(limit=100, bbox=[0, 0, 2, 2]) == [fid for fid in (1, 5, 6) if fid in mine]
    assert read(limit=100, zone=0) == [fid for fid in mine if fid % 2 == 0]
    pages = [read(limit=4, offset=offset) for offset in range(0, len(mine), 4)]
    assert sorted(fid for page in pages for fid in page) == mine
    first = api.collection_items("parcels", limit=4)
    assert (first["numberMatched"], first["numberReturned"]) == (len(mine), 4)
    assert api.collection_item("parcels", "3")["properties"]["name"] == "parcel 3"


def test_oapif_edits_what_the_rules_allow(office: Office) -> None:
    bob = Features(office.base + "wfs3", auth=Authentication(**login("bob")))
    boss = Features(office.base + "wfs3", auth=Authentication(**login("boss")))

    def titles() -> list[str]:
        found = boss.collection_items("notes", limit=100)["features"]
        return sorted(feature["properties"]["title"] for feature in found)

    note = {
        "type": "Feature",
        "properties": {"title": "new", "author": "bob"},
        "geometry": {"type": "Point", "coordinates": [8.5, 8.5]},
    }
    assert bob.collection_item_create("notes", json.dumps(note))
    assert titles() == ["new", "of alice", "of bob"]
    mine = bob.collection_items("notes", limit=100)["features"]
    number = next(str(f["id"]) for f in mine if f["properties"]["title"] == "new")
    note["properties"] = {"title": "newer", "author": "bob"}
    assert bob.collection_item_update("notes", number, json.dumps(note))
    assert titles() == ["newer", "of alice", "of bob"]
    assert bob.collection_item_delete("notes", number)
    assert titles() == ["of alice", "of bob"]
