"""Generated projects of N layers, unprotected or with a policy that touches every request measured.

The policy is printed with the results: a row filter, a hidden attribute and a hidden layer.
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

#: Everybody reads the layers; viewers see their own rows of them, no ``secret``, and no last layer.
POLICY: list[dict[str, Any]] = [
    {"id": "read", "layers": "*"},
    {"id": "rows", "effect": "deny", "roles": "!admin", "layers": "layer_*", "filter": "\"owner\" <> 'o1'"},
    {"id": "column", "effect": "deny", "roles": "!admin", "layers": "layer_*", "attributes": "secret"},
    {"id": "layer", "effect": "deny", "roles": "!admin", "layers": "hidden"},
]  # fmt: skip
TABLES_PER_FILE = 50
"""One GeoPackage with a thousand tables opens in quadratic time (facts C9)."""


def many_rules(layers: int) -> list[dict[str, Any]]:
    """Return the policy with rules for each layer added, until its text is about a megabyte."""
    rules = list(POLICY)
    number = 0
    size = 0
    while size < 1_000_000:
        rule = {
            "id": f"filler-{number}",
            "roles": [f"role{number}", f"other{number}"],
            "layers": f"layer_{number % layers:04d}",
            "actions": ["read", "update"],
            "filter": '"owner" = @access_user AND "value" IN (1, 2, 3)',
        }
        rules.append(rule)
        size += len(json.dumps(rule)) + 2
        number += 1
    return rules


def _write_tables(path: Path, names: list[str], rows: int) -> None:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(3857)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    for name in names:
        layer = source.CreateLayer(name, reference, ogr.wkbPoint)
        for field, kind in (
            ("owner", ogr.OFTString),
            ("secret", ogr.OFTString),
            ("kind", ogr.OFTInteger),
            ("value", ogr.OFTInteger),
        ):
            layer.CreateField(ogr.FieldDefn(field, kind))
        layer.StartTransaction()
        for number in range(rows):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetField("owner", "o1" if number % 2 else "o2")
            feature.SetField("secret", f"s{number}")
            feature.SetField("kind", number % 5)
            feature.SetField("value", number)
            point = ogr.Geometry(ogr.wkbPoint)
            point.AddPoint_2D(float(number % 100) * 10 + 5, float(number // 100) * 10 + 5)
            feature.SetGeometry(point)
            layer.CreateFeature(feature)
        layer.CommitTransaction()
    source = None


def build(folder: Path, count: int, variables: dict[str, Any], big_rows: int = 0) -> Path:
    """Write a project of ``count`` layers and one hidden one; reuse data that is already there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"layer_{number:04d}" for number in range(count)]
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    for start in range(0, count, TABLES_PER_FILE):
        part = names[start : start + TABLES_PER_FILE]
        path = folder / f"data{start:04d}.gpkg"
        if not path.exists():
            _write_tables(path, part, 1000 if start == 0 else 20)
        for name in part:
            _add(project, f"{path}|layername={name}", name)
    if not (folder / "hidden.gpkg").exists():
        _write_tables(folder / "hidden.gpkg", ["hidden"], 10)
    _add(project, f"{folder / 'hidden.gpkg'}|layername=hidden", "hidden")
    if big_rows:
        if not (folder / "big.gpkg").exists():
            _write_tables(folder / "big.gpkg", ["layer_big"], big_rows)
        _add(project, f"{folder / 'big.gpkg'}|layername=layer_big", "layer_big")
    _publish(project)
    project.setCustomVariables(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in variables.items()}
    )
    name = "protected" if "access_rules" in variables else "open"
    name += "_1mb" if len(str(variables.get("access_rules", ""))) > 100_000 else ""
    target = folder / f"{name}{'_info' if 'feature_info' in variables else ''}.qgs"
    if not project.write(str(target)):
        raise ValueError(f"{target} was not written")
    return target


def _add(project: QgsProject, source: str, name: str) -> None:
    layer = QgsVectorLayer(source, name, "ogr")
    if not layer.isValid():
        raise ValueError(f"{source} is not valid")
    values = {str(number): f"Kind {number}" for number in range(5)}
    labels = {label: value for value, label in values.items()}
    setup = QgsEditorWidgetSetup("ValueMap", {"map": [{k: v} for k, v in labels.items()]})
    layer.setEditorWidgetSetup(layer.fields().lookupField("kind"), setup)
    project.addMapLayer(layer)


def _publish(project: QgsProject) -> None:
    ids = list(project.mapLayers())
    project.writeEntry("WFSLayers", "/", ids)
    project.writeEntry("WMTSLayers", "Layer", ids)
    project.writeEntry("WMTSPngLayers", "Layer", ids)
    project.writeEntry("WMTSGrids", "CRS", ["EPSG:3857"])
    project.writeEntry("WMSServiceCapabilities", "/", True)
    box = QgsRectangle(0, 0, 1000, 1000)
    corners = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    project.writeEntry("WMSExtent", "/", [str(corner) for corner in corners])
