"""The unit that a raster file says its bands are in, which PyQGIS does not tell.

It is asked of GDAL's own module (``python3-gdal``). Without that, and for anything but a file on this
machine, a band has the unit of the settings or none.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any, Optional

from qgis.core import QgsProviderRegistry, QgsRasterLayer

_PROVIDER = "gdal"


def units_of(layer: QgsRasterLayer) -> dict[int, str]:
    """Return band → unit for the bands whose file says one."""
    source = str(layer.source())
    path = str(QgsProviderRegistry.instance().decodeUri(_PROVIDER, source).get("path") or "")
    if layer.providerType() != _PROVIDER or not os.path.isfile(path):
        return {}
    opened = _opened(source.split("|", 1)[0])
    if opened is None:
        return {}
    bands = range(1, opened.RasterCount + 1)
    units = {band: str(opened.GetRasterBand(band).GetUnitType() or "") for band in bands}
    return {band: unit for band, unit in units.items() if unit}


def _opened(source: str) -> Optional[Any]:
    """Return GDAL's data set, or None where it cannot be had."""
    try:
        gdal = import_module("osgeo.gdal")
        with warnings.catch_warnings():  # newer ones ask to choose between errors and None
            warnings.simplefilter("ignore", FutureWarning)
            return gdal.OpenEx(source, gdal.OF_RASTER | gdal.OF_READONLY)
    except (ImportError, RuntimeError):
        return None
