"""The text that a layer's form shows for a value, from QGIS's own field formatters.

What comes from another layer is read through the caller's lookup rows of that layer, once for all
values of a request: hidden rows have no label, exactly as rows that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Optional, Protocol

from qgis.core import (
    QgsApplication,
    QgsValueRelationFieldFormatter,
    QgsVectorLayer,
)

from ..json_codec import dumps
from ..value_class import mutable_class
from .caller import Caller
from .qgis_evaluate import Evaluator
from .qgis_expressions import AuthoredExpression, column_indexes, parse_expression
from .qgis_features import both, in_list, request_for
from .qgis_values import is_null, to_json, to_text, type_name
from .qgis_widgets import widget_of

MAX_KEYS = 5000
"""With more distinct values than this the whole list of labels is read instead."""


_SIMPLE = (str, int, float, bool)
_FALLBACK = ""
"""The id of the formatter for widgets that have none of their own."""
_WHOLE_NUMBERS = (0, 7, -7, 1234567, -1234567)
"""Of several groups of digits, below and above zero."""
_OF_FEW_VALUES = frozenset({"ValueMap", "CheckBox"})
"""The ids of formatters whose text depends on the value and the widget's settings alone."""


class Labeler(Protocol):
    """Gives the labels of one field."""

    reads_rows: bool
    """True when labels come from rows that ``prepare`` must read."""

    def prepare(self, values: Iterable[Any]) -> None:
        """Read what the labels of these values need."""

    def label(self, value: Any) -> Optional[str]:
        """Return the text for a value."""


class RawLabeler:
    """For attributes whose label the caller may not see: the value itself."""

    reads_rows = False

    def prepare(self, values: Iterable[Any]) -> None:
        """Nothing is needed."""

    def label(self, value: Any) -> Optional[str]:
        """Return the value as text."""
        return to_text(value)


@mutable_class
class FormatterLabeler:
    """Any widget: what QGIS's formatter of that widget says."""

    layer: QgsVectorLayer
    index: int
    config: Mapping[str, Any]
    formatter: Any

    reads_rows = False

    @property
    def shows_text_as_it_is(self) -> bool:
        """True when the label of a text is the text."""
        is_text = type_name(self.layer.fields().at(self.index)) == "string"
        return is_text and self.formatter.id() == _FALLBACK

    @property
    def depends_on_value(self) -> bool:
        """True when equal values always have one label, and a field has few different ones."""
        return str(self.formatter.id()) in _OF_FEW_VALUES

    @cached_property
    def writes_digits(self) -> bool:
        """True when the label of a whole number is its digits, as Python writes them.

        These two formatters ask the locale of the server, which may group digits or have others, and
        the column for its default, which is then told as it is written there (3.22 to 3.44).
        """
        field = self.layer.fields().at(self.index)
        is_integer = type_name(field) == "integer"
        if not is_integer or str(self.formatter.id()) not in (_FALLBACK, "Range"):
            return False
        provider = self.layer.dataProvider()
        if self.index >= provider.fields().count():
            return False  # joined or computed
        if any(map(str.isdigit, provider.defaultValueClause(self.index))):
            return False
        return all(self.label(number) == str(number) for number in _WHOLE_NUMBERS)

    def prepare(self, values: Iterable[Any]) -> None:
        """Nothing is needed but the value."""

    def label(self, value: Any) -> Optional[str]:
        """Return the formatter's text; nothing where it only has its word for NULL."""
        represent = self.formatter.representValue
        text: str = represent(self.layer, self.index, self.config, None, value)
        if isinstance(value, _SIMPLE):
            return text
        if is_null(value):
            return None if text in ("", _null_text()) else text
        if text == "" and isinstance(value, (dict, list)):
            return dumps(to_json(value)).decode("utf-8")  # the JSON widget shows it written out
        return text


@mutable_class
class ValueRelationLabeler:
    """Value relation: the texts of those rows of the other layer that are needed and visible.

    QGIS's formatter would read all rows for every value, hidden ones too, and takes no cache from
    Python; so its few lines are repeated here.
    """

    target: QgsVectorLayer
    config: Mapping[str, Any]
    rows: Optional[str]
    _texts: dict[Optional[str], str] = field(default_factory=dict)
    """Key → text, in the order the form lists them."""
    reads_rows = True

    def prepare(self, values: Iterable[Any]) -> None:
        """Read the texts of these values through the caller's rows."""
        fields = self.target.fields()
        key, value = (fields.lookupField(str(self.config.get(of, ""))) for of in ("Key", "Value"))
        own = str(self.config.get("FilterExpression", "") or "")
        if own and _needs_form(own):
            own = ""  # QGIS leaves it out, too, where there is no form
        request = request_for(self.target, [key, value], geometry=False)
        request.setFilterExpression(both(own or None, self.rows, self._of_values(key, values)))
        pairs = [
            (row.attribute(key), to_text(row.attribute(value)) or "")
            for row in self.target.getFeatures(request)
        ]
        by_value = str(self.config.get("OrderByValue")).lower() in ("true", "1")
        pairs.sort(key=lambda pair: pair[1].casefold() if by_value else _sortable(pair[0]))
        for found, text in pairs:
            self._texts.setdefault(to_text(found), text)

    def label(self, value: Any) -> Optional[str]:
        """Return the text; the value in parentheses where there is no such row to be seen."""
        if is_null(value):
            return None
        if self._is_list:
            keys = set(_keys_of_list(value))
            return "{" + ", ".join(text for key, text in self._texts.items() if key in keys) + "}"
        key = to_text(value)
        return self._texts.get(key, f"({key})")

    @property
    def _is_list(self) -> bool:
        return str(self.config.get("AllowMulti")).lower() in ("true", "1")

    def _of_values(self, key_index: int, values: Iterable[Any]) -> Optional[str]:
        keys: set[Any] = set()
        for value in values:
            if self._is_list:
                keys.update(_keys_of_list(value))
            elif not is_null(value):
                keys.add(value)
        return None if len(keys) > MAX_KEYS else in_list(self.target, key_index, keys)


def _sortable(value: Any) -> tuple[bool, float, str]:
    """Return a sorting key that puts numbers before texts."""
    is_number = isinstance(value, (int, float))
    return not is_number, value if is_number else 0.0, to_text(value) or ""


def _keys_of_list(value: Any) -> Iterable[Any]:
    if is_null(value):
        return []
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return list(QgsValueRelationFieldFormatter.valueToStringList(value))


def _needs_form(text: str) -> bool:
    formatter = QgsValueRelationFieldFormatter
    if formatter.expressionRequiresFormScope(text):
        return True
    return bool(formatter.expressionRequiresParentFormScope(text))


class RelationReferenceLabeler:
    """Relation reference: the display name of the record that is referred to."""

    reads_rows = True

    def __init__(
        self, target: QgsVectorLayer, key: int, shown: AuthoredExpression, caller: Caller
    ) -> None:
        self._target = target
        self._key = key
        self._shown = shown
        self._caller = caller
        self._names: dict[Optional[str], str] = {}

    def prepare(self, values: Iterable[Any]) -> None:
        """Read the display names of all records that these values refer to."""
        layer, shown = self._target, self._shown
        columns = column_indexes(layer, shown.columns) | {self._key}
        request = request_for(layer, columns, geometry=shown.needs_geometry)
        rows = self._caller.sight(layer.id()).lookup_rows
        request.setFilterExpression(both(in_list(layer, self._key, values), rows))
        evaluator = Evaluator(layer, self._caller.variables())
        for feature in layer.getFeatures(request):
            key = to_text(feature.attribute(self._key))
            name = to_text(evaluator.value(shown.text, feature))
            self._names.setdefault(key, name or "")

    def label(self, value: Any) -> Optional[str]:
        """Return the display name; the value itself where there is no such record to be seen."""
        if is_null(value):
            return None
        text = to_text(value)
        return self._names.get(text) or text


def plain_labeler(layer: QgsVectorLayer, index: int) -> FormatterLabeler:
    """Return what labels a field for a caller who may see all of its labels."""
    widget, config = widget_of(layer, index)
    formatter = QgsApplication.fieldFormatterRegistry().fieldFormatter(widget)
    return FormatterLabeler(layer, index, config, formatter)


def reads_other_rows(widget: str) -> bool:
    """Return whether the labels of a widget come from rows, so that a labeler is for one answer."""
    return widget in ("ValueRelation", "RelationReference")


def labeler_for(plain: FormatterLabeler, name: str, widget: str, caller: Caller) -> Labeler:
    """Return what labels a field of this name and widget for this caller."""
    if widget == "ValueRelation":
        return _value_relation(plain, caller)
    if widget == "RelationReference":
        return _relation_reference(plain, caller)
    return RawLabeler() if name in caller.sight(plain.layer.id()).raw else plain


def _value_relation(plain: FormatterLabeler, caller: Caller) -> Labeler:
    config = plain.config
    target = QgsValueRelationFieldFormatter.resolveLayer(config, plain.layer.project())
    if not isinstance(target, QgsVectorLayer) or not target.isValid():
        return plain if not caller.is_restricted else RawLabeler()
    sight = caller.sight(target.id())
    if any(target.fields().lookupField(str(config.get(of, ""))) < 0 for of in ("Key", "Value")):
        return RawLabeler()
    texts = [str(config.get(name) or "") for name in ("FilterExpression", "Description")]
    parsed = [_parsed(target, text) for text in texts if text]
    if not sight.looks_up_all({str(config.get("Value", ""))}) or not all(
        expression is not None and _is_open_as_label(target, expression, caller)
        for expression in parsed
    ):
        return RawLabeler()
    return ValueRelationLabeler(target, config, sight.lookup_rows)


def _relation_reference(plain: FormatterLabeler, caller: Caller) -> Labeler:
    project = plain.layer.project()
    relation = project.relationManager().relation(str(plain.config.get("Relation", "")))
    target = relation.referencedLayer() if relation.isValid() else None
    if target is None or relation.referencingLayer() is not plain.layer:
        return plain if not caller.is_restricted else RawLabeler()
    own_name = plain.layer.fields().at(plain.index).name()
    key = target.fields().lookupField(relation.fieldPairs().get(own_name, ""))
    shown = _parsed(target, target.displayExpression())
    if key < 0 or shown is None or not _is_open_as_label(target, shown, caller):
        return RawLabeler()
    return RelationReferenceLabeler(target, key, shown, caller)


def _parsed(layer: QgsVectorLayer, text: str) -> Optional[AuthoredExpression]:
    try:
        return parse_expression(layer, text)
    except ValueError:
        return None


def _is_open_as_label(
    target: QgsVectorLayer, expression: AuthoredExpression, caller: Caller
) -> bool:
    """Return whether an expression over a layer of labels reads only what is open as a label."""
    sight = caller.sight(target.id())
    if not sight.lookup:
        return False
    if expression.columns is None or expression.layers != frozenset() or expression.reads_rows:
        return expression.is_open_to(caller)
    return sight.looks_up_all(expression.columns)


def _null_text() -> str:
    return str(QgsApplication.nullRepresentation())
