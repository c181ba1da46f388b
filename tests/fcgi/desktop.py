"""QGIS Desktop without its windows: answers commands about one server as one user.

Reads one JSON object a line (``{"do": NAME, …}``) and writes one JSON answer a line. In a process
of its own, since the providers keep what they have read, per process and address.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Optional

from qgis.core import (
    NULL,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDataSourceUri,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureStore,
    QgsGeometry,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsRaster,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QEventLoop, QSize, QTimer
from qgis.PyQt.QtGui import QColor

SIZE = 100
"""Pixels of a drawn map, of ten by ten units."""

FORMATS = {
    "text": QgsRaster.IdentifyFormat.IdentifyFormatText,
    "html": QgsRaster.IdentifyFormat.IdentifyFormatHtml,
    "feature": QgsRaster.IdentifyFormat.IdentifyFormatFeature,
}


class Desktop:
    """The layers that a user of QGIS Desktop adds from one server."""

    def __init__(self, base: str, user: str, password: str) -> None:
        self._base = base
        self._user, self._password = user, password

    # ---- WMS, WMTS, WCS

    def _raster(self, provider: str, layers: str = "", **parts: str) -> QgsRasterLayer:
        uri = QgsDataSourceUri()
        uri.setUsername(self._user)
        uri.setPassword(self._password)
        style = parts.pop("styles", "")
        for key, value in {"url": self._base, **parts}.items():
            uri.setParam(key, value)
        text = bytes(uri.encodedUri()).decode()
        for name in layers.split(",") if layers else ():
            text += f"&layers={name}&styles={style}"
        return QgsRasterLayer(text, "layer", provider)

    def _wms(self, layers: str) -> QgsRasterLayer:
        return self._raster("wms", layers, crs="EPSG:4326", format="image/png")

    def wms(self, layers: str) -> dict[str, Any]:
        """Load layers by their capabilities."""
        layer = self._wms(layers)
        return {"valid": layer.isValid(), "told": layer.htmlMetadata()}

    def draw(self, layers: str) -> dict[str, Any]:
        """Draw a map; return its commonest colour and the units in which there is another."""
        return _drawn(self._wms(layers))

    def tiles(self, layers: str) -> dict[str, Any]:
        """Draw a map of tiles."""
        url = f"{self._base}?SERVICE=WMTS&REQUEST=GetCapabilities"
        layer = self._raster(
            "wms",
            url=url,
            layers=layers,
            styles="default",
            tileMatrixSet="EPSG:3857",
            crs="EPSG:3857",
            format="image/png",
        )
        if not layer.isValid():
            return {"valid": False}
        return {"valid": True, "told": layer.htmlMetadata(), **_drawn(layer)}

    def identify(self, layers: str, x: float, y: float, how: str) -> dict[str, Any]:
        """Ask what is at a place."""
        layer = self._wms(layers)
        box = QgsRectangle(0, 0, 10, 10)
        found = layer.dataProvider().identify(QgsPointXY(x, y), FORMATS[how], box, SIZE, SIZE)
        return {"valid": found.isValid(), "results": _plain(found.results())}

    def legend(self, layers: str) -> dict[str, Any]:
        """Ask for the picture of a legend."""
        layer = self._wms(layers)
        fetcher = layer.dataProvider().getLegendGraphicFetcher(None)
        loop, images, errors = QEventLoop(), [], []
        fetcher.finish.connect(images.append)
        fetcher.error.connect(errors.append)
        fetcher.finish.connect(loop.quit)
        fetcher.error.connect(loop.quit)
        QTimer.singleShot(0, fetcher.start)
        loop.exec()
        return {"widths": [image.width() for image in images], "errors": errors}

    def coverage(self, name: str, **parts: Any) -> dict[str, Any]:
        """Load a coverage; return its value in the middle."""
        layer = self._raster("wcs", identifier=name, **parts)
        if not layer.isValid():
            return {"valid": False}
        value, known = layer.dataProvider().sample(QgsPointXY(5.2, 5.2), 1)
        return {"valid": True, "value": value if known else None}

    # ---- WFS and OGC API Features

    def _features(self, provider: str, name: str, parts: dict[str, Any]) -> QgsVectorLayer:
        uri = QgsDataSourceUri()
        base = f"{self._base}wfs3" if provider == "OAPIF" else self._base
        for key, value in {"url": base, "typename": name, **parts}.items():
            uri.setParam(key, str(value))
        uri.setUsername(self._user)
        uri.setPassword(self._password)
        return QgsVectorLayer(uri.uri(False), name, provider)

    def read(
        self,
        name: str,
        provider: str = "WFS",
        subset: str = "",
        where: str = "",
        box: Optional[list[float]] = None,
        **parts: Any,
    ) -> dict[str, Any]:
        """Load a layer of features; return what is in it.

        A ``subset`` is the layer's own filter; ``where`` and ``box`` are what a table or a map asks.
        """
        layer = self._features(provider, name, parts)
        if not layer.isValid():
            return {"valid": False}
        layer.dataProvider().reloadData()  # layers of one address share what they have read
        if subset and not layer.setSubsetString(subset):
            return {"valid": True, "rows": [], "error": "the filter was not taken"}
        request = QgsFeatureRequest()
        if where:
            request.setFilterExpression(where)
        if box:
            request.setFilterRect(QgsRectangle(*box))
        names = layer.fields().names()
        rows = [dict(zip(names, row.attributes())) for row in layer.getFeatures(request)]
        provider_of = layer.dataProvider()
        return {
            "valid": True,
            "fields": names,
            "rows": _plain(rows),
            "count": layer.featureCount(),
            "extent": _box(layer.extent()),
            "writes": bool(provider_of.capabilities() & provider_of.EditingCapabilities),
            "error": provider_of.error().message(),
        }

    def edit(
        self, name: str, how: str, where: str = "", provider: str = "WFS", **change: Any
    ) -> dict[str, Any]:
        """Edit a layer as the map tools and the table do; return whether it was saved."""
        parts = {key: change.pop(key) for key in ("version",) if key in change}
        layer = self._features(provider, name, parts)
        started = layer.startEditing()
        rows = list(layer.getFeatures(where)) if where else []
        if how == "insert":
            place, row = change.pop("at"), QgsFeature(layer.fields())
            for key, value in change.items():
                row[key] = value
            row.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*place)))
            layer.addFeature(row)
        for row in rows:
            if how == "delete":
                layer.deleteFeature(row.id())
            elif how == "move":
                place = QgsGeometry.fromPointXY(QgsPointXY(*change["at"]))
                layer.changeGeometry(row.id(), place)
            else:
                for key, value in change.items():
                    layer.changeAttributeValue(row.id(), layer.fields().indexOf(key), value)
        saved = started and layer.commitChanges()
        errors = layer.commitErrors()
        if started and not saved:
            layer.rollBack()
        return {"started": started, "saved": saved, "rows": len(rows), "errors": errors}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if value is None or value == NULL:
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, QgsFeatureStore):
        names = value.fields().names()
        return [_plain(dict(zip(names, row.attributes()))) for row in value.features()]
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _box(box: QgsRectangle) -> list[float]:
    return [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


def _drawn(layer: QgsRasterLayer) -> dict[str, Any]:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    to_layer = QgsCoordinateTransform(degrees, layer.crs(), QgsProject.instance())
    settings.setExtent(to_layer.transformBoundingBox(QgsRectangle(0, 0, 10, 10)))
    settings.setOutputSize(QSize(SIZE, SIZE))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    pixels = {
        (x, y): image.pixelColor(10 * x + 5, 95 - 10 * y).name()
        for x in range(10)
        for y in range(10)
    }
    ground = Counter(pixels.values()).most_common(1)[0][0]
    units = sorted(list(place) for place, color in pixels.items() if color != ground)
    return {"ground": ground, "units": units, "errors": [error.message for error in job.errors()]}


def main() -> None:
    base, user, password = sys.argv[1:4]
    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], True)
    application.initQgis()
    QgsApplication.messageLog().messageReceived.connect(
        lambda text, tag, level: print(tag, level, text, file=sys.stderr)
    )
    desktop = Desktop(base, user, password)
    for line in sys.stdin:
        command = json.loads(line)
        do: Callable[..., Any] = getattr(desktop, command.pop("do"))
        print(json.dumps(do(**command)), flush=True)
    application.exitQgis()


if __name__ == "__main__":
    main()
