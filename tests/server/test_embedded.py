"""Layers that a project embeds from another one: the rules of the project that is asked for hold."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsProject

from tests.server.test_wms_admission import MAP, get
from tests.server.test_wms_redaction import INFO
from tests.support.projects import publish, save, vector_layer, write_geopackage
from tests.support.server import Client, Server

RULES = [
    {"layers": "parcels", "filter": "public = 1", "attributes": ["*", "!owner_name"]},
    {"effect": "deny", "layers": "group:register"},
]


def embedding(server: Server, folder: Path) -> Client:
    """Return a client of a project that embeds two groups of one whose own rules open everything."""
    write_geopackage(folder / "data.gpkg")
    other = QgsProject()
    for group, table in (("plan", "parcels"), ("register", "salaries")):
        layer = vector_layer(folder, table)
        other.addMapLayer(layer, False)
        other.layerTreeRoot().addGroup(group).addLayer(layer)
    source = save(other, folder / "other.qgs", {"access_rules": [{"layers": "*"}]})
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for group in ("plan", "register"):
        project.layerTreeRoot().addChildNode(project.createEmbeddedGroup(group, str(source), []))
    publish(project)
    project.setCustomVariables({"access_rules": json.dumps(RULES)})
    path = folder / "project.qgs"
    assert project.write(str(path))
    return server.client(path)


def test_rows_and_attributes_of_an_embedded_layer_are_hidden(
    server: Server, tmp_path: Path
) -> None:
    client = embedding(server, tmp_path)
    asked = {**INFO, "FEATURE_COUNT": 10, "FI_POINT_TOLERANCE": 1000}
    with server.unguarded():
        assert len(get(client, asked, INFO_FORMAT="application/json").json["features"]) == 4
    features = get(client, asked, INFO_FORMAT="application/json").json["features"]
    assert sorted(f["properties"]["name"] for f in features) == ["four", "one"]
    assert not any("owner_name" in f["properties"] for f in features)


def test_an_embedded_group_is_closed_by_its_name(server: Server, tmp_path: Path) -> None:
    client = embedding(server, tmp_path)
    for name in ("salaries", "register"):
        assert get(client, MAP, LAYERS=name).status == 400
    for operation in ("GetCapabilities", "GetProjectSettings", "GetContext"):
        told = client.get(SERVICE="WMS", REQUEST=operation)
        assert told.status == 200
        assert "parcels" in told.text
        assert "salaries" not in told.text
        assert "register" not in told.text
        with server.unguarded():
            assert "salaries" in client.get(SERVICE="WMS", REQUEST=operation).text
