"""The floor: filters that decide nothing, and so what any plugin with an access control filter costs.

QGIS asks a registered filter whatever it answers: it looks up the Python method, wraps the layer,
calls, and converts the answer. Here the answers are ready and, but for one, given by C functions
without any Python of ours. They open everything: this is a measure, no plugin.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from qgis.server import QgsAccessControlFilter, QgsServerFilter


class EmptyAccessControl(QgsAccessControlFilter):
    """Answers every hook from a table that also keeps the layers' wrappers, or by a constant."""

    def __init__(self, server_iface: Any) -> None:
        super().__init__(server_iface)
        self._permissions: Any = defaultdict(_everything)
        self._expressions: Any = defaultdict(str)
        self.layerPermissions = self._permissions.__getitem__
        self.layerFilterExpression = self._expressions.__getitem__
        self.authorizedLayerAttributes = _same
        self.cacheKey = str


class EmptyFilter(QgsServerFilter):
    """Is told of the beginning and the end of a request, and does nothing."""

    def __init__(self, server_iface: Any) -> None:
        super().__init__(server_iface)
        nothing: list[Any] = []
        self.requestReady = self.responseComplete = nothing.clear


def _everything() -> Any:
    permissions = QgsAccessControlFilter.LayerPermissions()
    permissions.canRead = permissions.canInsert = True
    permissions.canUpdate = permissions.canDelete = True
    return permissions


def _same(_layer: Any, attributes: list[str]) -> list[str]:
    return attributes


def register(server_iface: Any) -> list[Any]:
    """Register both filters and return them: QGIS keeps no reference."""
    empty = [EmptyAccessControl(server_iface), EmptyFilter(server_iface)]
    server_iface.registerAccessControl(empty[0], 100)
    server_iface.registerFilter(empty[1], 100)
    return empty
