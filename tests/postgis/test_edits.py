"""Edits on PostGIS: the row that is judged is the row that is written, and so are its values."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer

from tests.support.projects import publish, save
from tests.support.server import Server
from tests.support.wfs import by_id, features, transaction, update

from .cluster import Cluster

COLUMNS = {
    "t": "timestamp", "tz": "timestamptz", "small": "float4", "whole": "numeric(9,0)",
    "cents": "numeric(9,2)", "code": "uuid", "list": "text[]", "name": "text",
}  # fmt: skip
KEYS = {
    "bigs": ("id bigint PRIMARY KEY, b int", "id"),
    "texts": ("id text PRIMARY KEY, b int", "id"),
    "pairs": ("id int, b int, PRIMARY KEY (id, b)", ""),
}
OWNERS = {"3": "alice", "1": "bob", "2": "alice", "4": "bob"}
UUID = "aaaaaaaa-1111-1111-1111-111111111111"


@pytest.fixture(scope="module")
def keyed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of tables whose keys are not their row numbers, and of views on them."""
    made = QgsProject()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for table, (columns, key) in KEYS.items():
        rows = ",".join(f"('{k}', {9 - int(k)}, '{o}', 'n')" for k, o in OWNERS.items())
        cluster.sql(
            f"CREATE TABLE {table} ({columns}, owner text, name text, geom geometry(Point, 4326));"
            f"INSERT INTO {table} (id, b, owner, name) VALUES {rows};"
            f"CREATE VIEW {table}_view AS SELECT * FROM {table}"
        )
        source = cluster.source(table, key)
        view = cluster.source(f"{table}_view", key or '"id","b"')
        made.addMapLayer(QgsVectorLayer(source, table, "postgres"))
        made.addMapLayer(QgsVectorLayer(view, f"{table}_view", "postgres"))
    publish(made)
    own = {"layers": "*", "actions": "update", "filter": "owner = @access_user"}
    return save(
        made,
        tmp_path_factory.mktemp("keyed") / "keyed.qgs",
        {"access_rules": [{"layers": "*"}, own]},
    )


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize("suffix", ["", "_view"])
@pytest.mark.parametrize("table", list(KEYS))
def test_a_row_is_named_by_its_key_and_never_by_its_number(
    server: Server, keyed: Path, cluster: Cluster, table: str, suffix: str, version: str
) -> None:
    client = server.client(keyed, "alice")
    cluster.sql(f"UPDATE {table} SET name = 'n'")
    for key, owner in OWNERS.items():
        fid = f"{table}{suffix}.{key}" + (f"@@{9 - int(key)}" if table == "pairs" else "")
        change = update(f"{table}{suffix}", by_id(fid), name=f"x{key}")
        answer = transaction(client, change, version=version)
        assert answer.status == (200 if owner == "alice" else 403)
    found = cluster.sql(f"SELECT string_agg(id || name, ' ' ORDER BY id) FROM {table}")
    assert found == "1n 2x2 3x3 4n"


ODD = ["a;b", "a.b", "a", "a'b", 'a"b', "a b", "a@@b", "-1", "01", "1", "\u00e4", "a,b"]


@pytest.fixture(scope="module")
def odd(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of a table with such keys: one row is hidden, one may not be written."""
    rows = ",".join("('" + key.replace("'", "''") + "')" for key in ODD)
    cluster.sql(
        "CREATE TABLE odd (id text PRIMARY KEY, name text, geom geometry(Point, 4326));"
        f"INSERT INTO odd (id) VALUES {rows}"
    )
    made = QgsProject()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    made.addMapLayer(QgsVectorLayer(cluster.source("odd"), "odd", "postgres"))
    publish(made)
    edits = {"layers": "*", "actions": "update", "filter": "id <> '01'"}
    rules = [{"layers": "*", "filter": "id <> '1'"}, edits]
    return save(made, tmp_path_factory.mktemp("odd") / "odd.qgs", {"access_rules": rules})


@pytest.mark.parametrize("key", ODD)
def test_an_odd_key_names_no_other_row(
    server: Server, cluster: Cluster, odd: Path, key: str
) -> None:
    cluster.sql("UPDATE odd SET name = 'n'")
    client = server.client(odd)
    read = features(client, "odd", FEATUREID=f"odd.{key}")
    # QGIS cuts an id at its second point: the row of the first part is named.
    named = {key.partition(".")[0]} - {"1"}
    if read.status == 200:
        assert {feature["properties"]["id"] for feature in read.json["features"]} <= named
    fid = f"odd.{key}".replace('"', "&quot;")
    transaction(client, update("odd", by_id(fid), name="x"))
    touched = cluster.sql("SELECT id FROM odd WHERE name = 'x'").split("\n")
    assert set(touched) - {""} <= named - {"01"}
    if key in ("a;b", "a'b", 'a"b', "a b", "-1", "a,b"):
        assert touched == [key]


@pytest.fixture(scope="module")
def values(cluster: Cluster) -> None:
    """Make a table with one row and a column of each type."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    cluster.sql(
        f"CREATE TABLE vals (id serial PRIMARY KEY, {columns}, geom geometry(Point, 4326));"
        "INSERT INTO vals (name) VALUES ('n')"
    )


@pytest.mark.usefixtures("values")
@pytest.mark.parametrize(
    ("column", "sent", "check", "is_allowed"),
    [
        (
            "t",
            "2024-01-01T10:00:00+02:00",
            "epoch(t) < epoch(make_datetime(2024,1,1,9,0,0))",
            False,
        ),
        ("t", "2024-01-01T10:00:00", "t < make_datetime(2024,1,1,11,0,0)", True),
        ("tz", "2024-01-01T10:00:00", "epoch(tz) > epoch(make_datetime(2024,1,1,7,0,0))", False),
        ("tz", "2024-01-01T10:00:00+02:00", "hour(tz) = 10", False),
        ("tz", "2024-01-01T10:00:00", "tz < make_datetime(2024,1,3,0,0,0)", True),
        ("small", "16777217", "small > 16777216", False),
        ("small", "1.5", "small = 1.5", True),
        ("whole", "1.5", "whole < 2", False),
        ("whole", "2", "whole = 2", True),
        ("cents", "1.005", "cents <= 1", False),
        ("cents", "1.25", "cents = 1.25", True),
        ("code", UUID.upper(), f"code <> '{UUID}'", False),
        ("code", UUID, f"code = '{UUID}'", True),
        ("list", "{a,b}", "NOT array_contains(list, 'a')", False),
        ("list", "{a,b}", "array_length(list) < 9", True),
        ("list", '{"a","b"}', "array_length(list) < 9", False),
    ],
)
def test_a_value_is_judged_as_the_database_stores_it(
    server: Server,
    cluster: Cluster,
    tmp_path: Path,
    column: str,
    sent: str,
    check: str,
    is_allowed: bool,
) -> None:
    cluster.sql(f"UPDATE vals SET {column} = NULL")
    made = QgsProject()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    made.addMapLayer(QgsVectorLayer(cluster.source("vals"), "vals", "postgres"))
    publish(made)
    rule = {"layers": "*", "actions": ["read", "update"], "check": check}
    client = server.client(save(made, tmp_path / "vals.qgs", {"access_rules": rule}))
    answer = transaction(client, update("vals", by_id("vals.1"), **{column: sent}))
    assert (answer.status == 200) is is_allowed
    assert (cluster.sql(f"SELECT {column} FROM vals") != "") is is_allowed
