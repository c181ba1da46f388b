"""How a command gets at the modules that need QGIS."""

from __future__ import annotations

from importlib import import_module
from typing import Any

NO_QGIS = "this needs PyQGIS (python3-qgis); check --syntax works without it"


def with_qgis(name: str) -> Any:
    """Return a module beside this one, with QGIS started first; raise ImportError without QGIS."""
    import_module(".qgis_start", __package__).start_qgis()
    return import_module(name, __package__)
