"""What is told of a raster layer at a place: numbers, units, and the class they fall into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import (
    QgsColorRampShader,
    QgsPalettedRasterRenderer,
    QgsRaster,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)

from .fields import with_unit
from .qgis_plan import LayerPlan
from .qgis_raster_units import units_of
from .qgis_search import SearchPlace
from .rasters import class_label, exact_number, number_of
from .values import is_dropped, plain_text

#: Numbers of ``Qgis::DataType``, the same in all versions.
_INTEGER_TYPES = frozenset({1, 2, 3, 4, 5, 14})
_SINGLE_PRECISION = 6


class BandReader:
    """Makes the entries of the bands of one raster layer."""

    def __init__(self, plan: LayerPlan, place: Optional[SearchPlace]) -> None:
        self._plan = plan
        self._layer: QgsRasterLayer = plan.layer
        self._place = place
        if plan.band_units is None:
            plan.band_units = units_of(plan.layer)
        self._units = plan.band_units
        self._classes, self._class_band, self._discrete = _classes(plan.layer)

    def entries(self, properties: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the entries for the stock properties, which have one text for each band."""
        read = self._read_again()
        settings = self._plan.settings
        found = []
        for band in self._plan.bands:
            name = self._layer.bandName(band)
            if name not in properties:
                continue
            entry = self._entry(band, name, number_of(properties[name]), read.get(band))
            if not is_dropped(entry["value"], settings.empty):
                found.append(entry)
        return found

    def _entry(
        self, band: int, name: str, stock: Optional[float], read: Optional[float]
    ) -> dict[str, Any]:
        settings = self._plan.settings
        kind = int(self._layer.dataProvider().dataType(band))
        integer = kind in _INTEGER_TYPES
        value = exact_number(stock, read, integer=integer, single=kind == _SINGLE_PRECISION)
        unit = settings.units.get(name) or self._units.get(band, "")
        label = with_unit(plain_text(value), unit)
        if band == self._class_band:
            label = class_label(value, self._classes, discrete=self._discrete) or label
        entry = {
            "name": settings.rename.get(name, name),
            "alias": name,
            "value": value,
            "label": label,
            "type": "integer" if integer else "number",
            "widget": "",
            "band": band,
        }
        if unit:
            entry["unit"] = unit
        return entry

    def _read_again(self) -> Mapping[int, float]:
        """Return band → value as the provider has it, where the place is known."""
        if self._place is None:
            return {}
        crs = self._layer.crs()
        size = self._place.settings.outputSize()
        result = self._layer.dataProvider().identify(
            self._place.point_in(crs),
            QgsRaster.IdentifyFormat.IdentifyFormatValue,
            self._place.extent_in(crs),
            size.width(),
            size.height(),
        )
        if not result.isValid():
            return {}
        values = result.results().items()
        return {int(band): float(value) for band, value in values if isinstance(value, float)}


def _classes(layer: QgsRasterLayer) -> tuple[list[tuple[float, str]], int, bool]:
    """Return value and label of each class, the band they are of, and whether they are ranges."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsPalettedRasterRenderer):
        found = [(float(item.value), str(item.label)) for item in renderer.classes()]
        return found, _band_of(renderer), False
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        ramp = renderer.shader().rasterShaderFunction() if renderer.shader() else None
        if isinstance(ramp, QgsColorRampShader):
            return _classes_of_ramp(ramp, _band_of(renderer))
    return [], 0, False


def _classes_of_ramp(
    ramp: QgsColorRampShader, band: int
) -> tuple[list[tuple[float, str]], int, bool]:
    kind = ramp.colorRampType()
    if kind not in (QgsColorRampShader.Type.Discrete, QgsColorRampShader.Type.Exact):
        return [], 0, False  # between two colours there is no class
    found = [(float(item.value), str(item.label)) for item in ramp.colorRampItemList()]
    return found, band, kind == QgsColorRampShader.Type.Discrete


def _band_of(renderer: Any) -> int:
    """Return the band a renderer draws; the method was renamed in 3.38."""
    read = getattr(renderer, "inputBand", None) or renderer.band
    return int(read())
