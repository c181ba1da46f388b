"""GetFeatureInfo on a real PostGIS: keys of several columns, and types that only databases have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer

from tests.support.projects import publish, save
from tests.support.server import Server

from .cluster import Cluster

TABLES = """
CREATE TABLE plots (
  district text, number integer, owner text, tags text[], sizes integer[], extra jsonb,
  opens time, seen timestamptz, price numeric(12, 2), share double precision, photo bytea,
  geom geometry(Point, 4326), PRIMARY KEY (district, number));
INSERT INTO plots VALUES
  ('a', 1, 'alice', '{x,"y z"}', '{1,2}', '{"deep": [1, null]}', '07:30', '2024-05-06 07:08:09+02',
   12.50, 'NaN', 'abc', ST_SetSRID(ST_MakePoint(1, 1), 4326)),
  ('a', 2, 'bob', NULL, NULL, NULL, NULL, NULL, NULL, 'Infinity', NULL,
   ST_SetSRID(ST_MakePoint(1, 1), 4326)),
  ('b@@c', 1, 'alice', '{}', '{}', 'true', NULL, NULL, 0, 0, '',
   ST_SetSRID(ST_MakePoint(1, 1), 4326));
"""
RULES = [
    {"layers": "plots", "filter": '"owner" = @access_user'},
    {"layers": "plots", "roles": "all"},
]
PLACE = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetFeatureInfo",
    "LAYERS": "plots",
    "QUERY_LAYERS": "plots",
    "CRS": "CRS:84",
    "BBOX": "0,0,2,2",
    "WIDTH": "101",
    "HEIGHT": "101",
    "I": "50",
    "J": "50",
    "INFO_FORMAT": "application/json",
    "FEATURE_COUNT": "10",
}


@pytest.fixture(scope="module")
def plots(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project over a table whose key has two columns."""
    cluster.sql(TABLES)
    made = QgsProject()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    source = cluster.source("plots", "district").replace("key='district'", COMPOSITE)
    layer = QgsVectorLayer(source, "plots", "postgres")
    assert layer.isValid(), layer.error().message()
    assert len(layer.primaryKeyAttributes()) == 2
    made.addMapLayer(layer)
    publish(made)
    variables = {"access_rules": RULES, "feature_info": "on"}
    return save(made, tmp_path_factory.mktemp("plots") / "project.qgs", variables)


COMPOSITE = """key='"district","number"'"""


def told(server: Server, project: Path, user: str, roles: str = "") -> dict[str, dict[str, Any]]:
    """Return id → name → entry."""
    answer = server.client(project, user, roles).get(**PLACE)
    assert answer.status == 200, answer.text
    return {
        feature["id"]: {entry["name"]: entry for entry in feature["info"]["fields"]}
        for feature in answer.json["features"]
    }


def test_a_key_of_two_columns_finds_its_row_and_no_other(server: Server, plots: Path) -> None:
    found = told(server, plots, "carol", "all")
    assert set(found) == {"plots.a@@1", "plots.a@@2", "plots.b@@c@@1"}
    assert found["plots.a@@1"]["owner"]["value"] == "alice"
    assert found["plots.a@@2"]["owner"]["value"] == "bob"


def test_rows_of_others_are_not_told(server: Server, plots: Path) -> None:
    assert "plots.a@@2" in told(server, plots, "bob")
    assert "plots.a@@1" not in told(server, plots, "bob")


def test_types_of_a_database_are_json(server: Server, plots: Path) -> None:
    row = told(server, plots, "alice")["plots.a@@1"]
    values = {name: entry["value"] for name, entry in row.items()}
    assert values["tags"] == ["x", "y z"]
    assert values["sizes"] == [1, 2]
    assert values["extra"] == {"deep": [1, None]}
    assert values["opens"] == "07:30:00"
    assert values["price"] == 12.5
    assert values["share"] is None
    assert values["photo"] is None
    assert row["tags"]["type"] == row["sizes"]["type"] == "list"
