"""What QGIS Desktop gets when somebody enables the plugin there: one friendly message."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis

MESSAGE = (
    "Access Filter works in QGIS Server, not in QGIS Desktop. Here you only type its rules: "
    "Project > Properties > Variables, for example access_rules. There is nothing to start."
)


class DesktopMessage:
    """A Desktop plugin that says one sentence and does nothing else."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface

    def initGui(self) -> None:  # noqa: N802 (QGIS calls this name)
        """Show the message."""
        bar = self._iface.messageBar()
        bar.pushMessage("Access Filter", MESSAGE, Qgis.MessageLevel.Info, 15)

    def unload(self) -> None:
        """Leave nothing behind, since nothing was added."""
