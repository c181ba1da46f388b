"""Expressions that the author of a project wrote, and who may see what comes of them.

An expression may read more than the row it is shown with: other layers (``aggregate``), all rows of
its own (``sum("x")``), the label of an attribute (``represent_value``). What it reads is found out
once, when the project is loaded; a caller who does not see all of that gets nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from qgis.core import (
    QgsExpression,
    QgsFeatureRequest,
    QgsProject,
    QgsVectorLayer,
)

from ..value_class import value_class
from .caller import Caller
from .expression_calls import first_arguments
from .templates import expressions_of

#: Functions whose result depends on things that no rule can be checked against.
_OPAQUE = frozenset(
    {
        "eval",
        "eval_template",
        "env",
        "maptip",
        "display_expression",
        "is_selected",
        "num_selected",
        "sqlite_fetch_and_increment",
        "load_layer",
        "sensor_data",
    }
)
_REPRESENT = frozenset({"represent_value", "represent_attributes"})
_WHOLE_FEATURE = frozenset({"$currentfeature", "feature", "parent"})
_LABELS_OF_OTHERS = frozenset({"ValueRelation", "RelationReference"})


class ExpressionFailedError(ValueError):
    """An expression of the author's that could not be evaluated."""


@value_class
class AuthoredExpression:
    """A parsed expression of one layer, and what it reads."""

    text: str
    layer_id: str
    columns: Optional[frozenset[str]]
    """Attributes of its own layer; None for all of them."""
    layers: Optional[frozenset[str]] = frozenset()
    """Other layers that it reads, by id; None where that cannot be told."""
    reads_rows: bool = False
    """True when it reads other rows of its own layer."""
    needs_geometry: bool = False
    unknown: frozenset[str] = frozenset()
    """Column names that the layer has no attribute for."""

    def is_open_to(self, caller: Caller) -> bool:
        """Return whether the caller sees everything that the expression reads."""
        sight = caller.sight(self.layer_id)
        if self.columns is None and not sight.is_whole:
            return False
        if not sight.shows_all(self.columns or ()):
            return False
        if self.reads_rows and sight.rows is not None:
            return False
        if self.layers is None:
            return not caller.is_restricted
        return all(caller.sight(layer_id).is_whole for layer_id in self.layers)


def parse_expression(layer: QgsVectorLayer, text: str) -> AuthoredExpression:
    """Return an expression over a layer's features; raise ValueError when it does not parse."""
    expression = QgsExpression(text)
    if expression.hasParserError() or not expression.isValid():
        reason = expression.parserErrorString().strip() or "it is empty"
        raise ValueError(f"does not parse: {reason}")
    functions = frozenset(expression.referencedFunctions())
    columns, unknown = _columns(layer, expression)
    layers = _layers(layer, expression, functions, columns)
    return AuthoredExpression(
        text=text,
        layer_id=layer.id(),
        columns=columns,
        layers=layers,
        reads_rows=any(name in _aggregates() for name in functions),
        needs_geometry=expression.needsGeometry(),
        unknown=unknown if layers == frozenset() else frozenset(),
    )


def parse_template(layer: QgsVectorLayer, template: str) -> list[AuthoredExpression]:
    """Return the expressions of a template with ``[% %]``; raise ValueError for a broken one."""
    return [parse_expression(layer, text) for text in expressions_of(template)]


def column_indexes(layer: QgsVectorLayer, columns: Optional[Iterable[str]]) -> set[int]:
    """Return the indexes of the columns an expression reads; None stands for all."""
    fields = layer.fields()
    if columns is None:
        return set(range(fields.count()))
    return {index for index in map(fields.lookupField, columns) if index >= 0}


def _columns(
    layer: QgsVectorLayer, expression: QgsExpression
) -> tuple[Optional[frozenset[str]], frozenset[str]]:
    referenced = set(expression.referencedColumns())
    special = expression.referencedVariables() | expression.referencedFunctions()
    reads_all = QgsFeatureRequest.ALL_ATTRIBUTES in referenced or special & _WHOLE_FEATURE
    referenced.discard(QgsFeatureRequest.ALL_ATTRIBUTES)
    fields = layer.fields()
    indexes = {name: fields.lookupField(name) for name in referenced}
    known = frozenset(fields.at(index).name() for index in indexes.values() if index >= 0)
    unknown = frozenset(name for name, index in indexes.items() if index < 0)
    return (None if reads_all else known), unknown


def _layers(
    layer: QgsVectorLayer,
    expression: QgsExpression,
    functions: frozenset[str],
    columns: Optional[frozenset[str]],
) -> Optional[frozenset[str]]:
    found: set[str] = set()
    for name in functions:
        kind = _kinds().get(name)
        if kind == "harmless" or name in _aggregates():
            continue
        if kind == "layer":
            named = _named_layers(layer, expression, name)
        elif name in _REPRESENT:
            named = _label_layers(layer, columns, expression.dump())
        else:
            named = None  # a function of a plugin's, or one that reads anything
        if named is None:
            return None
        found |= named
    return frozenset(found)


_KINDS: dict[str, str] = {}
_AGGREGATES: set[str] = set()


def _kinds() -> dict[str, str]:
    """Return QGIS's own functions as ``harmless``, ``layer`` (reads a layer it names), or else."""
    if not _KINDS:
        own = set(QgsExpression.BuiltinFunctions()) | {"var"}
        for function in QgsExpression.Functions():
            name = function.name()
            names = [parameter.name() for parameter in function.parameters()]
            if name in _OPAQUE or name in _REPRESENT or function.isContextual():
                _KINDS[name] = "opaque"
            elif names and names[0] in ("layer", "relation"):
                _KINDS[name] = "layer"
            elif "Aggregates" in function.groups():
                _AGGREGATES.add(name)
            elif name in own and not any("layer" in parameter for parameter in names):
                _KINDS[name] = "harmless"
    return _KINDS


def _aggregates() -> set[str]:
    """Return the functions over all rows of the layer itself: ``sum("x")``."""
    _kinds()
    return _AGGREGATES


def _named_layers(
    layer: QgsVectorLayer, expression: QgsExpression, function: str
) -> Optional[set[str]]:
    """Return the layers named by the first argument of each call; None for anything but a text."""
    project = layer.project() or QgsProject.instance()
    found: set[str] = set()
    for name in first_arguments(expression.dump(), function):
        layers = _layers_called(project, name)
        if not layers:
            return None
        found |= layers
    return found or None


def _layers_called(project: QgsProject, name: Optional[str]) -> set[str]:
    """Return every layer that a name could mean: id, name, or a relation's referencing layer."""
    if name is None:
        return set()
    found = {
        layer.id() for layer in project.mapLayers().values() if name in (layer.id(), layer.name())
    }
    for relation in project.relationManager().relations().values():
        if name in (relation.id(), relation.name()):
            found |= {relation.referencingLayerId(), relation.referencedLayerId()}
    return found


def _label_layers(
    layer: QgsVectorLayer, columns: Optional[frozenset[str]], text: str
) -> Optional[set[str]]:
    """Return the layers that labels of the columns named in an expression come from."""
    found: set[str] = set()
    fields = layer.fields()
    for name in fields.names():
        if columns is not None and name not in columns and f"'{name}'" not in text:
            continue
        target = label_layer(layer, fields.indexFromName(name))
        if target == "":
            return None
        if target is not None:
            found.add(target)
    return found


def label_layer(layer: QgsVectorLayer, index: int) -> Optional[str]:
    """Return the id of the layer that a field's labels come from; empty where it is not there."""
    setup = layer.editorWidgetSetup(index)
    if setup.type() not in _LABELS_OF_OTHERS:
        return None
    project = layer.project() or QgsProject.instance()
    relation = project.relationManager().relation(str(setup.config().get("Relation", "")))
    is_relation = setup.type() == "RelationReference" and relation.isValid()
    target = relation.referencedLayerId() if is_relation else setup.config().get("Layer", "")
    return str(target) if project.mapLayer(str(target)) is not None else ""
