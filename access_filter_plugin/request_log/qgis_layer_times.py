"""How long each layer of a map took, where QGIS measures it (``QGIS_SERVER_LOG_PROFILE``).

Measured on 3.40.6 and 3.44.15: the group ``rendering`` of the profiler is readable in
``responseComplete`` and empty again after the request, at any log level. QGIS 3.22 records no
rendering at all, and before 3.36 nothing clears the records of earlier requests.
"""

from __future__ import annotations

from qgis.core import Qgis, QgsApplication
from qgis.server import QgsServerSettings

_FIRST_CLEARED = 33600
_GROUP = "rendering"


def measures_layers() -> bool:
    """Return whether this server measures layers, by its version and its settings."""
    settings = QgsServerSettings()
    settings.load()
    return bool(settings.logProfile()) and Qgis.versionInt() >= _FIRST_CLEARED


def layer_times() -> dict[str, float]:
    """Return layer name → milliseconds of the request under way; ``(labeling)`` is QGIS's own."""
    profiler = QgsApplication.profiler()
    return {
        name: profiler.profileTime(name, _GROUP) * 1000 for name in profiler.childGroups("", _GROUP)
    }
