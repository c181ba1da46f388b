"""The widget by which a form shows a field: the author's, else the one QGIS takes for the type."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsVectorLayer

from .qgis_values import type_name

#: As ``QgsEditorWidgetAutoConf`` chooses, which belongs to the GUI and is not there on a server.
_BY_TYPE = {
    "boolean": "CheckBox",
    "integer": "Range",
    "number": "Range",
    "string": "TextEdit",
    "date": "DateTime",
    "time": "DateTime",
    "datetime": "DateTime",
    "list": "List",
    "json": "JsonEdit",
    "binary": "Binary",
}


def widget_of(layer: QgsVectorLayer, index: int) -> tuple[str, dict[str, Any]]:
    """Return the name of a field's widget and its configuration."""
    setup = layer.editorWidgetSetup(index)
    if setup.type():
        return str(setup.type()), dict(setup.config())
    return _BY_TYPE.get(type_name(layer.fields().at(index)), ""), {}
