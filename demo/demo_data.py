"""The tables of the demo: Natural Earth as QGIS ships it, and what can be computed from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsDistanceArea,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsUnitTypes,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

HERE = Path(__file__).resolve().parent
COUNTRY, DEPENDENCY = 1, 2
# Natural Earth's code for what is no country: military bases, a glacier, disputed territory.
NO_CODE = "-1"

COUNTRY_FIELDS = ("iso_a2", "NAME", "FIPS_10_", "ISO_A3", "WB_A2", "WB_A3")
PROVINCE_FIELDS = ("iso_a2", "name", "fips", "woe_label", "gn_name", "admin")
BORDER_FIELDS = ("name", "adm0_left", "adm0_right")
NOTE_FIELDS = ("title", "text", "author", "published", "created")


class BuildError(Exception):
    """Something that the demo needs is missing or cannot be written."""


@dataclass(frozen=True)
class Region:
    """A region of the world, with the ISO codes of its countries as one text."""

    code: int
    name: str
    countries: str


def regions() -> list[Region]:
    """The regions of regions.json."""
    return [Region(**entry) for entry in _read_json("regions")]


def _read_json(name: str) -> list[dict[str, Any]]:
    text = (HERE / f"{name}.json").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)[name]
    return entries


def write_data(world_map: Path, folder: Path) -> None:
    """Writes world.gpkg into the folder; world_map is a copy, since reading may change it."""
    target = folder / "world.gpkg"
    countries = _open(world_map, "countries")
    provinces = _open(world_map, "states_provinces")
    region_of = {iso: region.code for region in regions() for iso in region.countries.split()}
    _save(_countries(countries, provinces, region_of), "countries", target)
    _save(_provinces(provinces, region_of), "provinces", target)
    _save(_borders(_open(world_map, "disputed_borders")), "disputed_borders", target)
    _save(_regions(), "regions", target)
    _save(_notes(), "notes", target)


def _open(path: Path, table: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{path}|layername={table}", table, "ogr")
    if not layer.isValid():
        raise BuildError(f"{path} has no readable layer {table}")
    return layer


def _memory(geometry: str, fields: Iterable[str]) -> QgsVectorLayer:
    """An empty layer in memory; its fields are given as text, which every release understands."""
    uri = f"{geometry}?crs=EPSG:4326&" + "&".join(f"field={field}" for field in fields)
    return QgsVectorLayer(uri, geometry, "memory")


def _add(layer: QgsVectorLayer, geometry: QgsGeometry, values: list[object]) -> None:
    feature = QgsFeature(layer.fields())
    feature.setGeometry(geometry)
    feature.setAttributes(values)
    if not layer.dataProvider().addFeatures([feature])[0]:
        raise BuildError(f"a feature was not taken: {values}")


def _countries(
    source: QgsVectorLayer, provinces: QgsVectorLayer, region_of: dict[str, int]
) -> QgsVectorLayer:
    layer = _memory(
        "MultiPolygon",
        [f"{name}:string" for name in COUNTRY_FIELDS]
        + ["region:integer", "status:integer", "area_km2:double"],
    )
    measure = QgsDistanceArea()
    measure.setSourceCrs(source.crs(), QgsCoordinateTransformContext())
    measure.setEllipsoid("EPSG:7030")
    unit = QgsUnitTypes.AreaUnit.AreaSquareKilometers
    status_of = _status(provinces)
    for feature in source.getFeatures():
        iso = feature["iso_a2"]
        area = measure.convertAreaMeasurement(measure.measureArea(feature.geometry()), unit)
        values = [feature[name] for name in COUNTRY_FIELDS]
        computed = [region_of.get(iso), status_of.get(iso), round(area, 1)]
        _add(layer, feature.geometry(), values + computed)
    return layer


def _status(provinces: QgsVectorLayer) -> dict[str, int]:
    """Natural Earth counts dependencies to a sovereign: PYF to FR1, and FRA itself to FR1 too."""
    status: dict[str, int] = {}
    for feature in provinces.getFeatures():
        sovereign, code, iso = feature["sov_a3"], feature["adm0_a3"], feature["iso_a2"]
        dependent = sovereign.endswith("1") and code[:2] != sovereign[:2]
        if iso != NO_CODE:
            status[iso] = DEPENDENCY if dependent else COUNTRY
    return status


def _provinces(source: QgsVectorLayer, region_of: dict[str, int]) -> QgsVectorLayer:
    layer = _memory(
        "MultiPolygon", [f"{name}:string" for name in PROVINCE_FIELDS] + ["region:integer"]
    )
    for feature in source.getFeatures():
        values = [feature[name] for name in PROVINCE_FIELDS]
        _add(layer, feature.geometry(), [*values, region_of.get(feature["iso_a2"])])
    return layer


def _borders(source: QgsVectorLayer) -> QgsVectorLayer:
    layer = _memory("MultiLineString", [f"{name}:string" for name in BORDER_FIELDS])
    for feature in source.getFeatures():
        _add(layer, feature.geometry(), [feature[name] for name in BORDER_FIELDS])
    return layer


def _regions() -> QgsVectorLayer:
    layer = _memory("None", ["code:integer", "name:string"])
    for region in regions():
        _add(layer, QgsGeometry(), [region.code, region.name])
    return layer


def _notes() -> QgsVectorLayer:
    layer = _memory(
        "Point",
        ["title:string", "text:string", "author:string", "published:integer", "created:datetime"],
    )
    for note in _read_json("notes"):
        place = QgsGeometry.fromPointXY(QgsPointXY(*note["place"]))
        _add(layer, place, [note[field] for field in NOTE_FIELDS])
    return layer


def _save(layer: QgsVectorLayer, table: str, target: Path) -> None:
    action = QgsVectorFileWriter.ActionOnExistingFile
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = table
    options.actionOnExistingFile = (
        action.CreateOrOverwriteLayer if target.exists() else action.CreateOrOverwriteFile
    )
    context = QgsCoordinateTransformContext()
    result = QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(target), context, options)
    if result[0] != QgsVectorFileWriter.WriterError.NoError:
        raise BuildError(f"{target}, table {table}: {result[1]}")
