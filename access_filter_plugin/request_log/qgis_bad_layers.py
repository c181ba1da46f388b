"""The layers of a project that did not load: their names, and reasons in words of ours.

Nothing here quotes a data source or a provider's message: both hold paths, hosts and passwords.
``QgsMapLayer.error()`` is not asked at all: its summary of an empty error ends QGIS 3.22 with a
segmentation fault.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from qgis.core import QgsApplication, QgsProviderRegistry

from ..late_pattern import late_pattern
from ..qgis_boundary import safe_answer
from .entry import BadLayer

_FILE_PROVIDERS = frozenset({"ogr", "gdal", "delimitedtext", "spatialite", "mdal", "gpx"})
_NOT_LOADED = late_pattern(r"Layer\(s\) (.{1,4000}) not valid in project ")


def bad_layers(layers: Mapping[str, Any]) -> tuple[BadLayer, ...]:
    """Return the layers of a loaded project that have no data."""
    return tuple(
        BadLayer(layer.name(), _reason(layer)) for layer in layers.values() if not layer.isValid()
    )


def _reason(layer: Any) -> str:
    provider = layer.providerType()
    registry = QgsProviderRegistry.instance()
    if provider not in registry.providerList():
        return "its provider is not installed"
    if provider in _FILE_PROVIDERS and _is_missing(registry.decodeUri(provider, layer.source())):
        return "file not found"
    return f"{provider} could not open it"


def _is_missing(parts: Mapping[str, Any]) -> bool:
    path = parts.get("path")
    return isinstance(path, str) and os.path.isabs(path) and not os.path.exists(path)


class LoadFailures:
    """Listens why a project does not load: QGIS says so in its message log alone.

    Connected only while a project is missing: QGIS logs dozens of messages in a good request.
    """

    def __init__(self) -> None:
        self._found: list[BadLayer] = []
        self.is_listening = False

    def begin(self) -> None:
        """Listen from now on."""
        if not self.is_listening:
            self._found = []
            QgsApplication.messageLog().messageReceived.connect(self._hear)
            self.is_listening = True

    def end(self) -> tuple[BadLayer, ...]:
        """Stop listening and return the layers that kept the project from loading."""
        if not self.is_listening:
            return ()
        QgsApplication.messageLog().messageReceived.disconnect(self._hear)
        self.is_listening = False
        return tuple(self._found)

    @safe_answer(lambda *_: None)
    def _hear(self, message: str, *_: Any) -> None:
        match = _NOT_LOADED.search(message)
        if match:  # QGIS names the layers by id here, which begins with the name
            ids = match[1].split(", ")
            self._found = [BadLayer(layer_id, "could not be opened") for layer_id in ids]
