"""Which values of a layer's fields the stock answer tells as they are stored.

QGIS has read the rows for its answer, through the caller's row filter. Where that answer holds every
value that is to be told, the rows are not read once more. It holds a number, a text or a truth value
where the form shows it as it is, and a value map's label, from which its value can be found; in any
doubt :meth:`StockValues.rows` returns nothing, and the rows are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, Union

from qgis.core import NULL, QgsApplication, QgsVectorLayer

from ..value_class import value_class

#: Numbers of ``QMetaType::Type`` → what JSON has for its values (a ULongLong could be too large).
_KINDS: Mapping[int, type] = {1: bool, 2: int, 4: int, 6: float, 10: str}
#: Properties that QGIS adds beside those of the fields.
_ADDED = frozenset({"maptip", "display_name"})
_VALUE_MAP = "ValueMap"
#: What stands for NULL in a value map (``QgsValueMapFieldFormatter::NULL_VALUE``).
_NULL_IN_MAP = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"


@value_class
class StockField:
    """One field whose values the stock answer tells."""

    name: str
    """What the property is called."""
    kind: type
    labels: Optional[Mapping[str, Any]] = None
    """Of a value map: label → value."""


class StockValues:
    """The fields of one layer whose values the stock answer tells."""

    def __init__(self, layer: QgsVectorLayer, display_names: Mapping[str, int]) -> None:
        count = layer.fields().count()
        names = [layer.attributeDisplayName(index) for index in range(count)]
        published = set(display_names.values())
        self._fields: dict[int, StockField] = {}
        for index, name in enumerate(names):
            if index in published and names.count(name) == 1 and name not in _ADDED:
                found = _stock_field(layer, index, name)
                if found is not None:
                    self._fields[index] = found

    def tell(self, indexes: Iterable[int]) -> bool:
        """Return whether the values of all of these fields may be in the answer."""
        return all(index in self._fields for index in indexes)

    def rows(
        self, stock: Sequence[Mapping[str, Any]], indexes: Sequence[int]
    ) -> Optional[list[dict[int, Any]]]:
        """Return field index → value for each stock feature; None where any value is not told."""
        fields = [(index, self._fields[index]) for index in indexes]
        rows = []
        for feature in stock:
            row = _row(feature.get("properties") or {}, fields)
            if row is None:
                return None
            rows.append(row)
        return rows


def _row(
    properties: Mapping[str, Any], fields: Sequence[tuple[int, StockField]]
) -> Optional[dict[int, Any]]:
    row: dict[int, Any] = {}
    for index, field in fields:
        value = properties.get(field.name, _row)  # the function itself: no value of JSON's
        if field.labels is not None:
            value = field.labels.get(value, _row) if type(value) is str else _row
        elif value is None:
            value = NULL
        elif type(value) is not field.kind:
            return None
        if value is _row:
            return None
        row[index] = value
    return row


def _stock_field(layer: QgsVectorLayer, index: int, name: str) -> Optional[StockField]:
    kind = layer.fields().at(index).type()
    expected = _KINDS.get(int(getattr(kind, "value", kind)))
    if expected is None:
        return None
    setup = layer.editorWidgetSetup(index)
    registry = QgsApplication.fieldFormatterRegistry()
    formatter = registry.fieldFormatter(setup.type())
    if formatter.id() == registry.fallbackFieldFormatter().id():
        return StockField(name, expected)
    if setup.type() == _VALUE_MAP and formatter.id() == _VALUE_MAP and expected in (int, str):
        labels = _values_by_label(setup.config().get("map"), expected)
        return None if labels is None else StockField(name, expected, labels)
    return None


def _values_by_label(value_map: Any, kind: type) -> Optional[dict[str, Union[int, str]]]:
    """Return label → value; None where two are the same, or a label may be QGIS's own.

    QGIS shows a value that is not in the map, and NULL, in parentheses or as a word of its own;
    these are in no map, so they are not found here.
    """
    parts = value_map if isinstance(value_map, list) else [value_map]
    pairs = [pair for part in parts if isinstance(part, dict) for pair in part.items()]
    values = [value for _label, value in pairs]
    labels = [label for label, _value in pairs]
    if len(set(labels)) < len(labels) or not all(isinstance(value, str) for value in values):
        return None
    if len(set(values)) < len(values) or any(_may_be_of_qgis(label) for label in labels):
        return None
    if kind is str:
        return {label: value for label, value in pairs if value != _NULL_IN_MAP}
    return {label: int(value) for label, value in pairs if _is_plain_integer(value)}


def _may_be_of_qgis(label: str) -> bool:
    return not label or label.startswith("(") or label == QgsApplication.nullRepresentation()


def _is_plain_integer(value: str) -> bool:
    """Return whether QGIS writes the integer in exactly this way."""
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(value)) == value
