"""Writes the project of these tests; QGIS belongs into a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsField,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant


def layer(name: str, folder: Path) -> QgsVectorLayer:
    """A layer of one point that carries its layer's name in capitals."""
    feature = {
        "type": "Feature",
        "properties": {"label": f"{name} in the north".upper()},
        "geometry": {"type": "Point", "coordinates": [8.5, 47.4]},
    }
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return QgsVectorLayer(str(path), name, "ogr")


def main() -> None:
    folder, variables = Path(sys.argv[1]), json.loads(sys.argv[2])
    shown = variables.pop("environment", "")
    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    layers = [layer(name, folder) for name in ("pub", "staff")]
    for name in filter(None, shown.split(",")):
        layers[0].addExpressionField(f"env('{name}')", QgsField(name, QVariant.String))
    project.addMapLayers(layers)
    project.writeEntry("WFSLayers", "/", [one.id() for one in layers])
    project.writeEntry("WMSServiceCapabilities", "/", True)
    project.setCustomVariables(variables)
    if not project.write(str(folder / "project.qgs")):
        sys.exit(f"{folder / 'project.qgs'} could not be written")
    project.clear()
    application.exitQgis()


if __name__ == "__main__":
    main()
