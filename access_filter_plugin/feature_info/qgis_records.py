"""Reads what is told of records: display name, fields with labels, computed values.

The labels of all records are prepared together; an entry is made once for each value of a field,
and records that share a value share the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Optional, Union

from qgis.core import QgsFeature

from ..value_class import mutable_class
from .caller import Caller
from .fields import computed_entry
from .qgis_evaluate import Evaluator
from .qgis_expressions import AuthoredExpression, column_indexes
from .qgis_labels import Labeler, labeler_for, reads_other_rows
from .qgis_plan import FieldPlan, RecordPlan
from .qgis_values import to_json, to_text
from .settings import KEEP
from .values import MAX_EXACT_INTEGER, is_dropped, json_value

_SIMPLE = frozenset({str, int, float, bool})
MAX_SHARED = 100
"""Entries of one field that are kept from one answer to the next."""

Row = Union[Sequence[Any], Mapping[int, Any]]
"""The values of one record by the index of their field."""


@mutable_class
class Record:
    """What is told of one record."""

    title: Optional[str]
    fields: list[dict[str, Any]]
    computed: dict[str, dict[str, Any]]


class RecordView:
    """What a caller sees of the records of one plan; it depends on no request and on no data."""

    def __init__(self, plan: RecordPlan, caller: Caller) -> None:
        self.plan = plan
        self.sight = caller.sight(plan.layer_id)
        self.fields = tuple(_visible_fields(plan, caller))
        self._readers = tuple(self._lasting_reader(field, caller) for field in self.fields)
        self.has_conditions = any(field.conditions for field in self.fields)
        self.title = _if_open(plan.title, caller)
        self.title_index = _single_field(plan, self.title)
        self.computed = {
            name: computed
            for name, computed in plan.computed.items()
            if computed.expression.is_open_to(caller)
        }
        expressions = list(self._expressions())
        self.attributes = frozenset(field.index for field in self.fields).union(
            *(column_indexes(plan.layer, expression.columns) for expression in expressions)
        )
        """The indexes of the attributes that must be read."""
        self.needs_geometry = any(expression.needs_geometry for expression in expressions)
        """True when an expression asks for the shape."""

    def readers(self, caller: Caller) -> list[_FieldReader]:
        """Return what makes the entries of one answer; what reads rows of others is made anew."""
        return [
            _FieldReader(field, self._labeler(field, caller)) if reader is None else reader
            for field, reader in zip(self.fields, self._readers)
        ]

    def _lasting_reader(self, field: FieldPlan, caller: Caller) -> Optional[_FieldReader]:
        if reads_other_rows(field.frame.widget):
            return None
        reader = _FieldReader(field, self._labeler(field, caller))
        return reader if reader.is_lasting else None

    @staticmethod
    def _labeler(field: FieldPlan, caller: Caller) -> Labeler:
        return labeler_for(field.labeler, field.attribute, field.frame.widget, caller)

    @property
    def needs_rows(self) -> bool:
        """True when values are not enough: expressions are evaluated on the features themselves."""
        has_title = self.title is not None and self.title_index < 0
        return bool(self.has_conditions or self.computed or has_title)

    def _expressions(self) -> Iterable[AuthoredExpression]:
        yield from (computed.expression for computed in self.computed.values())
        for field in self.fields:
            yield from field.conditions
        if self.title is not None:
            yield self.title


def record_view(plan: RecordPlan, caller: Caller) -> RecordView:
    """Return what a caller sees of a plan, worked out the first time."""
    known: Optional[RecordView] = caller.kept.get(id(plan))
    if known is None or known.plan is not plan:
        known = caller.kept[id(plan)] = RecordView(plan, caller)
    return known


def _visible_fields(plan: RecordPlan, caller: Caller) -> Iterable[FieldPlan]:
    sight = caller.sight(plan.layer_id)
    for field in plan.fields:
        conditions = all(item.is_open_to(caller) for item in field.conditions)
        if conditions and sight.shows(field.attribute):
            yield field


def _if_open(
    expression: Optional[AuthoredExpression], caller: Caller
) -> Optional[AuthoredExpression]:
    """Return an expression if the caller may see what comes of it."""
    is_open = expression is not None and expression.is_open_to(caller)
    return expression if is_open else None


class RecordReader:
    """Reads records of one layer for one caller, who sees only what his rules show."""

    def __init__(self, plan: RecordPlan, caller: Caller, empty: str) -> None:
        self.view = record_view(plan, caller)
        self._caller = caller
        self._empty = empty
        self._fields = self.view.readers(caller)

    @cached_property
    def evaluator(self) -> Evaluator:
        """The layer's expression context, made where an expression is evaluated."""
        return Evaluator(self.view.plan.layer, self._caller.variables())

    def read(self, features: Sequence[QgsFeature]) -> list[Record]:
        """Return what is told of these features."""
        rows = [feature.attributes() for feature in features]
        self._prepare(rows)
        return [self._record(row, feature) for feature, row in zip(features, rows)]

    def read_rows(self, rows: Sequence[Row]) -> list[Record]:
        """Return what is told of records of which only values are known (see ``needs_rows``)."""
        self._prepare(rows)
        return [self._record(row, None) for row in rows]

    def _prepare(self, rows: Sequence[Row]) -> None:
        for field in self._fields:
            if field.labeler.reads_rows:
                field.labeler.prepare([row[field.index] for row in rows])

    def _record(self, row: Row, feature: Optional[QgsFeature]) -> Record:
        fields = self._fields
        if self.view.has_conditions:
            fields = [field for field in fields if self._is_shown(field, feature)]
        entries = [field.entry(row[field.index]) for field in fields]
        if self._empty != KEEP:
            entries = [entry for entry in entries if not is_dropped(entry["value"], self._empty)]
        computed = self._computed_of(feature) if self.view.computed else {}
        return Record(self._title_of(row, feature), entries, computed)

    def _is_shown(self, field: _FieldReader, feature: Optional[QgsFeature]) -> bool:
        conditions = field.plan.conditions
        return not conditions or self.evaluator.is_true(conditions, feature)

    def _title_of(self, row: Row, feature: Optional[QgsFeature]) -> Optional[str]:
        view = self.view
        if view.title is None:
            return None
        if view.title_index >= 0:
            return to_text(row[view.title_index])
        return to_text(self.evaluator.value(view.title.text, feature))

    def _computed_of(self, feature: Optional[QgsFeature]) -> dict[str, dict[str, Any]]:
        found = {}
        for name, computed in self.view.computed.items():
            raw = self.evaluator.value(computed.expression.text, feature)
            value = to_json(raw)
            if not is_dropped(value, self._empty):
                found[name] = computed_entry(value, to_text(raw), computed.unit)
        return found


class _FieldReader:
    """Makes the entries of one field; texts of their own and equal values the short way."""

    def __init__(self, plan: FieldPlan, labeler: Labeler) -> None:
        self.plan = plan
        self.index = plan.index
        self.labeler = labeler
        self._is_text = self._is_shared = self._is_digits = False
        if labeler is plan.labeler:
            self._is_text, self._is_shared = plan.is_text, plan.shares_entries
            self._is_digits = plan.labeler.writes_digits
        self._entries: dict[tuple[type, Any], dict[str, Any]] = (
            plan.entries if self._is_shared else {}
        )
        """By kind, too: to Python 1, 1.0 and True are one key, and 1.0 is not a JSON true."""

    @property
    def is_lasting(self) -> bool:
        """True when it may make the entries of other answers, too: it keeps nothing of this one."""
        return self._is_text or self._is_shared or self._is_digits

    def entry(self, value: Any) -> dict[str, Any]:
        """Return the entry for a value."""
        kind = type(value)
        if kind is str and self._is_text:
            return self.plan.frame.text_entry(value)
        if kind is int and self._is_digits and -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
            return self.plan.frame.entry(value, str(value))
        if kind not in _SIMPLE:
            return self.plan.frame.entry(to_json(value), self.labeler.label(value))
        known = self._entries.get((kind, value))
        if known is None:
            known_value = value if kind is str else json_value(value)
            known = self.plan.frame.entry(known_value, self.labeler.label(value))
            self._keep((kind, value), known)
        return known

    def _keep(self, key: tuple[type, Any], entry: dict[str, Any]) -> None:
        if self.is_lasting:
            if not self._is_shared:
                return
            if len(self._entries) >= MAX_SHARED:
                self._entries.clear()
        self._entries[key] = entry


def _single_field(plan: RecordPlan, expression: Optional[AuthoredExpression]) -> int:
    """Return the index of the field that an expression merely names, else -1."""
    if expression is None or expression.columns is None or len(expression.columns) != 1:
        return -1
    (name,) = expression.columns
    is_field = expression.text.strip() in (name, '"' + name.replace('"', '""') + '"')
    return int(plan.layer.fields().indexFromName(name)) if is_field else -1
