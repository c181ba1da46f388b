"""The place a GetFeatureInfo request asked about, to ask there once more whether there is more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize

from .map_request import MapRequest, crs_name, fitted, read_map_request
from .qgis_evaluate import Evaluator
from .qgis_features import both, request_for
from .qgis_legend import Legend, LegendRun

CRS84 = "CRS:84"
#: QGIS Server takes a pixel for 0.28 mm where the client gives no DPI.
STANDARD_DPI = 25.4 / 0.28
#: The search rectangle of points, lines and polygons, as a part of the map's width.
_PARTS = {"point": 100.0, "line": 200.0, "polygon": 400.0}
#: Undrawn features to look behind before it is said that there is nothing more.
MAX_UNDRAWN = 200


def request_crs(name: str) -> QgsCoordinateReferenceSystem:
    """Return the reference system that a client named; an invalid one where it is unknown."""
    if name.upper() == CRS84:
        return QgsCoordinateReferenceSystem("EPSG:4326")
    return QgsCoordinateReferenceSystem.fromOgcWmsCrs(name)


class SearchPlace:
    """The map of a request with its axes put right, as QGIS's own search sees it."""

    def __init__(self, request: MapRequest) -> None:
        crs = request_crs(request.crs)
        extent = QgsRectangle(*request.box)
        if request.crs.upper() == CRS84:
            extent.invert()
        if request.version >= "1.3" and crs.hasAxisInverted():
            extent.invert()
        self._tolerances = request.tolerances
        self.settings = QgsMapSettings()
        self.settings.setDestinationCrs(crs)
        width, height, i, j = fitted(request, extent.width(), extent.height())
        self.settings.setOutputSize(QSize(width, height))
        self.settings.setOutputDpi(STANDARD_DPI)
        self.settings.setExtent(extent)
        self.settings.setTransformContext(QgsProject.instance().transformContext())
        self._extent = extent
        pixel_x, pixel_y = extent.width() / max(width, 1), extent.height() / max(height, 1)
        self.point = QgsPointXY(
            extent.xMinimum() + i * pixel_x + pixel_x / 2,
            extent.yMaximum() - j * pixel_y - pixel_y / 2,
        )

    @property
    def scale(self) -> float:
        """The scale the map was drawn at."""
        return float(self.settings.scale())

    def rectangle(self, layer: QgsVectorLayer) -> QgsRectangle:
        """Return the rectangle that QGIS searches, in the layer's reference system."""
        kind = _geometry_kind(layer)
        pixels = self._tolerances.get(kind, 0)
        reach = self._extent.width() / _PARTS[kind]
        if pixels > 0:
            reach = pixels * self.settings.mapUnitsPerPixel()
        box = QgsRectangle(
            self.point.x() - reach,
            self.point.y() - reach,
            self.point.x() + reach,
            self.point.y() + reach,
        )
        return self.settings.mapToLayerCoordinates(layer, box)

    def point_in(self, crs: QgsCoordinateReferenceSystem) -> QgsPointXY:
        """Return the point in another reference system."""
        return self._to(crs).transform(self.point)

    def extent_in(self, crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
        """Return the map's extent in another reference system."""
        return self._to(crs).transform(self._extent)

    def _to(self, crs: QgsCoordinateReferenceSystem) -> QgsCoordinateTransform:
        return QgsCoordinateTransform(
            self.settings.destinationCrs(), crs, self.settings.transformContext()
        )


class RequestPlace:
    """Where a request asked, as far as its parameters tell; worked out when it is first needed."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.parameters = parameters

    @cached_property
    def search(self) -> Optional[SearchPlace]:
        """The map and the pixel; None where the request asked in another way."""
        request = read_map_request(self.parameters)
        return None if request is None else SearchPlace(request)

    @cached_property
    def crs(self) -> QgsCoordinateReferenceSystem:
        """The reference system that the client named."""
        return request_crs(crs_name(self.parameters))

    @property
    def scale(self) -> float:
        """The scale of the map; 0 where it is unknown, which no symbol is left out for."""
        return 0.0 if self.search is None else self.search.scale


def has_more(
    place: SearchPlace,
    layer: QgsVectorLayer,
    returned: int,
    *,
    legend: Optional[Legend],
    rows: Optional[str],
    evaluator: Evaluator,
) -> bool:
    """Return whether more features than were returned are drawn at the place, of the rows shown."""
    if legend is None or not layer.isSpatial():
        return False
    fields = layer.fields()
    attributes = [fields.lookupField(name) for name in legend.attributes]
    request = request_for(
        layer, [i for i in attributes if i >= 0], geometry=not legend.draws_everything
    )
    request.setFilterRect(place.rectangle(layer))
    request.setFlags(request.flags() | QgsFeatureRequest.Flag.ExactIntersect)
    if rows is not None:
        request.setFilterExpression(both(rows))
    if legend.draws_everything:
        request.setLimit(returned + 1)
        return sum(1 for _ in layer.getFeatures(request)) > returned
    request.setLimit(returned + MAX_UNDRAWN)
    run = LegendRun(legend, layer, evaluator, place.scale)
    try:
        drawn = sum(1 for feature in layer.getFeatures(request) if run.draws(feature))
    finally:
        run.stop()
    return drawn > returned


def _geometry_kind(layer: QgsVectorLayer) -> str:
    kinds = {
        QgsWkbTypes.GeometryType.LineGeometry: "line",
        QgsWkbTypes.GeometryType.PolygonGeometry: "polygon",
    }
    return kinds.get(layer.geometryType(), "point")
