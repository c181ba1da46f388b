"""QGIS values and field types → JSON values and their names."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import NULL, QgsField
from qgis.PyQt.QtCore import QByteArray, QDate, QDateTime, Qt, QTime, QVariant

from .values import json_value, plain_text

#: Numbers of ``QMetaType::Type``, the same in Qt 5 and Qt 6.
_TYPE_NAMES = {
    1: "boolean",
    2: "integer",
    3: "integer",
    4: "integer",
    5: "integer",
    6: "number",
    8: "json",
    9: "list",
    10: "string",
    11: "list",
    12: "binary",
    14: "date",
    15: "time",
    16: "datetime",
    38: "number",
}
OTHER_TYPE = "other"
_PLAIN = (str, int, float, bool)


def type_name(field: QgsField) -> str:
    """Return the name of a field's type as the answer tells it."""
    kind = field.type()
    return _TYPE_NAMES.get(int(getattr(kind, "value", kind)), OTHER_TYPE)


def is_null(value: Any) -> bool:
    """Return whether a value is SQL's NULL."""
    return value is None or (isinstance(value, QVariant) and value == NULL)


def to_json(value: Any) -> Any:
    """Return a QGIS value as JSON can carry it: dates as ISO 8601, geometries as WKT.

    Binary data has no place in an answer for people and is null.
    """
    if value is None or isinstance(value, _PLAIN):
        return json_value(value)
    if isinstance(value, QVariant):
        return None if value == NULL or value.isNull() else json_value(value.value())
    if isinstance(value, (QDateTime, QDate, QTime)):
        return _iso_date(value)
    if isinstance(value, QByteArray):
        return None
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return _geometry_text(value)


def to_text(value: Any) -> Optional[str]:
    """Return a QGIS value as text; None for NULL."""
    return plain_text(to_json(value))


def _iso_date(value: Any) -> Optional[str]:
    """Return ISO 8601, with milliseconds where there are any and an offset where one is known."""
    if not value.isValid():
        return None
    if isinstance(value, QDate):
        return str(value.toString(Qt.DateFormat.ISODate))
    time = value.time() if isinstance(value, QDateTime) else value
    if isinstance(value, QDateTime) and value.timeSpec() == Qt.TimeSpec.TimeZone:
        value = value.toOffsetFromUtc(value.offsetFromUtc())
    style = Qt.DateFormat.ISODateWithMs if time.msec() else Qt.DateFormat.ISODate
    return str(value.toString(style))


def _geometry_text(value: Any) -> str:
    for name in ("asWkt", "toWkt"):
        write = getattr(value, name, None)
        if callable(write):
            return str(write())
    return str(value)
