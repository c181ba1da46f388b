"""The plugin's one way to QGIS's message log (one tag, one spelling of the levels)."""

from __future__ import annotations

from qgis.core import Qgis, QgsMessageLog

TAG = "access_filter"


def critical(message: str) -> None:
    """Log something that closes data or loses a feature."""
    QgsMessageLog.logMessage(message, TAG, Qgis.MessageLevel.Critical)


def warning(message: str) -> None:
    """Log something an administrator should read once."""
    QgsMessageLog.logMessage(message, TAG, Qgis.MessageLevel.Warning)


def info(message: str) -> None:
    """Log a detail."""
    QgsMessageLog.logMessage(message, TAG, Qgis.MessageLevel.Info)
