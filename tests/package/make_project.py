"""Writes the project of the package tests; QGIS belongs into a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import QgsApplication, QgsProject, QgsVectorLayer

RULES = [{"id": "everybody", "layers": "parks"}, {"id": "staff", "roles": "staff", "layers": "*"}]


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
    path = Path(sys.argv[1])
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    layers = [layer(name, path.parent) for name in ("parks", "depots")]
    project.addMapLayers(layers)
    project.writeEntry("WFSLayers", "/", [one.id() for one in layers])
    project.setCustomVariables({"access_rules": json.dumps(RULES)})
    if not project.write(str(path)):
        sys.exit(f"{path} could not be written")
    project.clear()
    application.exitQgis()


if __name__ == "__main__":
    main()
