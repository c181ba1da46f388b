"""The geometry of a feature in the five ways a project may ask for."""

from __future__ import annotations

import json
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsProject,
)

from . import settings as words

WGS84_CRS = "EPSG:4326"


class GeometryWriter:
    """Writes geometries of one layer as GeoJSON, x before y as GeoJSON has it."""

    def __init__(
        self,
        mode: str,
        precision: int,
        layer_crs: QgsCoordinateReferenceSystem,
        request_crs: QgsCoordinateReferenceSystem,
    ) -> None:
        self._mode = mode
        self._precision = precision
        target = QgsCoordinateReferenceSystem(WGS84_CRS) if mode == words.WGS84 else request_crs
        self._transform: Optional[QgsCoordinateTransform] = None
        if layer_crs.isValid() and target.isValid() and layer_crs != target:
            self._transform = QgsCoordinateTransform(layer_crs, target, QgsProject.instance())

    def write(self, geometry: QgsGeometry) -> tuple[Any, Optional[list[float]]]:
        """Return the geometry and the ``bbox`` member; nothing of one that cannot be told."""
        if self._mode == words.NO_GEOMETRY or geometry.isNull() or geometry.isEmpty():
            return None, None
        shape = QgsGeometry(geometry)
        try:
            if self._transform is not None:
                shape.transform(self._transform)
        except QgsCsException:
            return None, None
        if self._mode == words.BBOX:
            box = self._box(shape)
            return (None, None) if box is None else (_box_polygon(box), box)
        if self._mode == words.CENTROID:
            shape = shape.centroid()
        return self._json(shape), None

    def _box(self, shape: QgsGeometry) -> Optional[list[float]]:
        box = shape.boundingBox()
        if not box.isFinite():
            return None
        edges = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
        return [round(edge, self._precision) for edge in edges]

    def _json(self, shape: QgsGeometry) -> Any:
        if shape.isNull() or not shape.boundingBox().isFinite():
            return None
        # The standard reader: an infinite or missing height must not fail the whole answer.
        return json.loads(shape.asJson(self._precision), parse_constant=lambda _: None)


def _box_polygon(box: list[float]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = box
    ring = [[x_min, y_min], [x_max, y_min], [x_max, y_max], [x_min, y_max], [x_min, y_min]]
    return {"type": "Polygon", "coordinates": [ring]}
