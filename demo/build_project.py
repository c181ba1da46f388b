"""Builds the demo project: /usr/bin/python3 build_project.py FOLDER [world_map.gpkg]."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import demo_data
import demo_forms
import demo_layout
import demo_raster
import demo_styles
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

HERE = Path(__file__).resolve().parent
VECTORS = ("countries", "provinces", "disputed_borders", "regions", "notes")
# Top first, as the legend shows it.
GROUPS = {
    "Notes": ("notes",),
    "Boundaries": ("disputed_borders", "provinces", "countries"),
    "Background": ("daylight",),
    "Tables": ("regions",),
}
VARIABLES = ("access_rules", "feature_info", "request_log")
WORLD = QgsRectangle(-180, -90, 180, 90)


def build(folder: Path, world_map: Path) -> Path:
    """Writes data and project into the folder and returns the project's path."""
    folder.mkdir(parents=True, exist_ok=True)
    # Reading a GeoPackage may write to it, so the package's own file is only copied.
    copy = folder / "world_map.tmp.gpkg"
    shutil.copyfile(world_map, copy)
    try:
        demo_data.write_data(copy, folder)
        demo_raster.write_daylight(folder / "world.gpkg", folder / "daylight.tif")
    finally:
        for left in folder.glob("world_map.tmp.gpkg*"):
            left.unlink()
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    layers = _add_layers(project, folder)
    _describe(project, layers)
    demo_layout.add_layout(project, layers["countries"], WORLD)
    _publish(project, layers)
    project.setCustomVariables(
        {name: (HERE / f"{name}.json").read_text(encoding="utf-8") for name in VARIABLES}
    )
    target = folder / "world.qgz"
    if not project.write(str(target)):
        raise demo_data.BuildError(f"{target}: {project.error()}")
    return target


def _add_layers(project: QgsProject, folder: Path) -> dict[str, QgsMapLayer]:
    source = f"{folder / 'world.gpkg'}|layername="
    layers: dict[str, QgsMapLayer] = {
        name: QgsVectorLayer(source + name, name, "ogr") for name in VECTORS
    }
    layers["daylight"] = QgsRasterLayer(str(folder / "daylight.tif"), "daylight", "gdal")
    for group_name, names in GROUPS.items():
        group = project.layerTreeRoot().addGroup(group_name)
        for name in names:
            if not layers[name].isValid():
                raise demo_data.BuildError(f"layer {name} cannot be read from {folder}")
            project.addMapLayer(layers[name], False)
            group.addLayer(layers[name])
    return layers


def _describe(project: QgsProject, layers: dict[str, QgsMapLayer]) -> None:
    vectors = {name: layers[name] for name in VECTORS}
    for layer in layers.values():
        demo_forms.publish_name(layer)
    for layer in vectors.values():
        demo_forms.set_aliases(layer)
    relation = demo_forms.add_relation(project, vectors)
    if not relation.isValid():
        raise demo_data.BuildError(f"the relation: {relation.validationError()}")
    demo_forms.set_widgets(vectors, relation)
    demo_forms.set_form(vectors["countries"])
    demo_forms.set_display(vectors)
    demo_styles.style_others(vectors)
    demo_styles.style_daylight(layers["daylight"])
    # Last: a named style keeps the whole layer as it is at that moment.
    region_names = {region.code: region.name for region in demo_data.regions()}
    demo_styles.style_countries(vectors["countries"], region_names)


def _publish(project: QgsProject, layers: dict[str, QgsMapLayer]) -> None:
    """The settings of Project > Properties > QGIS Server."""
    project.setTitle("The world in three views")
    reference = QgsCoordinateReferenceSystem("EPSG:4326")
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(WORLD, reference))
    vector_ids = [layers[name].id() for name in VECTORS]
    for scope, key, value in (
        ("WMSServiceCapabilities", "/", True),
        ("WMSServiceTitle", "/", "The world in three views"),
        ("WMSServiceAbstract", "/", "Natural Earth, with rules by role"),
        ("WMSExtent", "/", [str(edge) for edge in (-180, -90, 180, 90)]),
        ("WMSCrsList", "/", ["EPSG:4326", "EPSG:3857"]),
        ("WMSAddWktGeometry", "/", True),
        ("WFSLayers", "/", vector_ids),
        ("WFSTLayers", "Insert", [layers["notes"].id()]),
        ("WFSTLayers", "Update", [layers["notes"].id()]),
        ("WFSTLayers", "Delete", [layers["notes"].id()]),
        ("WCSLayers", "/", [layers["daylight"].id()]),
        ("WMTSLayers", "Layer", [layers["countries"].id(), layers["daylight"].id()]),
        ("WMTSPngLayers", "Layer", [layers["countries"].id(), layers["daylight"].id()]),
    ):
        project.writeEntry(scope, key, value)


def main(arguments: list[str]) -> int:
    """Builds, and says in one sentence what is missing."""
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], False)
    application.initQgis()
    world_map = Path(QgsApplication.pkgDataPath()) / "resources" / "data" / "world_map.gpkg"
    if len(arguments) == 2:
        world_map = Path(arguments[1])
    try:
        print(build(Path(arguments[0]).resolve(), world_map))
    except (demo_data.BuildError, OSError, RuntimeError) as error:
        print(f"build_project.py: {error}", file=sys.stderr)
        return 1
    finally:
        application.exitQgis()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
