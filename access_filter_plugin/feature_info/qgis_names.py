"""What a layer is called, in the ways a project and a client may call it."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapLayer


def names_of(layer: QgsMapLayer) -> tuple[str, ...]:
    """Return id, short name and name of a layer, as far as it has them."""
    found = (layer.id(), _published(layer, "shortName"), layer.name())
    return tuple(dict.fromkeys(name for name in found if name))


def wms_name(layer: QgsMapLayer, *, use_ids: bool) -> str:
    """Return the name that WMS publishes a layer under."""
    return str(layer.id()) if use_ids else _published(layer, "shortName") or str(layer.name())


def title_of(layer: QgsMapLayer) -> str:
    """Return the title that WMS publishes, else the name."""
    return _published(layer, "title") or str(layer.name())


def _published(layer: QgsMapLayer, what: str) -> str:
    """Return a text that moved from the layer to its server properties in 3.38."""
    properties: Any = getattr(layer, "serverProperties", None)
    owner = properties() if properties is not None else layer
    read = getattr(owner, what, None) or getattr(layer, what)
    return str(read() or "")
