"""access_filter: request log, access control and a richer GetFeatureInfo for QGIS Server.

Nothing is imported here: QGIS imports this file first, and the closed stand-in must be able to
register before anything that could fail.
"""

from __future__ import annotations

from typing import Any


def serverClassFactory(server_iface: Any) -> Any:  # noqa: N802 (QGIS looks this name up)
    """Return the plugin: the closed stand-in first, opened only when everything else loaded."""
    from .qgis_stand_in import load_behind_stand_in

    return load_behind_stand_in(server_iface)


def classFactory(iface: Any) -> Any:  # noqa: N802 (QGIS looks this name up)
    """Return the Desktop side: one message that says where the plugin belongs."""
    from .qgis_desktop import DesktopMessage

    return DesktopMessage(iface)
