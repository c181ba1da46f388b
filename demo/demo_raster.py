"""The raster of the demo: hours between sunrise and sunset on 21 June, on land."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from osgeo import gdal, ogr, osr

CELL = 0.5
NO_DATA = -1.0


def write_daylight(countries: Path, target: Path) -> None:
    """Writes the GeoTIFF; there is no data on the sea."""
    gdal.UseExceptions()
    ogr.UseExceptions()
    columns, rows = int(360 / CELL), int(180 / CELL)
    raster = gdal.GetDriverByName("GTiff").Create(
        str(target), columns, rows, 1, gdal.GDT_Float32, ["COMPRESS=DEFLATE", "PREDICTOR=3"]
    )
    raster.SetGeoTransform((-180.0, CELL, 0.0, 90.0, 0.0, -CELL))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    raster.SetProjection(reference.ExportToWkt())
    band = raster.GetRasterBand(1)
    band.SetNoDataValue(NO_DATA)
    band.SetDescription("daylight")
    band.SetUnitType("h")
    band.Fill(0)
    source = ogr.Open(str(countries))
    gdal.RasterizeLayer(raster, [1], source.GetLayerByName("countries"), burn_values=[1])
    hours = np.array([[_daylight(90 - (row + 0.5) * CELL)] for row in range(rows)])
    band.WriteArray(np.where(band.ReadAsArray() == 1, hours, NO_DATA).astype("float32"))
    band.ComputeStatistics(False)
    raster.FlushCache()


def _daylight(latitude: float) -> float:
    """Hours of daylight at the June solstice, from the sun's declination alone."""
    angle = -math.tan(math.radians(latitude)) * math.tan(math.radians(23.44))
    return round(24 / math.pi * math.acos(max(-1.0, min(1.0, angle))), 2)
