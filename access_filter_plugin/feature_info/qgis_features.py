"""Reads the features of one layer again, with one request, through the caller's row filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsFeatureRequest,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt, QTime

from ..late_pattern import late_pattern
from .qgis_values import is_null, to_text, type_name

#: How QGIS Server joins the values of a key of several columns.
KEY_SEPARATOR = "@@"
#: A key of more parts is not looked for.
MAX_PARTS = 50
_LITERALS = (int, float, str, bool)
_INTEGER = late_pattern(r"-?[0-9]{1,18}")


class FeatureKeys:
    """How QGIS Server names the features of a layer: by primary key, else by feature id."""

    def __init__(self, layer: QgsVectorLayer) -> None:
        self.layer = layer
        self.indexes: list[int] = list(layer.dataProvider().pkAttributeIndexes())

    def key(self, feature: QgsFeature) -> str:
        """Return the name of a feature, as it stands behind the dot of a stock id."""
        if not self.indexes:
            return str(feature.id())
        if len(self.indexes) == 1:
            value = feature.attribute(self.indexes[0])
            return str(value) if type(value) is int else _key_text(value)
        return KEY_SEPARATOR.join(_key_text(feature.attribute(index)) for index in self.indexes)

    def expression(self, keys: Iterable[str]) -> Optional[str]:
        """Return an expression that holds for these features, and perhaps for a few others.

        The columns of a composite key are asked for one by one: a disjunction of a thousand keys
        would be too deep for SQLite. None where there is no key column.
        """
        if not self.indexes:
            return None
        columns: list[list[str]] = [[] for _ in self.indexes]
        for key in keys:
            for column, values in zip(columns, values_in(key, len(self.indexes))):
                column.extend(values)
        return " AND ".join(
            in_list(self.layer, index, column) for index, column in zip(self.indexes, columns)
        )


def values_in(key: str, count: int) -> list[list[str]]:
    """Return, for each column of a key, what its value may be; a text may hold the separator."""
    if count == 1:
        return [[key]]
    parts = key.split(KEY_SEPARATOR)
    if not count <= len(parts) <= MAX_PARTS:
        return []
    found = []
    for column in range(count):
        end = len(parts) - (count - 1 - column)
        starts = range(column, end) if column else [0]
        ends = range(column + 1, end + 1) if column < count - 1 else [end]
        spans = [(first, last) for first in starts for last in ends if first < last]
        found.append([KEY_SEPARATOR.join(parts[first:last]) for first, last in spans])
    return found


def _key_text(value: Any) -> str:
    """Return a key's value as QVariant turns it into text."""
    if isinstance(value, (QDateTime, QTime)):
        return str(value.toString(Qt.DateFormat.ISODateWithMs))
    return to_text(value) or ""


def in_list(layer: QgsVectorLayer, index: int, values: Iterable[Any]) -> str:
    """Return ``"column" IN (…)`` with literals of the column's type; ``FALSE`` without any."""
    field = layer.fields().at(index)
    is_integer = type_name(field) == "integer"
    literals: dict[str, None] = {}
    for value in values:
        if is_integer and isinstance(value, str) and _INTEGER.fullmatch(value):
            literals[value] = None
        else:
            literals.update(dict.fromkeys(_literal(field, value)))
    if not literals:
        return "FALSE"
    return f"{QgsExpression.quotedColumnRef(field.name())} IN ({','.join(literals)})"


def _literal(field: Any, value: Any) -> Iterator[str]:
    if is_null(value):
        return
    try:
        converted = field.convertCompatible(value)
    except ValueError:
        return  # no value of that type, so no row has it
    if is_null(converted):
        return
    if not isinstance(converted, _LITERALS):
        converted = to_text(converted)
    yield QgsExpression.quotedValue(converted)


def request_for(
    layer: QgsVectorLayer, attributes: Iterable[int], *, geometry: bool
) -> QgsFeatureRequest:
    """Return a request for some attributes of a layer's features."""
    request = QgsFeatureRequest()
    request.setSubsetOfAttributes(sorted(set(attributes)))
    if not geometry:
        request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
    return request


def both(*filters: Optional[str]) -> str:
    """Return the conjunction of expressions, without those that are None."""
    return " AND ".join(f"({text})" for text in filters if text is not None)


def fetch_by_key(
    keys: FeatureKeys,
    wanted: Sequence[str],
    rows: Optional[str],
    attributes: Iterable[int],
    *,
    geometry: bool,
) -> dict[str, QgsFeature]:
    """Return key → feature for those of the wanted features that the row filter shows."""
    by_key = keys.expression(wanted)
    if by_key is None:
        return _fetch_by_id(keys.layer, wanted, rows, attributes, geometry=geometry)
    request = request_for(keys.layer, [*attributes, *keys.indexes], geometry=geometry)
    request.setFilterExpression(both(by_key, rows))
    wanted_keys = set(wanted)
    found: dict[str, QgsFeature] = {}
    for feature in keys.layer.getFeatures(request):
        key = keys.key(feature)
        if key in wanted_keys:
            found[key] = feature
            if len(found) == len(wanted_keys):
                break
    return found


def _fetch_by_id(
    layer: QgsVectorLayer,
    wanted: Sequence[str],
    rows: Optional[str],
    attributes: Iterable[int],
    *,
    geometry: bool,
) -> dict[str, QgsFeature]:
    """Fetch by feature id, which no expression can be combined with: the filter is asked here."""
    shown = _RowFilter(layer, rows)
    ids = [int(key) for key in wanted if key.lstrip("-").isdigit()]
    request = request_for(
        layer, [*attributes, *shown.attributes], geometry=geometry or shown.needs_geometry
    )
    request.setFilterFids(ids)
    return {str(feature.id()): feature for feature in layer.getFeatures(request) if shown(feature)}


class _RowFilter:
    """A row filter, asked feature by feature."""

    def __init__(self, layer: QgsVectorLayer, rows: Optional[str]) -> None:
        self._expression = None if rows is None else QgsExpression(rows)
        self.attributes: list[int] = []
        self.needs_geometry = False
        if self._expression is None:
            return
        self._context = QgsExpressionContext(
            QgsExpressionContextUtils.globalProjectLayerScopes(layer)
        )
        self._context.setFields(layer.fields())
        self._expression.prepare(self._context)
        self.attributes = self._indexes(layer)
        self.needs_geometry = self._expression.needsGeometry()

    def _indexes(self, layer: QgsVectorLayer) -> list[int]:
        columns = self._expression.referencedColumns() if self._expression else set()
        if QgsFeatureRequest.ALL_ATTRIBUTES in columns:
            return list(range(layer.fields().count()))
        indexes = (layer.fields().lookupField(column) for column in columns)
        return [index for index in indexes if index >= 0]

    def __call__(self, feature: QgsFeature) -> bool:
        if self._expression is None:
            return True
        self._context.setFeature(feature)
        value = self._expression.evaluate(self._context)
        return not self._expression.hasEvalError() and not is_null(value) and bool(value)
