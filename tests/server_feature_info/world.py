"""A small town in one GeoPackage: parcels with every widget, their buildings, owners and rooms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable, Optional

from osgeo import gdal, ogr, osr
from qgis.core import (
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsCoordinateReferenceSystem,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRelation,
    QgsRelationContext,
    QgsRendererCategory,
    QgsSingleBandPseudoColorRenderer,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from tests.support.projects import publish, save

gdal.UseExceptions()
ogr.UseExceptions()

BIG = 9007199254740993
NULL_IN_VALUE_MAP = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"

#: Fields of parcels: name → (OGR type, subtype).
PARCEL_FIELDS: dict[str, tuple[int, int]] = {
    "parcel_id": (ogr.OFTString, ogr.OFSTNone),
    "zone": (ogr.OFTInteger, ogr.OFSTNone),
    "owner": (ogr.OFTInteger, ogr.OFSTNone),
    "kind": (ogr.OFTString, ogr.OFSTNone),
    "tags": (ogr.OFTString, ogr.OFSTNone),
    "price": (ogr.OFTReal, ogr.OFSTNone),
    "built": (ogr.OFTDate, ogr.OFSTNone),
    "seen": (ogr.OFTDateTime, ogr.OFSTNone),
    "public": (ogr.OFTInteger, ogr.OFSTBoolean),
    "big": (ogr.OFTInteger64, ogr.OFSTNone),
    "extra": (ogr.OFTString, ogr.OFSTJSON),
    "extra2": (ogr.OFTString, ogr.OFSTJSON),
    "extra3": (ogr.OFTString, ogr.OFSTJSON),
    "photo": (ogr.OFTString, ogr.OFSTNone),
    "colour": (ogr.OFTString, ogr.OFSTNone),
    "uuid": (ogr.OFTString, ogr.OFSTNone),
    "size": (ogr.OFTString, ogr.OFSTNone),
    "class": (ogr.OFTString, ogr.OFSTNone),
    "remark": (ogr.OFTString, ogr.OFSTNone),
    "open": (ogr.OFTString, ogr.OFSTNone),
    "week": (ogr.OFTInteger, ogr.OFSTNone),
    "internal_code": (ogr.OFTString, ogr.OFSTNone),
    "secret": (ogr.OFTString, ogr.OFSTNone),
}
#: fid → (x, y of the lower left corner, values).
PARCELS: dict[int, tuple[float, float, dict[str, Any]]] = {
    1: (
        0.0,
        0.0,
        {
            "parcel_id": "P 1/a&b",
            "zone": 3,
            "owner": 1,
            "kind": "res",
            "tags": "{1,2}",
            "price": 12.5,
            "built": "1999/12/31",
            "seen": "2024/05/06 07:08:09",
            "public": 1,
            "big": BIG,
            "extra": '{"a": 1, "b": "x"}',
            "extra2": '["red", "green"]',
            "extra3": '{"deep": {"list": [1, null]}}',
            "photo": "pictures/one picture.jpg",
            "colour": "#ff0000",
            "uuid": "{6c0b2a5e-0001-4000-8000-000000000001}",
            "size": "large",
            "class": "a",
            "remark": "first remark",
            "open": "J",
            "week": 12345,
            "internal_code": "I1",
            "secret": "CANARY1",
        },
    ),
    2: (
        0.5,
        0.0,
        {
            "parcel_id": "P2",
            "zone": 9,
            "owner": 2,
            "kind": "ind",
            "tags": None,
            "price": 0.0,
            "public": 0,
            "remark": "",
            "secret": "CANARY2",
        },
    ),
    3: (20.0, 20.0, {"parcel_id": "P3", "zone": 3, "owner": 7, "kind": "nope", "tags": "{9}"}),
}

PLAIN_TABLES: dict[
    str,
    tuple[int, dict[str, int], list[tuple[int, Optional[tuple[float, float]], tuple[Any, ...]]]],
] = {
    "owners": (
        ogr.wkbNone,
        {"name": ogr.OFTString, "phone": ogr.OFTString, "shy": ogr.OFTInteger},
        [(1, None, ("Alice", "111", 0)), (2, None, ("Bob", "222", 1))],
    ),
    "kinds": (
        ogr.wkbNone,
        {"code": ogr.OFTString, "label": ogr.OFTString, "shown": ogr.OFTInteger},
        [
            (1, None, ("res", "Residential", 1)),
            (2, None, ("ind", "Industrial", 0)),
        ],
    ),
    "tags": (
        ogr.wkbNone,
        {"id": ogr.OFTInteger, "label": ogr.OFTString},
        [(1, None, (1, "quiet")), (2, None, (2, "green")), (3, None, (3, "old"))],
    ),
    "buildings": (
        ogr.wkbPoint,
        {
            "parcel": ogr.OFTInteger64,
            "name": ogr.OFTString,
            "height": ogr.OFTReal,
            "use": ogr.OFTInteger,
            "secret": ogr.OFTString,
        },
        [
            (4, (0.5, 0.5), (1, "Mill", 12.0, 1, "CANARY4")),
            (5, (0.6, 0.5), (1, "Barn", 7.5, 2, "CANARY5")),
            (6, (0.7, 0.5), (1, "Shed", 3.0, 2, "CANARY6")),
            (7, (0.9, 0.5), (2, "Tower", 30.0, 1, "CANARY7")),
        ],
    ),
    "rooms": (
        ogr.wkbNone,
        {"building": ogr.OFTInteger64, "name": ogr.OFTString},
        [(1, None, (4, "Hall")), (2, None, (4, "Attic")), (3, None, (5, "Stall"))],
    ),
    "parcel_owner": (
        ogr.wkbNone,
        {"parcel": ogr.OFTInteger64, "owner": ogr.OFTInteger64},
        [(1, None, (1, 1)), (2, None, (1, 2)), (3, None, (2, 2)), (4, None, (1, 99))],
    ),
}

WIDGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "fid": ("TextEdit", {}),
    "parcel_id": ("TextEdit", {}),
    "zone": ("ValueMap", {"map": [{"Residential": "3"}, {"Industry": "4"}]}),
    "price": ("Range", {"Precision": 2, "Min": 0, "Max": 100, "Step": 1, "Suffix": " EUR"}),
    "built": ("DateTime", {"display_format": "d MMM yyyy", "field_format": "yyyy-MM-dd"}),
    "seen": ("DateTime", {"display_format": "dd.MM.yyyy HH:mm"}),
    "public": (
        "CheckBox",
        {"CheckedState": "open to all", "UncheckedState": "closed", "TextDisplayMethod": 1},
    ),
    "big": ("TextEdit", {}),
    "extra": ("KeyValue", {}),
    "extra2": ("List", {}),
    "extra3": ("JsonEdit", {}),
    "photo": ("ExternalResource", {}),
    "colour": ("Color", {}),
    "uuid": ("UuidGenerator", {}),
    "size": ("UniqueValues", {"Editable": False}),
    "class": ("Classification", {}),
    "remark": ("TextEdit", {"IsMultiline": True}),
    "internal_code": ("Hidden", {}),
    "secret": ("TextEdit", {}),
}

SMALL = ("parcels", "buildings")
ALL = (*SMALL, "owners", "kinds", "tags", "rooms", "parcel_owner")

Tweak = Callable[[QgsProject, dict[str, Any]], None]


def write_data(folder: Path) -> None:
    """Write the GeoPackage, a GeoJSON file without a key, and the rasters."""
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(folder / "data.gpkg"))
    _write_parcels(source, reference)
    for name, (kind, fields, rows) in PLAIN_TABLES.items():
        layer = source.CreateLayer(name, reference if kind != ogr.wkbNone else None, kind)
        for field, field_type in fields.items():
            layer.CreateField(ogr.FieldDefn(field, field_type))
        for fid, place, values in rows:
            _add(layer, fid, dict(zip(fields, values)), place and f"POINT({place[0]} {place[1]})")
    source = None
    _write_geojson(folder / "benches.geojson")
    _write_rasters(folder, reference)


def _write_parcels(source: Any, reference: Any) -> None:
    layer = source.CreateLayer("parcels", reference, ogr.wkbPolygon)
    for field, (field_type, subtype) in PARCEL_FIELDS.items():
        definition = ogr.FieldDefn(field, field_type)
        definition.SetSubType(subtype)
        layer.CreateField(definition)
    for fid, (x, y, values) in PARCELS.items():
        ring = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]
        text = ",".join(f"{px} {py}" for px, py in ring)
        _add(layer, fid, values, f"POLYGON(({text}))")


def _add(layer: Any, fid: int, values: dict[str, Any], shape: Optional[str]) -> None:
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetFID(fid)
    for name, value in values.items():
        if value is not None:
            feature.SetField(name, value)
    if shape:
        feature.SetGeometry(ogr.CreateGeometryFromWkt(shape))
    layer.CreateFeature(feature)


def _write_geojson(path: Path) -> None:
    def bench(x: float, **properties: Any) -> dict[str, Any]:
        point = {"type": "Point", "coordinates": [x, 0.5]}
        return {"type": "Feature", "geometry": point, "properties": properties}

    times = {"opens": "07:30:00", "seen": "2024-05-06T07:08:09.250+02:00"}
    benches = [
        bench(0.5, wood="oak", seats=3, words=["a", "b"], shown=1, kinds=[2, 1], **times),
        bench(0.52, wood="pine", seats=2, words=["c"], shown=0, kinds=[7]),
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": benches}))


def _write_rasters(folder: Path, reference: Any) -> None:
    driver = gdal.GetDriverByName("GTiff")
    heights = driver.Create(str(folder / "heights.tif"), 10, 10, 2, gdal.GDT_Float32)
    classes = driver.Create(str(folder / "classes.tif"), 10, 10, 1, gdal.GDT_Byte)
    for raster in (heights, classes):
        raster.SetGeoTransform((0, 0.2, 0, 2, 0, -0.2))
        raster.SetProjection(reference.ExportToWkt())
    heights.GetRasterBand(1).SetDescription("elevation")
    for band, value in ((1, 1234.567), (2, 1234567.875)):
        heights.GetRasterBand(band).Fill(value)
        heights.GetRasterBand(band).SetNoDataValue(-9999)
    # The upper right quarter of band 2 holds no data.
    heights.GetRasterBand(2).WriteRaster(5, 0, 5, 5, b"\x00\x3c\x1c\xc6" * 25)
    classes.GetRasterBand(1).Fill(7)
    depths = driver.Create(str(folder / "depths.tif"), 10, 10, 2, gdal.GDT_Float32)
    depths.SetGeoTransform((0, 0.2, 0, 2, 0, -0.2))
    depths.SetProjection(reference.ExportToWkt())
    depths.GetRasterBand(1).SetUnitType("fathoms")
    for band, value in ((1, 2.5), (2, 7)):
        depths.GetRasterBand(band).Fill(value)


class Town:
    """Makes projects over one folder of data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._written: dict[str, Path] = {}
        write_data(folder)

    def project(
        self,
        feature_info: Any = "on",
        *,
        layers: Iterable[str] = SMALL,
        tweak: Optional[Tweak] = None,
        fresh: bool = False,
        **variables: Any,
    ) -> Path:
        """Return a project with these variables; ``tweak`` changes it before it is written.

        Without a tweak the same settings give the same file, which the server then knows already;
        a test that rewrites the project, or waits for what is logged at load, wants a fresh one.
        """
        if tweak is not None or fresh:
            return self._write(feature_info, tuple(layers), tweak, variables)
        key = json.dumps([feature_info, list(layers), variables], sort_keys=True)
        if key not in self._written:
            self._written[key] = self._write(feature_info, tuple(layers), tweak, variables)
        return self._written[key]

    def _write(
        self,
        feature_info: Any,
        layers: tuple[str, ...],
        tweak: Optional[Tweak],
        variables: dict[str, Any],
    ) -> Path:
        project = QgsProject()
        project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
        made: dict[str, Any] = {}
        for name in layers:
            made[name] = self.layer(name)
            project.addMapLayer(made[name])
        if "parcels" in made:
            _set_widgets(project, made)
        for layer in made.values():
            if isinstance(layer, QgsVectorLayer):
                layer.setDisplayExpression('"name"' if layer.fields().indexOf("name") >= 0 else "")
        if tweak is not None:
            tweak(project, made)
        publish(project)
        project.writeEntry("WMSAddWktGeometry", "/", "true")
        project.removeEntry("WMTSGrids", "/")  # every grid
        self._count += 1
        if feature_info is not None:
            variables["feature_info"] = feature_info
        return save(project, self.folder / f"p{self._count}.qgs", variables)

    def layer(self, name: str, title: Optional[str] = None) -> Any:
        """Return a layer of the folder's data."""
        if name in ("heights", "classes", "depths"):
            return QgsRasterLayer(str(self.folder / f"{name}.tif"), title or name)
        source = f"{self.folder}/data.gpkg|layername={name}"
        if name == "benches":
            source = str(self.folder / "benches.geojson")
        layer = QgsVectorLayer(source, title or name, "ogr")
        if not layer.isValid():
            raise ValueError(f"{name} is not valid")
        return layer


def _set_widgets(project: QgsProject, layers: dict[str, Any]) -> None:
    parcels = layers["parcels"]
    for field, (kind, config) in WIDGETS.items():
        widget(parcels, field, kind, config)
    parcels.setFieldAlias(parcels.fields().indexOf("zone"), "Zoning")
    if "kinds" in layers:
        config = {"Layer": layers["kinds"].id(), "Key": "code", "Value": "label"}
        widget(parcels, "kind", "ValueRelation", config)
    if "tags" in layers:
        config = {"Layer": layers["tags"].id(), "Key": "id", "Value": "label", "AllowMulti": True}
        widget(parcels, "tags", "ValueRelation", config)
    if "owners" in layers:
        relation = add_relation(project, "owner_of", layers["owners"], "fid", parcels, "owner")
        widget(parcels, "owner", "RelationReference", {"Relation": relation.id()})
    if "buildings" in layers:
        add_relation(project, "parcel_buildings", parcels, "fid", layers["buildings"], "parcel")
        widget(layers["buildings"], "use", "ValueMap", {"map": [{"Work": "1"}, {"Storage": "2"}]})
    if "rooms" in layers:
        add_relation(
            project, "building_rooms", layers["buildings"], "fid", layers["rooms"], "building"
        )
    if "parcel_owner" in layers:
        add_relation(project, "po_parcel", parcels, "fid", layers["parcel_owner"], "parcel")
        add_relation(project, "po_owner", layers["owners"], "fid", layers["parcel_owner"], "owner")


def widget(layer: QgsVectorLayer, field: str, kind: str, config: dict[str, Any]) -> None:
    """Give a field a widget."""
    index = layer.fields().indexOf(field)
    if index < 0:
        raise ValueError(f"{layer.name()} has no field {field}")
    layer.setEditorWidgetSetup(index, QgsEditorWidgetSetup(kind, config))


def keep_from_wms(project: Path, field: str) -> None:
    """Leave a field out of what a written project publishes by WMS: 3.22 cannot be asked to."""
    text = project.read_text(encoding="utf-8")
    head = re.compile(rf'<field (?=[^>]*name="{field}")[^>]*configurationFlags="(\w+)"[^>]*>')
    heads = {found.group(): found.group(1) for found in head.finditer(text)}
    if not heads:
        raise ValueError(f"no field {field} in {project}")
    for old, flags in heads.items():
        text = text.replace(old, old.replace(f'"{flags}"', '"HideFromWms"'))
    project.write_text(text, encoding="utf-8")


def add_relation(
    project: QgsProject, name: str, parent: Any, parent_key: str, child: Any, child_key: str
) -> QgsRelation:
    """Add a relation of one pair of fields."""
    relation = QgsRelation(QgsRelationContext(project))
    relation.setId(name)
    relation.setName(name)
    relation.setReferencedLayer(parent.id())
    relation.setReferencingLayer(child.id())
    relation.addFieldPair(child_key, parent_key)
    project.relationManager().addRelation(relation)
    return relation


def drag_and_drop_form(layer: QgsVectorLayer, tree: dict[str, Any]) -> None:
    """Give a layer a form of tabs and groups: name → field list or further tree."""
    form = layer.editFormConfig()
    form.clearTabs()
    form.setLayout(QgsEditFormConfig.EditorLayout.TabLayout)
    for name, content in tree.items():
        form.addTab(_container(layer, name, content, form.invisibleRootContainer()))
    layer.setEditFormConfig(form)


def _container(layer: QgsVectorLayer, name: str, content: Any, parent: Any) -> Any:
    container = QgsAttributeEditorContainer(name, parent)
    for item in content.items() if isinstance(content, dict) else [(None, one) for one in content]:
        if item[0] is None:
            index = layer.fields().indexOf(item[1])
            container.addChildElement(QgsAttributeEditorField(item[1], index, container))
        else:
            container.addChildElement(_container(layer, item[0], item[1], container))
    return container


def categorized(
    layer: QgsVectorLayer, field: str, categories: dict[Any, str]
) -> QgsCategorizedSymbolRenderer:
    """Return a renderer of one symbol for each value; None stands for all others."""
    found = []
    for value, label in categories.items():
        symbol = QgsSymbol.defaultSymbol(layer.geometryType())
        found.append(QgsRendererCategory("" if value is None else value, symbol, label))
    return QgsCategorizedSymbolRenderer(field, found)


def paletted(layer: QgsRasterLayer, classes: dict[int, str]) -> None:
    """Draw a raster by classes."""
    entries = [
        QgsPalettedRasterRenderer.Class(value, QColor("red"), label)
        for value, label in classes.items()
    ]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))


def discrete(layer: QgsRasterLayer, limits: dict[float, str]) -> None:
    """Draw a raster by ranges that end at these values."""
    function = QgsColorRampShader()
    function.setColorRampType(QgsColorRampShader.Type.Discrete)
    function.setColorRampItemList(
        [
            QgsColorRampShader.ColorRampItem(value, QColor("red"), label)
            for value, label in limits.items()
        ]
    )
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(function)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader))
