"""Reads what is told of records: display name, fields with labels, computed values.

The labels of all records are prepared together; an entry is made once for each value of a field,
and records that share a value share the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Optional

from qgis.core import QgsFeature

from ..value_class import mutable_class
from .caller import Caller
from .fields import computed_entry
from .qgis_evaluate import Evaluator
from .qgis_expressions import AuthoredExpression, column_indexes
from .qgis_labels import labeler_for
from .qgis_plan import FieldPlan, RecordPlan
from .qgis_values import to_json, to_text
from .settings import KEEP
from .values import is_dropped, json_value

_SIMPLE = frozenset({str, int, float, bool})


@mutable_class
class Record:
    """What is told of one record."""

    title: Optional[str]
    fields: list[dict[str, Any]]
    computed: dict[str, dict[str, Any]]


class RecordReader:
    """Reads records of one layer for one caller, who sees only what his rules show."""

    def __init__(self, plan: RecordPlan, caller: Caller, empty: str) -> None:
        self.plan = plan
        self.caller = caller
        self.sight = caller.sight(plan.layer_id)
        self.evaluator = Evaluator(plan.layer, caller.variables())
        self._empty = empty
        self._fields = [_FieldReader(field, caller) for field in self._visible_fields()]
        self._has_conditions = any(field.plan.conditions for field in self._fields)
        self._title = self.open(plan.title)
        self._title_index = _single_field(plan, self._title)
        self._computed = {
            name: computed
            for name, computed in plan.computed.items()
            if computed.expression.is_open_to(caller)
        }

    def open(self, expression: Optional[AuthoredExpression]) -> Optional[AuthoredExpression]:
        """Return an expression if the caller may see what comes of it."""
        is_open = expression is not None and expression.is_open_to(self.caller)
        return expression if is_open else None

    def _visible_fields(self) -> Iterable[FieldPlan]:
        for field in self.plan.fields:
            conditions = all(item.is_open_to(self.caller) for item in field.conditions)
            if conditions and self.sight.shows(field.attribute):
                yield field

    def expressions(self) -> list[AuthoredExpression]:
        """Return every expression that is evaluated on a record."""
        found = [computed.expression for computed in self._computed.values()]
        found += [condition for field in self._fields for condition in field.plan.conditions]
        return found + ([self._title] if self._title is not None else [])

    def attributes(self) -> set[int]:
        """Return the indexes of the attributes that must be read."""
        indexes = {field.plan.index for field in self._fields}
        for expression in self.expressions():
            indexes |= column_indexes(self.plan.layer, expression.columns)
        return indexes

    def needs_geometry(self) -> bool:
        """Return whether an expression asks for the shape."""
        return any(expression.needs_geometry for expression in self.expressions())

    def read(self, features: Sequence[QgsFeature]) -> list[Record]:
        """Return what is told of these features."""
        rows = [feature.attributes() for feature in features]
        for field in self._fields:
            if field.labeler.reads_rows:
                field.labeler.prepare([row[field.index] for row in rows])
        return [self._record(feature, row) for feature, row in zip(features, rows)]

    def _record(self, feature: QgsFeature, row: list[Any]) -> Record:
        fields = self._fields
        if self._has_conditions:
            fields = [field for field in fields if self._is_shown(field, feature)]
        entries = [field.entry(row[field.index]) for field in fields]
        if self._empty != KEEP:
            entries = [entry for entry in entries if not is_dropped(entry["value"], self._empty)]
        computed = self._computed_of(feature) if self._computed else {}
        return Record(self._title_of(feature, row), entries, computed)

    def _is_shown(self, field: _FieldReader, feature: QgsFeature) -> bool:
        conditions = field.plan.conditions
        return not conditions or self.evaluator.is_true(conditions, feature)

    def _title_of(self, feature: QgsFeature, row: list[Any]) -> Optional[str]:
        if self._title is None:
            return None
        if self._title_index >= 0:
            return to_text(row[self._title_index])
        return to_text(self.evaluator.value(self._title.text, feature))

    def _computed_of(self, feature: QgsFeature) -> dict[str, dict[str, Any]]:
        found = {}
        for name, computed in self._computed.items():
            raw = self.evaluator.value(computed.expression.text, feature)
            value = to_json(raw)
            if not is_dropped(value, self._empty):
                found[name] = computed_entry(value, to_text(raw), computed.unit)
        return found


class _FieldReader:
    """Makes the entries of one field; texts of their own and equal values the short way."""

    def __init__(self, plan: FieldPlan, caller: Caller) -> None:
        self.plan = plan
        self.index = plan.index
        self.labeler = labeler_for(plan.labeler, plan.attribute, plan.frame.widget, caller)
        self._is_text = plan.is_text and self.labeler is plan.labeler
        self._entries: dict[tuple[type, Any], dict[str, Any]] = {}
        """By kind, too: to Python 1, 1.0 and True are one key, and 1.0 is not a JSON true."""

    def entry(self, value: Any) -> dict[str, Any]:
        """Return the entry for a value."""
        kind = type(value)
        if kind is str and self._is_text:
            return self.plan.frame.text_entry(value)
        if kind not in _SIMPLE:
            return self.plan.frame.entry(to_json(value), self.labeler.label(value))
        known = self._entries.get((kind, value))
        if known is None:
            known_value = value if kind is str else json_value(value)
            known = self.plan.frame.entry(known_value, self.labeler.label(value))
            self._entries[kind, value] = known
        return known


def _single_field(plan: RecordPlan, expression: Optional[AuthoredExpression]) -> int:
    """Return the index of the field that an expression merely names, else -1."""
    if expression is None or expression.columns is None or len(expression.columns) != 1:
        return -1
    (name,) = expression.columns
    is_field = expression.text.strip() in (name, '"' + name.replace('"', '""') + '"')
    return int(plan.layer.fields().indexFromName(name)) if is_field else -1
