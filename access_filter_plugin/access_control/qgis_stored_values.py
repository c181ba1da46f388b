"""What data sources make of the values of an edit: a rule must allow all that may be stored.

Seen: a GeoPackage and a ``timestamp`` of PostgreSQL drop the offset of a time, the first of them its
fractions too (3.22), and a ``timestamptz`` puts a time without offset into the zone of the database,
which nobody here knows. Numbers are rounded to what a field holds, and a uuid is written anew.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import Qgis, QgsGeometry, QgsWkbTypes
from qgis.PyQt.QtCore import QByteArray, QDateTime, Qt, QTime

from .admission.refused import Refused

_DROPS_OFFSETS = Qgis.versionInt() < 34000
"""Of OGR: seen with 3.22, and not with 3.40 and 3.44."""
_ZONES = (*range(-48, 57, 4), -38, -14, -10, 14, 18, 22, 23, 26, 35, 38, 42, 51, 55)
"""The offsets of the world, in quarters of an hour."""


def from_json(value: Any, sent: Any) -> Any:
    """Return a value of JSON as QGIS reads it: the text for a binary field is base64."""
    if isinstance(value, QByteArray) and isinstance(sent, str):
        return QByteArray.fromBase64(sent.encode())
    return value


def readings(
    provider: Any, sent: Mapping[str, Any], values: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the values, and again with each of them as the data source may store it."""
    fields = provider.fields()
    others = {}
    for name, value in values.items():
        found = _others(provider, fields.field(name), sent[name], value)
        if found:
            others[name] = found
    count = max(map(len, others.values()), default=0)
    return [
        values,
        *(
            {**values, **{name: found[min(n, len(found) - 1)] for name, found in others.items()}}
            for n in range(count)
        ),
    ]


def stored_shapes(layer: Any, geometry: Optional[QgsGeometry]) -> list[Optional[QgsGeometry]]:
    """Return a geometry, and again as a layer of another type stores it.

    Several polygons become one with holes on a GeoPackage of single ones (3.22): they are refused.
    """
    if geometry is None or geometry.isNull():
        return [geometry]
    if QgsWkbTypes.geometryType(layer.wkbType()) != geometry.type():
        return [geometry]
    shapes = geometry.coerceToType(layer.wkbType())
    if len(shapes) > 1:
        raise Refused("geometry: the layer holds one shape in a row")
    return [geometry, *(shape for shape in shapes if not shape.equals(geometry))]


def _others(provider: Any, field: Any, sent: Any, value: Any) -> list[Any]:
    kind = field.typeName().lower()
    if isinstance(value, QDateTime):
        return _times(provider, kind, value) if value.isValid() else []
    if isinstance(value, float):
        return _numbers(field, kind, sent, value)
    if isinstance(value, list):
        return _lists(field, sent, value)
    if kind == "uuid" and isinstance(value, str):
        return _uuids(value)
    return []


def _times(provider: Any, kind: str, value: QDateTime) -> list[QDateTime]:
    day, time = value.date(), value.time()
    wall = QDateTime(day, time)
    if provider.name() == "postgres":
        if not ("timestamptz" in kind or "with time zone" in kind):
            return [wall]
        if value.timeSpec() != Qt.TimeSpec.LocalTime:
            return [value.toUTC(), value.toLocalTime()]
        return [QDateTime(day, time, Qt.TimeSpec.OffsetFromUTC, zone * 900) for zone in _ZONES]
    whole = QDateTime(day, QTime(time.hour(), time.minute(), time.second()))
    if provider.name() == "ogr" and _DROPS_OFFSETS:
        return [whole]
    if value.timeSpec() == Qt.TimeSpec.LocalTime:
        return [QDateTime(day, time, Qt.TimeSpec.UTC), value.toUTC(), whole]
    return [] if provider.storageType() == "GPKG" else [wall, whole, value.toUTC()]


def _numbers(field: Any, kind: str, sent: Any, value: float) -> list[float]:
    if not math.isfinite(value):
        return []
    if kind in ("float4", "float32"):
        return _short(value)
    if field.length() <= 0:
        return []
    exact = float(sent) if isinstance(sent, (str, int, float)) and sent != "" else value
    places = max(field.precision(), 0)
    if not math.isfinite(exact) or not (places or "numeric" in kind or "decimal" in kind):
        return []
    from decimal import ROUND_HALF_UP, Decimal  # noqa: PLC0415 (3 ms of a start; only edits need it)

    half_up = Decimal(repr(exact)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return [float(half_up), float(f"{exact:.{places}f}")]


def _short(value: float) -> list[float]:
    """Return a number as four bytes hold it, and as a database then writes it."""
    try:
        packed = struct.pack("f", value)
    except OverflowError:
        return []
    texts = (f"{value:.{digits}g}" for digits in (6, 7, 8, 9))
    shortest = next((float(t) for t in texts if struct.pack("f", float(t)) == packed), value)
    return [float(struct.unpack("f", packed)[0]), shortest]


def _lists(field: Any, sent: Any, value: list[Any]) -> list[Any]:
    if isinstance(sent, list):
        return [] if sent == value else [sent]
    if not (isinstance(sent, str) and sent.startswith("{") and field.typeName().startswith("_")):
        return []
    # PostgreSQL's own way of writing an array, where a field takes it for one text.
    words = (word.strip() for word in sent[1:-1].split(","))
    return [[None if word.upper() == "NULL" else word for word in words] if sent[1:-1] else []]


def _uuids(value: str) -> list[str]:
    from uuid import UUID  # noqa: PLC0415 (4 ms of a start; only edits need it)

    try:
        return [str(UUID(value))]
    except ValueError:
        return []
