"""Starts a QGIS without windows, before anything else of QGIS is imported."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import QgsApplication

_application: list[Any] = []


def start_qgis() -> None:
    """Start QGIS once in this process, without a display."""
    if _application or QgsApplication.instance() is not None:
        return
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], False)
    application.initQgis()
    _application.append(application)
