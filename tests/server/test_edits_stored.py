"""What is judged is what the data source stores: times, binaries, numbers that are too large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr, osr
from qgis.core import QgsProject, QgsVectorLayer

from tests.support.projects import publish, save
from tests.support.server import Answer, Client, Server
from tests.support.wfs import by_id, insert, transaction, update

Project = Callable[[int, str], Path]
ITEMS = "/collections/things/items"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return what makes a project of one table with one field and one row, and a check."""

    def make(kind: int, check: str) -> Path:
        data = tmp_path / "data.gpkg"
        source = ogr.GetDriverByName("GPKG").CreateDataSource(str(data))
        table = source.CreateLayer("things", None, ogr.wkbNone)
        table.CreateField(ogr.FieldDefn("v", kind))
        table.CreateFeature(ogr.Feature(table.GetLayerDefn()))
        source = table = None
        made = QgsProject()
        made.addMapLayer(layer_of(data))
        publish(made)
        edits = {"layers": "*", "actions": ["read", "insert", "update"], "check": check}
        return save(made, tmp_path / "things.qgs", {"access_rules": edits})

    return make


def layer_of(data: Path) -> QgsVectorLayer:
    return QgsVectorLayer(f"{data}|layername=things", "things", "ogr")


def accepted(project: Path, check: str) -> int:
    """Count the rows with a value that the check allows as they are stored."""
    layer = layer_of(project.parent / "data.gpkg")
    layer.setSubsetString("")
    return len(list(layer.getFeatures(f"({check}) AND v IS NOT NULL")))


def written(project: Path) -> int:
    return len(list(layer_of(project.parent / "data.gpkg").getFeatures("v IS NOT NULL")))


def by_insert(client: Client, value: str) -> Answer:
    return transaction(client, insert("things", v=value))


def by_old_insert(client: Client, value: str) -> Answer:
    return transaction(client, insert("things", v=value), version="1.0.0")


def by_update(client: Client, value: str) -> Answer:
    return transaction(client, update("things", by_id("things.1"), v=value))


def by_post(client: Client, value: Any) -> Answer:
    return client.api(ITEMS, "POST", {"type": "Feature", "properties": {"v": value}})


def by_patch(client: Client, value: Any) -> Answer:
    return client.api(f"{ITEMS}/1", "PATCH", {"modify": {"v": value}})


WAYS = [by_insert, by_old_insert, by_update, by_post, by_patch]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("sent", "check"),
    [
        ("2024-01-01T10:00:00+02:00", "epoch(v) < epoch(make_datetime(2024,1,1,9,0,0))"),
        ("2024-01-01T10:00:00-05:00", "epoch(v) > epoch(make_datetime(2024,1,1,12,0,0))"),
        ("2024-01-01T10:00:00.5", "v > make_datetime(2024,1,1,10,0,0)"),
        ("2024-01-01T10:00:00.5", "v <= make_datetime(2024,1,1,10,0,0)"),
    ],
)
def test_a_time_is_judged_as_it_is_stored(
    server: Server, project: Project, way: Callable[..., Answer], sent: str, check: str
) -> None:
    """QGIS 3.22 drops offsets and fractions of seconds on a GeoPackage; later ones keep them."""
    made = project(ogr.OFTDateTime, check)
    way(server.client(made), sent)
    assert written(made) == accepted(made, check)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "sent", ["2024-01-01T10:00:00", "2024-01-01T10:00:00Z", "2024-01-01", "2024-02-29T10:00:00.5"]
)
def test_times_that_a_rule_allows_are_stored(
    server: Server, project: Project, way: Callable[..., Answer], sent: str
) -> None:
    made = project(ogr.OFTDateTime, "v < make_datetime(2030,1,1,0,0,0)")
    assert way(server.client(made), sent).status in (200, 201)
    assert written(made) == 1


@pytest.mark.parametrize("way", [by_post, by_patch])
def test_a_binary_of_json_is_judged_decoded(
    server: Server, project: Project, way: Callable[..., Answer]
) -> None:
    made = project(ogr.OFTBinary, "to_base64(v) = 'YWJj'")
    client = server.client(made)
    assert way(client, "YWJk").status == 403
    assert way(client, "WVdKag==").status == 403
    assert written(made) == 0
    assert way(client, "YWJj").status in (200, 201)
    assert written(made) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sent", ["9223372036854775808", "-9223372036854775809"])
def test_a_number_that_no_field_holds_is_refused(
    server: Server, project: Project, way: Callable[..., Answer], sent: str
) -> None:
    made = project(ogr.OFTInteger64, "v <> 0")
    assert way(server.client(made), sent).status == 400
    assert written(made) == 0


def ring(x: int) -> list[list[int]]:
    return [[x, 0], [x, 10], [x + 10, 10], [x + 10, 0], [x, 0]]


def by_post_shape(client: Client, *rings: list[list[int]]) -> Answer:
    shape = {"type": "MultiPolygon", "coordinates": [[r] for r in rings]}
    return client.api(ITEMS, "POST", {"type": "Feature", "properties": {}, "geometry": shape})


def by_insert_shape(client: Client, *rings: list[list[int]]) -> Answer:
    texts = (" ".join(f"{x},{y}" for x, y in r) for r in rings)
    parts = "".join(
        "<gml:polygonMember><gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>"
        f"{text}</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>"
        "</gml:polygonMember>"
        for text in texts
    )
    return transaction(client, insert("things", f"<gml:MultiPolygon>{parts}</gml:MultiPolygon>"))


@pytest.mark.parametrize("way", [by_post_shape, by_insert_shape])
@pytest.mark.parametrize(
    ("kind", "check", "parts", "is_stored"),
    [
        (ogr.wkbPolygon, "area($geometry) > 150", 2, False),
        (ogr.wkbPolygon, "area($geometry) > 50", 1, True),
        (ogr.wkbMultiPolygon, "area($geometry) > 150", 2, True),
        (ogr.wkbPolygon25D, "z(start_point($geometry)) IS NULL", 1, False),
    ],
)
def test_a_shape_is_judged_as_the_layer_stores_it(
    server: Server,
    tmp_path: Path,
    way: Callable[..., Answer],
    kind: int,
    check: str,
    parts: int,
    is_stored: bool,
) -> None:
    data = tmp_path / "data.gpkg"
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(data))
    source.CreateLayer("things", system, kind)
    source = None
    made = QgsProject()
    made.addMapLayer(layer_of(data))
    publish(made)
    rule = {"layers": "*", "actions": ["read", "insert"], "check": check}
    client = server.client(save(made, tmp_path / "things.qgs", {"access_rules": rule}))
    answer = way(client, *(ring(20 * n) for n in range(parts)))
    assert (answer.status in (200, 201)) is is_stored
    assert len(list(layer_of(data).getFeatures(check))) == is_stored
    assert layer_of(data).featureCount() == is_stored


NIL = '<qgs:v xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'


def nothings(client: Client, version: str) -> list[Answer]:
    """Send nothing in every way there is: empty, nil, and without a value."""
    row = by_id("things.1")
    plain = insert("things", v="x")
    empty_value = NIL.replace("qgs:v", "wfs:Value")
    bodies = [
        update("things", row, v=""),
        update("things", row, v=None),
        update("things", row, v="x").replace("<wfs:Value>x</wfs:Value>", empty_value),
        plain.replace("<qgs:v>x</qgs:v>", "<qgs:v/>"),
        plain.replace("<qgs:v>x</qgs:v>", NIL),
    ]
    answers = [transaction(client, body, version=version) for body in bodies]
    answers += [way(client, value) for way in (by_post, by_patch) for value in ("", None)]
    return answers


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("check", ["v IS NOT NULL", "v IS NULL OR v <> ''", "v = ''", "v IS NULL"])
@pytest.mark.parametrize("kind", [ogr.OFTString, ogr.OFTInteger])
def test_nothing_is_judged_as_what_it_is_stored_as(
    server: Server, project: Project, kind: int, check: str, version: str
) -> None:
    made = project(kind, check)
    data = made.parent / "data.gpkg"
    source = ogr.Open(str(data), 1)
    source.ExecuteSQL(f"UPDATE things SET v = '{7 if kind == ogr.OFTInteger else 'seven'}'")
    source = None
    client = server.client(made)
    before = [feature["v"] for feature in layer_of(data).getFeatures()]
    nothings(client, version)
    bad = [f["v"] for f in layer_of(data).getFeatures(f"NOT coalesce({check}, FALSE)")]
    assert [value for value in bad if value not in before] == []
    with server.unguarded():
        nothings(client, version)
    assert len(list(layer_of(data).getFeatures())) > 1
