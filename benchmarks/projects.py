"""Generated projects of N layers, unprotected or with a policy that touches every request measured.

The rows that the policy hides are rows more than a request asks for, one in fifty-one: so a caller
with rules gets as many rows as the bare server gives, and is not measured on a smaller answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr, osr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsEditorWidgetSetup,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

gdal.UseExceptions()
ogr.UseExceptions()

COLUMNS: dict[str, int] = {
    "owner": ogr.OFTString,
    "secret": ogr.OFTInteger,
    "kind": ogr.OFTInteger,
    "value": ogr.OFTInteger,
    "name": ogr.OFTString,
    "street": ogr.OFTString,
    "remark": ogr.OFTString,
    "price": ogr.OFTReal,
    "height": ogr.OFTReal,
    "zone": ogr.OFTString,
}
ROWS = 1020
SMALL = 51
BIG = 51_000
TABLES_PER_FILE = 50
"""One GeoPackage with a thousand tables opens in quadratic time (facts C9)."""


def values_of(number: int) -> dict[str, Any]:
    """Return one row: every fifty-first belongs to somebody else and is hidden by the policy."""
    return {
        "owner": "other" if number % 51 == 50 else "o1",
        "secret": number % 7,
        "kind": number % 5,
        "value": number,
        "name": f"Point {number}",
        "street": f"Street {number % 40}",
        "remark": f"A remark of some length about point {number}",
        "price": number * 1.5,
        "height": number / 7,
        "zone": f"Z{number % 9}",
    }


def place_of(number: int) -> tuple[float, float]:
    """Return where a row lies, inside 0 to 1000."""
    return number * 37 % 1000 + 0.5, number * 91 % 997 + 0.5


def _write_tables(path: Path, tables: dict[str, int]) -> None:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(3857)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    for name, rows in tables.items():
        layer = source.CreateLayer(name, reference, ogr.wkbPoint)
        for field, kind in COLUMNS.items():
            layer.CreateField(ogr.FieldDefn(field, kind))
        layer.StartTransaction()
        for number in range(rows):
            feature = ogr.Feature(layer.GetLayerDefn())
            for field, value in values_of(number).items():
                feature.SetField(field, value)
            point = ogr.Geometry(ogr.wkbPoint)
            point.AddPoint_2D(*place_of(number))
            feature.SetGeometry(point)
            layer.CreateFeature(feature)
        layer.CommitTransaction()
    source = None


def build(folder: Path, count: int, name: str, variables: dict[str, Any]) -> Path:
    """Write a project of ``count`` layers, a big one and a hidden one; reuse data that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.qgs"
    if target.exists():
        return target
    names = [f"layer_{number:04d}" for number in range(count)]
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    for start in range(0, count, TABLES_PER_FILE):
        part = names[start : start + TABLES_PER_FILE]
        tables = dict.fromkeys(part, ROWS if start == 0 else SMALL)
        _add_file(project, folder / f"data{start:04d}.gpkg", tables)
    _add_file(project, folder / "hidden.gpkg", {"hidden": SMALL})
    if name == "enriched":
        _add_file(project, folder / "big.gpkg", {"layer_big": BIG})
    return save(project, target, variables)


def save(project: QgsProject, target: Path, variables: dict[str, Any]) -> Path:
    """Publish every layer of a project and write it with its variables."""
    _publish(project)
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in variables.items()}
    project.setCustomVariables(texts)
    if not project.write(str(target)):
        raise ValueError(f"{target} was not written")
    return target


def _add_file(project: QgsProject, path: Path, tables: dict[str, int]) -> None:
    if not path.exists():
        _write_tables(path, tables)
    for name in tables:
        add(project, QgsVectorLayer(f"{path}|layername={name}", name, "ogr"))


def add(project: QgsProject, layer: QgsVectorLayer) -> None:
    """Add a layer whose column ``kind`` is shown with labels."""
    if not layer.isValid():
        raise ValueError(f"{layer.source()} is not valid")
    labels = [{f"Kind {number}": str(number)} for number in range(5)]
    setup = QgsEditorWidgetSetup("ValueMap", {"map": labels})
    layer.setEditorWidgetSetup(layer.fields().lookupField("kind"), setup)
    project.addMapLayer(layer)


def _publish(project: QgsProject) -> None:
    ids = list(project.mapLayers())
    project.writeEntry("WFSLayers", "/", ids)
    project.writeEntry("WMTSLayers", "Layer", ids)
    project.writeEntry("WMTSPngLayers", "Layer", ids)
    # Without this list GetTile is an exception: no matrix set is known.
    project.writeEntry("WMSCrsList", "/", ["EPSG:3857"])
    project.writeEntry("WMSServiceCapabilities", "/", True)
    box = QgsRectangle(0, 0, 1000, 1000)
    corners = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    project.writeEntry("WMSExtent", "/", [str(corner) for corner in corners])
