"""Writes the project of the client tests into a folder, in a process of its own: FOLDER RULES."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from osgeo import ogr
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

from tests.support.projects import publish, save, vector_layer, write_geopackage, write_raster
from tests.support.wms_projects import MATRIX

PARCELS = [
    (fid, fid % 5 + 0.5, fid // 5 + 0.5, (f"parcel {fid}", fid % 2, f"OWNER {fid}"))
    for fid in range(1, 22)
]
"""In five columns; every other row is of zone 0, which most callers do not see."""

TABLES: dict[str, Any] = {
    "parcels": (
        ogr.wkbPoint,
        {"name": ogr.OFTString, "zone": ogr.OFTInteger, "owner": ogr.OFTString},
        PARCELS,
    ),
    "salaries": (
        ogr.wkbPoint,
        {"person": ogr.OFTString, "amount": ogr.OFTInteger},
        [(1, 9.5, 9.5, ("SALARY OF ALICE", 4100))],
    ),
    "notes": (
        ogr.wkbPoint,
        {"title": ogr.OFTString, "author": ogr.OFTString, "remark": ogr.OFTString},
        [
            (1, 6.5, 6.5, ("of bob", "bob", "REMARK ONE")),
            (2, 7.5, 7.5, ("of alice", "alice", "REMARK TWO")),
        ],
    ),
}


def write_project(folder: Path, rules: Any) -> None:
    """Write data and project."""
    write_geopackage(folder / "data.gpkg", TABLES)
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for table in TABLES:
        layer: QgsVectorLayer = vector_layer(folder, table)
        layer.renderer().symbol().setSize(4)
        project.addMapLayer(layer)
    for name, value in (("ortho", 7), ("plan", 99)):
        write_raster(folder / f"{name}.tif", value)
        project.addMapLayer(QgsRasterLayer(str(folder / f"{name}.tif"), name))
    publish(project)
    project.writeEntry("WMTSGrids", "Config", [MATRIX])
    project.writeEntry("WMSKeywordList", "/", ["cadastre"])  # OWSLib cannot do without any
    save(project, folder / "project.qgs", {"access_rules": rules})


QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
application = QgsApplication([], False)
application.initQgis()
write_project(Path(sys.argv[1]), json.loads(sys.argv[2]))
