"""How many rows a caller sees and how far they reach, kept for a while: finding out reads them all.

Neither tells anything that is hidden. Callers with the same filter share what was found, whatever
they ask for; it is by far the most expensive thing that a document or a page of features can need.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from typing import Any, Callable, Optional

from qgis.core import QgsFeature, QgsFeatureRequest, QgsRectangle

from ..value_class import value_class
from .catalogue import LayerInfo
from .project_access import OperationAccess
from .qgis_rows import filtered_request

_PART = "access_control.visible_rows"
_MOST = sys.float_info.max
"""An extent from here to its negative holds nothing yet (``setMinimal`` is deprecated in 3.40)."""
_NOTHING = QgsRectangle(0, 0, 0, 0)
"""A null rectangle would be written as the largest numbers there are (3.40, 3.44)."""


@value_class
class Figure:
    """Something that is found by reading the rows of a layer that a filter lets through."""

    name: str
    find: Callable[[Any, Optional[str]], Any]
    seconds: float
    """How long it is used again at least."""
    share: float
    """The share of a worker's time that finding it again for one layer may take."""


class VisibleRows:
    """What was found of the visible rows of one generation of a project, by layer and filter."""

    def __init__(self, limit: int = 5000) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[str, str, Optional[str]], tuple[float, Any]]
        self._known = OrderedDict()

    def find(self, figure: Figure, layer: Any, rows: Optional[str]) -> Any:
        """Return a figure of the rows of a layer, from memory while that is young enough."""
        key = (figure.name, layer.id(), rows)
        began = time.monotonic()
        known = self._known.get(key)
        if known is not None and began < known[0]:
            return known[1]
        found = figure.find(layer, rows)
        now = time.monotonic()
        self._known[key] = (now + max(figure.seconds, (now - began) / figure.share), found)
        self._known.move_to_end(key)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return found

    def forget(self, figure: Figure) -> None:
        """Find a figure again for every layer and filter."""
        for key in [key for key in self._known if key[0] == figure.name]:
            del self._known[key]


def visible_extent(access: OperationAccess, info: LayerInfo, state: Any) -> QgsRectangle:
    """Return the extent of the rows that the caller sees; empty when there is none."""
    return QgsRectangle(_find(EXTENT, access, info, state))


def visible_count(access: OperationAccess, info: LayerInfo, state: Any) -> int:
    """Return how many rows of a layer the caller sees."""
    return int(_find(COUNT, access, info, state))


def forget_counts(state: Any) -> None:
    """Count again after an edit, so that an editor finds his own rows counted."""
    known = state.parts.get(_PART)
    if isinstance(known, VisibleRows):
        known.forget(COUNT)


def _find(figure: Figure, access: OperationAccess, info: LayerInfo, state: Any) -> Any:
    known = state.parts.get(_PART)
    if not isinstance(known, VisibleRows):
        known = state.parts[_PART] = VisibleRows()
    rows = access.decision(info.id).rows.expression()
    return known.find(figure, state.layers[info.id], rows)


def _extent(layer: Any, rows: Optional[str]) -> QgsRectangle:
    if rows == "FALSE":
        return QgsRectangle(_NOTHING)
    request = filtered_request(layer, rows)
    request.setSubsetOfAttributes([])
    extent = QgsRectangle(_MOST, _MOST, -_MOST, -_MOST, False)
    features = layer.getFeatures(request)
    feature = QgsFeature()
    while features.nextFeature(feature):  # one object for all rows: a quarter less than a loop
        geometry = feature.geometry()
        if not geometry.isNull():
            extent.combineExtentWith(geometry.boundingBox())
    is_empty = extent.xMinimum() > extent.xMaximum()
    return QgsRectangle(_NOTHING) if is_empty else extent


def _count(layer: Any, rows: Optional[str]) -> int:
    if rows is None:
        return int(layer.featureCount())
    request = filtered_request(layer, rows)
    if not request.filterExpression().needsGeometry():
        request.setFlags(QgsFeatureRequest.NoGeometry)
    request.setSubsetOfAttributes([])
    features = layer.getFeatures(request)
    feature = QgsFeature()
    count = 0
    while features.nextFeature(feature):
        count += 1
    return count


EXTENT = Figure("extent", _extent, seconds=60.0, share=0.01)
COUNT = Figure("count", _count, seconds=5.0, share=0.05)
"""A client that pages asks for it many times."""
