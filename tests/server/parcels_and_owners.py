"""Writes a project in which parcels show owners in every way that a project knows.

Run as a script with a folder: a virtual layer wants QgsProject.instance() for itself. The rules are
the text ``@RULES@``, to be replaced.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsEditorWidgetSetup,
    QgsField,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
)
from qgis.PyQt.QtCore import QVariant

from tests.support.projects import publish, save, vector_layer, write_geopackage

EXPRESSIONS = {
    "own": 'upper("owner_name")',
    "sum_all": "aggregate('owners', 'concatenate', \"phone\")",
    "computed": "get_feature('own' || 'ers', 'login', \"owner\")",
    "everything": "to_json(attributes())",
    "current": "to_json(attributes($currentfeature))",
    "rows": 'count("name", "zone")',
}
QUERY = "SELECT parcels.name, owners.phone, parcels.geometry FROM parcels JOIN owners ON 1"


def write(folder: Path) -> None:
    """Write the project and its data."""
    write_geopackage(folder / "data.gpkg")
    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    owners, parcels = (vector_layer(folder, name) for name in ("owners", "parcels"))
    project.addMapLayers([owners, parcels])
    owners.setDisplayExpression('"fullname"')
    join(parcels, owners)
    config = {"Layer": owners.id(), "Key": "login", "Value": "fullname"}
    setup = QgsEditorWidgetSetup("ValueRelation", config)
    parcels.setEditorWidgetSetup(parcels.fields().lookupField("owner"), setup)
    for name, text in EXPRESSIONS.items():
        parcels.addExpressionField(text, QgsField(name, QVariant.String))
    publish(project)
    save(project, folder / "project.qgs", {"access_rules": "@RULES@"})
    project.addMapLayer(QgsVectorLayer(f"?query={QUERY}", "virtual", "virtual"))
    publish(project)
    save(project, folder / "virtual.qgs", {"access_rules": "@RULES@"})


def join(parcels: Any, owners: Any) -> None:
    """Join the owners to their parcels."""
    info = QgsVectorLayerJoinInfo()
    info.setJoinLayer(owners)
    info.setJoinFieldName("login")
    info.setTargetFieldName("owner")
    info.setPrefix("o_")
    info.setUsingMemoryCache(True)
    parcels.addJoin(info)


if __name__ == "__main__":
    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    write(Path(sys.argv[1]))
    QgsProject.instance().clear()
