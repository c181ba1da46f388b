"""A real PostGIS, and one QGIS Server with the plugin on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer

from tests.support.projects import publish, save
from tests.support.server import Server, start_server

from .cluster import Cluster, running_cluster

TABLES = """
CREATE TABLE parcels (
  id serial PRIMARY KEY, name text, owner text, team text, status text, secret text,
  geom geometry(Point, 4326));
INSERT INTO parcels (name, owner, team, status, secret, geom)
SELECT 'p' || n, (ARRAY['alice', 'bob', 'O''Brien'])[1 + n % 3],
       (ARRAY['north', 'south'])[1 + n % 2], CASE WHEN n % 4 = 0 THEN NULL ELSE 'open' END,
       'secret' || n, ST_SetSRID(ST_MakePoint(n % 10, n / 10), 4326)
FROM generate_series(1, 60) AS n;
CREATE TABLE plain (note text, owner text, geom geometry(Point, 4326));
INSERT INTO plain SELECT 'n' || n, (ARRAY['alice', 'bob'])[1 + n % 2],
       ST_SetSRID(ST_MakePoint(n, n), 4326) FROM generate_series(1, 6) AS n;
CREATE VIEW keyless AS SELECT note, owner, geom FROM plain;
"""
RULES = [
    {"id": "own", "layers": ["parcels", "keyless"], "filter": "\"owner\" = @access_user"},
    {"id": "team", "layers": "parcels", "filter": "\"team\" IN (@access_roles)"},
    {"id": "edit", "layers": "parcels", "actions": ["insert", "update", "delete"],
     "filter": "\"owner\" = @access_user", "readonly": "owner"},
    {"id": "secret", "effect": "deny", "roles": "!root", "layers": "parcels", "attributes": "secret"},
    {"id": "root", "roles": "root", "layers": "*"},
]  # fmt: skip


@pytest.fixture(scope="session")
def cluster(server: Server) -> Iterator[Cluster]:
    """Return a running cluster with the tables."""
    with running_cluster() as running:
        running.sql(TABLES)
        yield running


@pytest.fixture(scope="session")
def server() -> Server:
    """Return the server of this process, with the plugin open."""
    return start_server()


@pytest.fixture(scope="session")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project over the tables and the view."""
    folder = tmp_path_factory.mktemp("postgis")
    made = QgsProject()
    made.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for table, key in (("parcels", "id"), ("keyless", "note")):
        layer = QgsVectorLayer(cluster.source(table, key), table, "postgres")
        if not layer.isValid():
            raise ValueError(f"{table}: {layer.error().message()}")
        made.addMapLayer(layer)
    publish(made)
    return save(made, folder / "project.qgs", {"access_rules": RULES})
