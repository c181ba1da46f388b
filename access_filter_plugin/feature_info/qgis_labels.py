"""The text that a layer's form shows for a value, from QGIS's own field formatters.

What comes from another layer is read through the caller's lookup rows of that layer, once for all
values of a request: hidden rows have no label, exactly as rows that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Protocol

from qgis.core import (
    QgsApplication,
    QgsValueRelationFieldFormatter,
    QgsVectorLayer,
)

from ..json_codec import dumps
from .caller import Caller
from .qgis_evaluate import Evaluator
from .qgis_expressions import AuthoredExpression, column_indexes, parse_expression
from .qgis_features import both, in_list, request_for
from .qgis_values import is_null, to_json, to_text

MAX_KEYS = 5000
"""With more distinct values than this the whole list of labels is read instead."""


class Labeler(Protocol):
    """Gives the labels of one field."""

    def prepare(self, values: Iterable[Any]) -> None:
        """Read what the labels of these values need."""

    def label(self, value: Any) -> Optional[str]:
        """Return the text for a value."""


class RawLabeler:
    """For attributes whose label the caller may not see: the value itself."""

    def prepare(self, values: Iterable[Any]) -> None:
        """Nothing is needed."""

    def label(self, value: Any) -> Optional[str]:
        """Return the value as text."""
        return to_text(value)


@dataclass
class FormatterLabeler:
    """Any widget: what QGIS's formatter of that widget says."""

    layer: QgsVectorLayer
    index: int
    config: Mapping[str, Any]
    formatter: Any
    cache: Any = None

    def prepare(self, values: Iterable[Any]) -> None:
        """Nothing is needed but the value."""

    def label(self, value: Any) -> Optional[str]:
        """Return the formatter's text; nothing where it only has its word for NULL."""
        text = str(
            self.formatter.representValue(self.layer, self.index, self.config, self.cache, value)
        )
        if is_null(value):
            return None if text in ("", _null_text()) else text
        if text == "" and isinstance(value, (dict, list)):
            return dumps(to_json(value)).decode("utf-8")  # the JSON widget shows it written out
        return text


@dataclass
class ValueRelationLabeler(FormatterLabeler):
    """Value relation: the formatter, with a cache of only the rows that are needed and visible."""

    target: Optional[QgsVectorLayer] = None
    rows: Optional[str] = None

    def prepare(self, values: Iterable[Any]) -> None:
        """Let QGIS read the labels of these values, through the caller's rows."""
        own = str(self.config.get("FilterExpression", "") or "")
        if own and _needs_form(own):
            own = ""  # QGIS leaves it out, too, where there is no form
        config = dict(self.config)
        parts = [own or None, self.rows, self._of_values(values)]
        config["FilterExpression"] = both(*parts)
        self.cache = self.formatter.createCache(self.layer, self.index, config)

    def _of_values(self, values: Iterable[Any]) -> Optional[str]:
        keys: set[Any] = set()
        for value in values:
            if self.config.get("AllowMulti"):
                keys.update(_keys_of_list(value))
            elif not is_null(value):
                keys.add(value)
        if self.target is None:
            return None
        key_index = self.target.fields().lookupField(str(self.config.get("Key", "")))
        if key_index < 0 or len(keys) > MAX_KEYS:
            return None
        return in_list(self.target, key_index, keys)


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


def labeler_for(layer: QgsVectorLayer, index: int, caller: Caller) -> Labeler:
    """Return what labels a field for this caller."""
    setup = layer.editorWidgetSetup(index)
    registry = QgsApplication.fieldFormatterRegistry()
    plain = FormatterLabeler(layer, index, setup.config(), registry.fieldFormatter(setup.type()))
    name = layer.fields().at(index).name()
    if setup.type() == "ValueRelation":
        return _value_relation(plain, caller)
    if setup.type() == "RelationReference":
        return _relation_reference(plain, caller)
    return RawLabeler() if name in caller.sight(layer.id()).raw else plain


def _value_relation(plain: FormatterLabeler, caller: Caller) -> Labeler:
    config = plain.config
    target = QgsValueRelationFieldFormatter.resolveLayer(config, plain.layer.project())
    if not isinstance(target, QgsVectorLayer) or not target.isValid():
        return plain if not caller.is_restricted else RawLabeler()
    sight = caller.sight(target.id())
    texts = [str(config.get(name) or "") for name in ("FilterExpression", "Description")]
    parsed = [_parsed(target, text) for text in texts if text]
    if not sight.looks_up_all({str(config.get("Value", ""))}) or not all(
        expression is not None and _is_open_as_label(target, expression, caller)
        for expression in parsed
    ):
        return RawLabeler()
    return ValueRelationLabeler(
        plain.layer,
        plain.index,
        config,
        plain.formatter,
        target=target,
        rows=sight.lookup_rows,
    )


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
