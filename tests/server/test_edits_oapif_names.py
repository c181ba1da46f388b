"""A new feature is judged as QGIS stores it, which finds values by name in a way of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr
from qgis.core import QgsProject, QgsVectorLayer

from tests.support.projects import publish, save
from tests.support.server import Server

ITEMS = "/collections/things/items"
MAY_INSERT = {"layers": "things", "actions": ["read", "insert"]}
WITH_OWNER = {**MAY_INSERT, "check": "owner = 'ann'"}
IF_NOT_SEALED = {**MAY_INSERT, "check": "owner IS NULL OR owner <> 'ann'"}


def project_of(source: Path, tmp_path: Path, rule: dict[str, Any]) -> Path:
    project = QgsProject()
    project.addMapLayer(QgsVectorLayer(str(source), "things", "ogr"))
    publish(project)
    return save(project, tmp_path / "things.qgs", {"access_rules": [rule]})


def table(tmp_path: Path, driver: str, name: str) -> Path:
    source = ogr.GetDriverByName(driver).CreateDataSource(str(tmp_path / name))
    layer = source.CreateLayer("things", None, ogr.wkbPoint)
    for attribute in ("owner", "status"):
        layer.CreateField(ogr.FieldDefn(attribute, ogr.OFTString))
    return tmp_path / name


def two_cases(tmp_path: Path) -> Path:
    """Return a file with attributes that only differ in case."""
    point = {"type": "Point", "coordinates": [0, 0]}
    values = {"owner": "eve", "OWNER": "eve", "status": "old"}
    feature = {"type": "Feature", "properties": values, "geometry": point}
    document = {"type": "FeatureCollection", "name": "things", "features": [feature]}
    path = tmp_path / "things.geojson"
    path.write_text(json.dumps(document))
    return path


def stored(path: Path) -> list[dict[str, Any]]:
    source = ogr.Open(str(path))
    return [feature.items() for feature in source.GetLayer(0)]


def feature(**properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties}


def test_the_first_value_of_a_shapefile_is_judged_as_lost(server: Server, tmp_path: Path) -> None:
    data = table(tmp_path, "ESRI Shapefile", "things.shp")
    client = server.client(project_of(data, tmp_path, WITH_OWNER))
    owner_first = feature(owner="ann", status="new")
    assert client.api(ITEMS, "POST", owner_first).status == 403
    assert stored(data) == []
    assert client.api(ITEMS, "POST", feature(status="new", owner="ann")).status == 201
    assert stored(data) == [{"owner": "ann", "status": None}]
    with server.unguarded():
        assert client.api(ITEMS, "POST", owner_first).status == 201
    assert stored(data)[1] == {"owner": None, "status": "new"}


def test_a_value_that_ogr_overlooks_is_judged_as_lost(server: Server, tmp_path: Path) -> None:
    data = table(tmp_path, "GPKG", "things.gpkg")
    client = server.client(project_of(data, tmp_path, WITH_OWNER))
    couch = feature(
        _id="x", _rev="1", type="Feature", owner="ann", geometry={}, properties={"a": 1}
    )
    guarded = client.api(ITEMS, "POST", couch).status
    assert all(row["owner"] == "ann" for row in stored(data))
    before = len(stored(data))
    with server.unguarded():
        assert client.api(ITEMS, "POST", couch).status == 201
    assert (guarded == 201) == (stored(data)[before]["owner"] == "ann")
    assert client.api(ITEMS, "POST", feature(owner="ann")).status == 201


@pytest.mark.parametrize(
    ("rule", "sent"),
    [
        (IF_NOT_SEALED, {"OWNER": "ann"}),
        ({**MAY_INSERT, "attributes": ["*", "!owner"]}, {"OWNER": "ann"}),
    ],
)
def test_a_value_is_not_stored_as_an_attribute_that_differs_in_case(
    server: Server, tmp_path: Path, rule: dict[str, Any], sent: dict[str, Any]
) -> None:
    data = two_cases(tmp_path)
    client = server.client(project_of(data, tmp_path, rule))
    assert client.api(ITEMS, "POST", feature(**sent)).status == 403
    assert len(stored(data)) == 1
    with server.unguarded():
        assert client.api(ITEMS, "POST", feature(**sent)).status == 201
    assert stored(data)[1]["owner"] == "ann"


def test_attributes_that_differ_in_case_are_stored_when_both_are_sent(
    server: Server, tmp_path: Path
) -> None:
    data = two_cases(tmp_path)
    client = server.client(project_of(data, tmp_path, IF_NOT_SEALED))
    both = {"owner": "bob", "OWNER": "ann"}
    assert client.api(ITEMS, "POST", feature(**both)).status == 201
    assert {**stored(data)[1], **both} == stored(data)[1]
    assert client.api(ITEMS, "POST", feature(owner="ann", OWNER="bob")).status == 403
