"""A naive access filter, as the PyQGIS cookbook has it: what a plugin costs without any care.

It reads the rules on every call, asks for the user's role each time, and answers a constant cache key.
It enforces the same row filter, attribute and layer as the benchmark's policy, and nothing else.
"""

from __future__ import annotations

import json
from typing import Any

from qgis.core import QgsProject
from qgis.server import QgsAccessControlFilter


class NaiveAccessControl(QgsAccessControlFilter):
    """Layer, rows and attributes by a JSON variable that is parsed in every hook."""

    def __init__(self, server_iface: Any) -> None:
        super().__init__(server_iface)
        self._iface = server_iface

    def _rules(self) -> list[dict[str, Any]]:
        text = QgsProject.instance().customVariables().get("access_rules", "[]")
        rules: list[dict[str, Any]] = json.loads(text)
        roles = self._iface.getEnv("REMOTE_ROLES").split(",")
        return [] if "admin" in roles else rules

    def layerPermissions(self, layer: Any) -> Any:
        """Deny the layer that a rule names."""
        permissions = QgsAccessControlFilter.LayerPermissions()
        denied = any(rule.get("layers") == layer.name() for rule in self._rules())
        permissions.canRead = not denied
        permissions.canInsert = permissions.canUpdate = permissions.canDelete = False
        return permissions

    def layerFilterExpression(self, layer: Any) -> str:
        """Return the rows of the rule with a filter."""
        for rule in self._rules():
            if rule.get("id") == "rows" and layer.name().startswith("layer_"):
                return f"NOT ({rule['filter']})"
        return str(super().layerFilterExpression(layer))

    def authorizedLayerAttributes(self, _layer: Any, attributes: list[str]) -> list[str]:
        """Take away the attribute of the rule."""
        hidden = [rule["attributes"] for rule in self._rules() if "attributes" in rule]
        return [name for name in attributes if name not in hidden]

    def cacheKey(self) -> str:
        """Keep documents out of the shared cache."""
        return "naive"
