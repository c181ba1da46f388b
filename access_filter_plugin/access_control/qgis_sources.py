"""What expressions, expression fields, joins and labels are made of.

An expression that reads other layers (``aggregate``, ``get_feature``, relations …) is taken to read
all of every layer it could mean; what cannot be told counts as made of everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsFields,
    QgsProject,
    QgsVectorLayer,
)

from .catalogue import Source
from .expression import ExpressionError, first_arguments
from .qgis_expression import ALL_COLUMNS
from .qgis_functions import (
    FEATURE_FUNCTIONS,
    LABEL_FUNCTIONS,
    LAYER_FUNCTIONS,
    RELATION_FUNCTIONS,
    canonical_name,
    holds_a_feature,
    own_rows_functions,
    unknown_functions,
)

UNKNOWN_SOURCE = Source(layer="", attributes=None)
"""Made of something that cannot be told: closed for everybody who is restricted at all."""


def expression_sources(
    project: QgsProject,
    layer: QgsVectorLayer,
    text: str,
    *,
    follow_labels: bool = True,
    is_in_layout: bool = False,
) -> list[Source]:
    """Return what an expression over a layer's features reads.

    In a layout the layer is the one that its own atlas goes by; elsewhere any atlas may be meant.
    """
    expression = QgsExpression(text)
    if expression.hasParserError():
        return []  # evaluates to NULL
    functions = {canonical_name(name) for name in expression.referencedFunctions()}
    own = own_columns(layer, expression)
    found = [Source(layer.id(), own, rows=bool(own_rows_functions(functions)))]
    if functions & LABEL_FUNCTIONS:
        found += _shown_labels(project, layer, own) if follow_labels else [UNKNOWN_SOURCE]
    found += _read_elsewhere(project, functions, text)
    return found if is_in_layout else found + _of_an_atlas(project, expression)


def free_sources(project: QgsProject, text: str) -> list[Source]:
    """Return what an expression reads that is evaluated over no vector layer."""
    expression = QgsExpression(text)
    if expression.hasParserError():
        return []
    functions = {canonical_name(name) for name in expression.referencedFunctions()}
    found = [UNKNOWN_SOURCE] if functions & LABEL_FUNCTIONS else []
    found += _read_elsewhere(project, functions, text)
    return found + _of_an_atlas(project, expression)


def _read_elsewhere(project: QgsProject, functions: set[str], text: str) -> list[Source]:
    """Return what an expression reads beside the layer that it is evaluated over."""
    found: list[Source] = []
    if functions & (LAYER_FUNCTIONS | RELATION_FUNCTIONS):
        found += _read_layers(project, functions, text)
    if unknown_functions(functions):
        found.append(UNKNOWN_SOURCE)
    return found


def _of_an_atlas(project: QgsProject, expression: QgsExpression) -> list[Source]:
    """Return the layers that atlases go by, of whose rows a label on a page can show any column."""
    found: list[Source] = []
    if all(name.lower() != "atlas_feature" for name in expression.referencedVariables()):
        return found
    for layout in project.layoutManager().printLayouts():
        atlas = layout.atlas()
        if atlas is not None and atlas.enabled() and atlas.coverageLayer() is not None:
            found.append(Source(atlas.coverageLayer().id(), None, rows=False))
    return found


def own_columns(layer: QgsVectorLayer, expression: QgsExpression) -> Optional[frozenset[str]]:
    """Return the attributes that an expression reads of the current feature; None for any."""
    columns = expression.referencedColumns()
    functions = {canonical_name(name) for name in expression.referencedFunctions()}
    whole = any(holds_a_feature(name) for name in expression.referencedVariables())
    if whole or ALL_COLUMNS in columns or functions & FEATURE_FUNCTIONS:
        return None
    fields = layer.fields()
    indexes = (fields.lookupField(column) for column in columns)
    return frozenset(fields.at(index).name() for index in indexes if index >= 0)


def _read_layers(project: QgsProject, functions: set[str], text: str) -> list[Source]:
    """Return the layers that functions read by name; one that is computed may be any of them."""
    found: list[Source] = []
    waiting = functions & (LAYER_FUNCTIONS | RELATION_FUNCTIONS)
    try:
        calls = first_arguments(text)
    except ExpressionError:
        return [UNKNOWN_SOURCE]
    for called, argument in calls:
        name = canonical_name(called)
        if name in LAYER_FUNCTIONS:
            found += _layers_called(project, argument)
        elif name in RELATION_FUNCTIONS:
            found += _relations_called(project, argument)
        waiting.discard(name)
    return found + ([UNKNOWN_SOURCE] if waiting else [])


def _layers_called(project: QgsProject, name: Optional[str]) -> list[Source]:
    if name is None:
        return [UNKNOWN_SOURCE]
    folded = name.lower()
    found = [
        Source(layer.id(), None)
        for layer in project.mapLayers().values()
        if folded in (layer.id().lower(), layer.name().lower())
    ]
    return found or [UNKNOWN_SOURCE]


def _relations_called(project: QgsProject, name: Optional[str]) -> list[Source]:
    found = [
        Source(relation.referencingLayerId(), None)
        for relation in project.relationManager().relations().values()
        if name in (relation.id(), relation.name())
    ]
    return found or [UNKNOWN_SOURCE]


def _shown_labels(
    project: QgsProject, layer: QgsVectorLayer, columns: Optional[frozenset[str]]
) -> list[Source]:
    """Return where the labels of these columns come from (all columns when None)."""
    return [
        source
        for name, sources in label_sources(project, layer).items()
        if columns is None or name in columns
        for source in sources
    ]


def attribute_sources(project: QgsProject, layer: QgsVectorLayer) -> dict[str, tuple[Source, ...]]:
    """Return attribute → sources for expression fields and joined fields."""
    found: dict[str, tuple[Source, ...]] = {}
    fields = layer.fields()
    for index in range(fields.count()):
        origin = fields.fieldOrigin(index)
        name = fields.at(index).name()
        if origin == QgsFields.FieldOrigin.OriginExpression:
            text = layer.expressionField(index)
            found[name] = tuple(expression_sources(project, layer, text))
        elif origin == QgsFields.FieldOrigin.OriginJoin:
            found[name] = tuple(_join_sources(project, layer, name))
    return found


def _join_sources(project: QgsProject, layer: QgsVectorLayer, name: str) -> list[Source]:
    """Return what a joined column is made of: the other layer's column and this layer's key."""
    found: list[Source] = []
    for join in layer.vectorJoins():
        joined = join.joinLayer()
        if joined is None:
            continue
        for field in joined.fields():
            if join.prefixedFieldName(field) == name:
                found.append(Source(layer.id(), frozenset({join.targetFieldName()}), rows=False))
                found += _joined_column(project, layer, joined, field.name(), join.joinFieldName())
    return found or [UNKNOWN_SOURCE]


def _joined_column(
    project: QgsProject, layer: QgsVectorLayer, joined: QgsVectorLayer, column: str, key: str
) -> list[Source]:
    auxiliary = layer.auxiliaryLayer()
    if auxiliary is not None and auxiliary.id() == joined.id():
        return []  # label positions and the like, stored in the project and part of this layer
    if column in displayed_columns(project, joined):
        return [Source(joined.id(), frozenset({column}), is_label=True)]
    # Beside the value that it was found by, the column tells the key of the joined row.
    fields = joined.fields()
    keys = {fields.at(index).name() for index in (fields.lookupField(key),) if index >= 0}
    return [Source(joined.id(), frozenset({column, *keys}))]


def displayed_columns(project: QgsProject, layer: QgsVectorLayer) -> frozenset[str]:
    """Return the columns by which other layers show a layer: what ``lookup`` opens."""
    found = set(_display_columns(layer) or ())
    for other in project.mapLayers().values():
        if isinstance(other, QgsVectorLayer):
            found |= set(_value_columns(other, layer.id()))
    return frozenset(found)


def _display_columns(layer: QgsVectorLayer) -> Optional[frozenset[str]]:
    return own_columns(layer, QgsExpression(layer.displayExpression()))


def _value_columns(layer: QgsVectorLayer, target: str) -> Iterator[str]:
    for index in range(layer.fields().count()):
        setup = layer.editorWidgetSetup(index)
        config = setup.config()
        if setup.type() == "ValueRelation" and config.get("Layer") == target:
            yield str(config.get("Value", ""))


def label_sources(project: QgsProject, layer: QgsVectorLayer) -> dict[str, tuple[Source, ...]]:
    """Return attribute → the layers that its displayed text comes from."""
    found: dict[str, tuple[Source, ...]] = {}
    for index in range(layer.fields().count()):
        setup = layer.editorWidgetSetup(index)
        name = layer.fields().at(index).name()
        if setup.type() == "ValueRelation":
            found[name] = tuple(_value_relation_sources(project, setup.config()))
        elif setup.type() == "RelationReference":
            found[name] = tuple(_relation_reference_sources(project, setup.config()))
    return found


def _value_relation_sources(project: QgsProject, config: dict[str, Any]) -> list[Source]:
    # QGIS takes a layer of that name where the id is not found; then one cannot tell.
    target = project.mapLayer(str(config.get("Layer", "")))
    if not isinstance(target, QgsVectorLayer):
        return [UNKNOWN_SOURCE]
    found = [Source(target.id(), frozenset({str(config.get("Value", ""))}), is_label=True)]
    for key in ("Description", "FilterExpression"):
        found += _as_labels(project, target, str(config.get(key, "") or ""))
    return found


def _relation_reference_sources(project: QgsProject, config: dict[str, Any]) -> list[Source]:
    relation = project.relationManager().relation(str(config.get("Relation", "")))
    target = relation.referencedLayer() if relation.isValid() else None
    if target is None:
        target = project.mapLayer(str(config.get("ReferencedLayerId", "")))
    if not isinstance(target, QgsVectorLayer):
        return [UNKNOWN_SOURCE]
    return _as_labels(project, target, target.displayExpression()) or [UNKNOWN_SOURCE]


def _as_labels(project: QgsProject, target: QgsVectorLayer, text: str) -> list[Source]:
    """Return what a label's expression reads; what it reads of its own layer is a label."""
    if not text:
        return []
    return [
        replace(source, rows=True, is_label=True) if source.layer == target.id() else source
        for source in expression_sources(project, target, text, follow_labels=False)
    ]
