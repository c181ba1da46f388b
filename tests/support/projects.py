"""Projects made in code, small enough to read: the layers of policies.md in one GeoPackage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional
from xml.sax.saxutils import escape

from osgeo import gdal, ogr, osr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)

gdal.UseExceptions()
ogr.UseExceptions()

#: name → (geometry type, fields, rows); a row is (fid, x, y or None, values).
TABLES: dict[str, tuple[int, dict[str, int], list[tuple[Any, ...]]]] = {
    "parcels": (
        ogr.wkbPoint,
        {
            "name": ogr.OFTString,
            "status": ogr.OFTString,
            "owner": ogr.OFTString,
            "owner_name": ogr.OFTString,
            "public": ogr.OFTInteger,
            "zone": ogr.OFTInteger,
        },
        [
            (1, 1.0, 1.0, ("one", "draft", "alice", "Alice A.", 1, 1)),
            (2, 2.0, 2.0, ("two", "submitted", "bob", "Bob B.", 0, 2)),
            (3, 3.0, 3.0, ("three", None, "alice", "Alice A.", 0, 1)),
            (4, 4.0, 4.0, ("four", "draft", "carl", "Carl C.", 1, 2)),
        ],
    ),
    "salaries": (
        ogr.wkbPoint,
        {"person": ogr.OFTString, "amount": ogr.OFTInteger},
        [(1, 1.5, 1.5, ("alice", 4100)), (2, 2.5, 2.5, ("bob", 4200))],
    ),
    "reports": (
        ogr.wkbPoint,
        {"title": ogr.OFTString, "author": ogr.OFTString},
        [(1, 1.2, 1.2, ("first", "alice"))],
    ),
    "owners": (
        ogr.wkbNone,
        {"login": ogr.OFTString, "fullname": ogr.OFTString, "phone": ogr.OFTString},
        [
            (1, None, None, ("alice", "Alice Albright", "111")),
            (2, None, None, ("bob", "Bob Baker", "222")),
            (3, None, None, ("carl", "Carl Cook", "333")),
        ],
    ),
}


def write_geopackage(path: Path, tables: Optional[dict[str, Any]] = None) -> None:
    """Write the tables into a new GeoPackage in EPSG:4326."""
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    for name, (kind, fields, rows) in (tables or TABLES).items():
        # SQLite reads the seven triggers of an index whenever it opens the file: one will do.
        options = ["SPATIAL_INDEX=NO"] if kind != ogr.wkbNone and name != "parcels" else []
        layer = source.CreateLayer(name, reference if kind != ogr.wkbNone else None, kind, options)
        for field, field_type in fields.items():
            layer.CreateField(ogr.FieldDefn(field, field_type))
        for fid, x, y, values in rows:
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetFID(fid)
            for field, value in zip(fields, values):
                if value is not None:
                    feature.SetField(field, value)
            if x is not None:
                point = ogr.Geometry(ogr.wkbPoint)
                point.AddPoint_2D(x, y)
                feature.SetGeometry(point)
            layer.CreateFeature(feature)
    source = None


def write_raster(path: Path, value: int = 7) -> None:
    """Write a 10 × 10 raster of one value over x, y from 0 to 10."""
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 10, 10, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((0, 1, 0, 10, 0, -1))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    raster.SetProjection(reference.ExportToWkt())
    raster.GetRasterBand(1).Fill(value)
    raster = None


def vector_layer(folder: Path, table: str, name: Optional[str] = None) -> QgsVectorLayer:
    """Return a layer of the folder's GeoPackage."""
    layer = QgsVectorLayer(f"{folder / 'data.gpkg'}|layername={table}", name or table, "ogr")
    if not layer.isValid():
        raise ValueError(f"{table} is not valid in {folder}")
    return layer


def variables_text(variables: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as the texts that an author types: JSON unless they are texts already."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in variables.items()
    }


def publish(project: QgsProject, extent: Optional[QgsRectangle] = None) -> None:
    """Publish every layer of a project by WMS, WFS with edits, WCS, WMTS and OAPIF."""
    vectors = [i for i, layer in project.mapLayers().items() if isinstance(layer, QgsVectorLayer)]
    rasters = [i for i, layer in project.mapLayers().items() if isinstance(layer, QgsRasterLayer)]
    project.writeEntry("WFSLayers", "/", vectors)
    for kind in ("Insert", "Update", "Delete"):
        project.writeEntry("WFSTLayers", kind, vectors)
    project.writeEntry("WCSLayers", "/", rasters)
    project.writeEntry("WMTSLayers", "Project", True)
    project.writeEntry("WMTSLayers", "Layer", [*vectors, *rasters])
    project.writeEntry("WMTSPngLayers", "Project", True)
    project.writeEntry("WMTSPngLayers", "Layer", [*vectors, *rasters])
    project.writeEntry("WMSServiceCapabilities", "/", True)
    box = extent or QgsRectangle(0, 0, 10, 10)
    project.writeEntry(
        "WMSExtent",
        "/",
        [str(v) for v in (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())],
    )
    project.writeEntry("WMSCrsList", "/", ["EPSG:4326", "EPSG:3857"])
    project.writeEntry("WMSAddWktGeometry", "/", True)


def policy_project(folder: Path, **variables: Any) -> Path:
    """Write the project of policies.md with these variables; return its path."""
    return copied_project(_policy_project, folder, variables)


def _policy_project(folder: Path, variables: Mapping[str, Any]) -> Path:
    write_geopackage(folder / "data.gpkg")
    write_raster(folder / "ortho.tif")
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for table in TABLES:
        project.addMapLayer(vector_layer(folder, table))
    ortho = QgsRasterLayer(str(folder / "ortho.tif"), "ortho")
    project.addMapLayer(ortho)
    publish(project)
    return save(project, folder / "project.qgs", variables)


Write = Callable[[Path, Mapping[str, Any]], Path]
"""Writes data and project.qgs into a folder that exists, with variables."""


def copied_project(write: Write, folder: Path, variables: Mapping[str, Any]) -> Path:
    """Copy what a function writes, with other values of variables: it runs once per set of names."""
    texts = variables_text(variables)
    folder.mkdir(parents=True, exist_ok=True)
    if not all(text.isprintable() and text for text in texts.values()):
        return write(folder, variables)  # how QGIS writes these, only QGIS knows
    for file in _written(write, tuple(texts)).iterdir():
        if (folder / file.name).exists() and file.suffix != ".qgs":
            raise FileExistsError(folder / file.name)  # a server may read it
        shutil.copyfile(file, folder / file.name)
    path = folder / "project.qgs"
    project = path.read_text(encoding="utf-8")
    for name, text in texts.items():
        if project.count(_stand_in(name)) != 1:
            raise ValueError(f"the value of {name} stands not once in {path}")
        project = project.replace(_stand_in(name), escape(text))
    path.write_text(project, encoding="utf-8")
    return path


_FOLDERS: list[TemporaryDirectory[str]] = []
"""What is copied; these folders last as long as the process."""


@cache
def _written(write: Write, names: tuple[str, ...]) -> Path:
    _FOLDERS.append(TemporaryDirectory())
    folder = Path(_FOLDERS[-1].name)
    write(folder, {name: _stand_in(name) for name in names})
    return folder


def _stand_in(name: str) -> str:
    return f"--the value of {name}--"


def save(project: QgsProject, path: Path, variables: Mapping[str, Any]) -> Path:
    """Write a project with these variables and return its path."""
    project.setCustomVariables(variables_text(variables))
    if not project.write(str(path)):
        raise ValueError(f"{path} was not written: {project.error()}")
    give_plain_ids(project, path)
    return path


def give_plain_ids(project: QgsProject, path: Path) -> None:
    """Replace the random layer ids of a written project by NAME_layer_id (NAME_layer_id_2, …).

    setId came with QGIS 3.38, and ids of ten characters or fewer are replaced while reading.
    .
    """
    text = path.read_text(encoding="utf-8")
    taken: dict[str, int] = {}
    layers = project.mapLayers().items()
    for layer_id, layer in sorted(layers, key=lambda item: (item[1].name(), item[1].source())):
        plain = f"{layer.name().replace(' ', '_')}_layer_id"
        taken[plain] = taken.get(plain, 0) + 1
        number = f"_{taken[plain]}" if taken[plain] > 1 else ""
        text = text.replace(layer_id, plain + number)
    path.write_text(text, encoding="utf-8")
