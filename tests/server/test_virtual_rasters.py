"""A raster that is computed from others is closed with any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer

from tests.support.projects import publish, save, write_raster
from tests.support.server import Answer, Client, Server

INFO = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetFeatureInfo",
    "LAYERS": "doubled",
    "QUERY_LAYERS": "doubled",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,10,10",
    "WIDTH": 10,
    "HEIGHT": 10,
    "I": 3,
    "J": 3,
    "INFO_FORMAT": "text/plain",
}


def client(server: Server, folder: Path, rules: list[dict[str, Any]], *, named: bool) -> Client:
    """Return a client of a project with a raster, perhaps by the name used, and its double."""
    write_raster(folder / "height.tif", 77)
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    if named:
        project.addMapLayer(QgsRasterLayer(str(folder / "height.tif"), "height"))
    project.addMapLayer(QgsRasterLayer(str(folder / "height.tif"), "other name"))
    size = "crs=EPSG:4326&extent=0,0,10,10&width=10&height=10"
    data = f"height:uri={folder}/height.tif&height:provider=gdal"
    source = f'?{size}&formula="height@1" * 2&{data}'
    project.addMapLayer(QgsRasterLayer(source, "doubled", "virtualraster"))
    publish(project)
    return server.client(save(project, folder / "project.qgs", {"access_rules": rules}))


def shows(answer: Answer) -> bool:
    return answer.status == 200 and "154" in answer.text


@pytest.mark.parametrize("named", [True, False])
def test_it_is_closed_with_the_raster_it_is_computed_from(
    server: Server, tmp_path: Path, named: bool
) -> None:
    asking = client(server, tmp_path, [{"layers": ["doubled"]}], named=named)
    assert asking.get(**INFO).status == 400
    coverage = {"SERVICE": "WCS", "VERSION": "1.0.0", "REQUEST": "DescribeCoverage"}
    assert "doubled" not in asking.get(**coverage).text
    with server.unguarded():
        assert shows(asking.get(**INFO))


def test_it_is_open_with_everything_that_it_is_computed_from(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": ["doubled", "height", "other name"]}]
    assert shows(client(server, tmp_path, rules, named=True).get(**INFO))
