"""What a virtual raster is computed from: rasters of the project, or one cannot tell.

It holds addresses of data, not layers, so the layers with the same data or name are meant.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from qgis.core import QgsMapLayer, QgsProject, QgsRasterDataProvider, QgsRasterLayer

from .catalogue import Source

_WHOLE_PROJECT = Source(layer="", attributes=None)


def raster_sources(project: QgsProject, layer: QgsMapLayer) -> tuple[Source, ...]:
    """Return the layers that a raster is computed from; none for a raster that is not virtual."""
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "virtualraster":
        return ()
    parameters, understood = QgsRasterDataProvider.decodeVirtualRasterProviderUri(layer.source())
    found: list[Source] = [] if understood else [_WHOLE_PROJECT]
    for read in parameters.rInputLayers:
        found += list(_read(project, layer, read.name, read.uri)) or [_WHOLE_PROJECT]
    return tuple(dict.fromkeys(found)) or (_WHOLE_PROJECT,)


def _read(project: QgsProject, layer: QgsMapLayer, name: str, uri: str) -> Iterator[Source]:
    data = os.path.realpath(uri)
    for other in project.mapLayers().values():
        is_named = other.name() == name or os.path.realpath(other.source()) == data
        if isinstance(other, QgsRasterLayer) and is_named and other.id() != layer.id():
            yield Source(other.id(), frozenset(), rows=False)
