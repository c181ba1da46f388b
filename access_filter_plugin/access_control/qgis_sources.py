"""What things of a project are made of: expression fields, joins, labels, styles, layouts.

An expression that reads other layers (``aggregate``, ``get_feature``, relations …) is taken to read
all of every layer it could mean; what cannot be told counts as made of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsFields,
    QgsMapLayer,
    QgsProject,
    QgsVectorLayer,
)

from .catalogue import Source

UNKNOWN_SOURCE = Source(layer="", attributes=None)
"""Made of something that cannot be told: closed for everybody who is restricted at all."""

#: Functions that read features of a layer other than through the columns of the current feature.
LAYER_FUNCTIONS = frozenset(
    {
        "aggregate",
        "relation_aggregate",
        "get_feature",
        "get_feature_by_id",
        "overlay_intersects",
        "overlay_contains",
        "overlay_crosses",
        "overlay_equals",
        "overlay_touches",
        "overlay_disjoint",
        "overlay_within",
        "overlay_nearest",
        "represent_value",
        "represent_attributes",
        "eval",
        "eval_template",
        "layer_property",
        "decode_uri",
        "raster_value",
        "raster_statistic",
        "raster_attributes",
        "load_layer",
        "maptip",
        "display_expression",
        "mesh_face_value",
    }
)
#: Aggregates over the layer's own rows (``sum("x")``), which show hidden rows.
OWN_ROWS_FUNCTIONS = frozenset(
    {
        "count",
        "count_distinct",
        "count_missing",
        "minimum",
        "maximum",
        "sum",
        "mean",
        "median",
        "stdev",
        "range",
        "minority",
        "majority",
        "q1",
        "q3",
        "iqr",
        "min_length",
        "max_length",
        "collect",
        "concatenate",
        "concatenate_unique",
        "array_agg",
    }
)


def expression_sources(project: QgsProject, layer: QgsVectorLayer, text: str) -> list[Source]:
    """Return what an expression over a layer's features reads."""
    expression = QgsExpression(text)
    if expression.hasParserError():
        return []  # evaluates to NULL
    own = _own_columns(layer, expression)
    functions = {name.lower() for name in expression.referencedFunctions()}
    found = [Source(layer.id(), own, rows=bool(functions & OWN_ROWS_FUNCTIONS))]
    if functions & LAYER_FUNCTIONS:
        found += _named_layers(project, expression)
    return found


def _own_columns(layer: QgsVectorLayer, expression: QgsExpression) -> Optional[frozenset[str]]:
    columns = expression.referencedColumns()
    if "*" in columns:
        return None
    fields = layer.fields()
    indexes = (fields.lookupField(column) for column in columns)
    return frozenset(fields.at(index).name() for index in indexes if index >= 0)


def _named_layers(project: QgsProject, expression: QgsExpression) -> list[Source]:
    """Return the layers whose name or id stands as a literal; without any, everything."""
    text = expression.expression()
    names = {
        layer.id(): Source(layer.id(), None)
        for layer in project.mapLayers().values()
        if layer.id() in text or f"'{layer.name()}'" in text
    }
    return list(names.values()) or [UNKNOWN_SOURCE]


def attribute_sources(
    project: QgsProject, layer: QgsVectorLayer
) -> dict[str, tuple[Source, ...]]:
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
            found[name] = (_join_source(project, layer, index),)
    return found


def _join_source(project: QgsProject, layer: QgsVectorLayer, index: int) -> Source:
    for join in layer.vectorJoins():
        joined = join.joinLayer()
        if joined is None:
            continue
        prefix = join.prefix() if join.prefix() else f"{joined.name()}_"
        own_name = layer.fields().at(index).name()
        for name in joined.fields().names():
            if prefix + name == own_name:
                shown = name in displayed_columns(project, joined)
                return Source(joined.id(), frozenset({name}), is_label=shown)
    return UNKNOWN_SOURCE


def displayed_columns(project: QgsProject, layer: QgsVectorLayer) -> frozenset[str]:
    """Return the columns by which other layers show a layer: what ``lookup`` opens."""
    found = set(_display_columns(layer))
    for other in project.mapLayers().values():
        if isinstance(other, QgsVectorLayer):
            found |= set(_value_columns(other, layer.id()))
    return frozenset(found)


def _display_columns(layer: QgsVectorLayer) -> frozenset[str]:
    columns = _own_columns(layer, QgsExpression(layer.displayExpression()))
    return columns or frozenset()


def _value_columns(layer: QgsVectorLayer, target: str) -> Iterator[str]:
    for index in range(layer.fields().count()):
        setup = layer.editorWidgetSetup(index)
        config = setup.config()
        if setup.type() == "ValueRelation" and config.get("Layer") == target:
            yield str(config.get("Value", ""))


def label_sources(project: QgsProject, layer: QgsVectorLayer) -> dict[str, tuple[Source, ...]]:
    """Return attribute → the layer that its displayed text comes from."""
    found: dict[str, tuple[Source, ...]] = {}
    for index in range(layer.fields().count()):
        setup = layer.editorWidgetSetup(index)
        source = None
        if setup.type() == "ValueRelation":
            source = _value_relation_source(project, setup.config())
        elif setup.type() == "RelationReference":
            source = _relation_reference_source(project, setup.config())
        if source is not None:
            found[layer.fields().at(index).name()] = (source,)
    return found


def _value_relation_source(project: QgsProject, config: dict[str, Any]) -> Source:
    target = project.mapLayer(str(config.get("Layer", "")))
    if not isinstance(target, QgsVectorLayer):
        return UNKNOWN_SOURCE
    columns = frozenset({str(config.get("Value", ""))})
    description = QgsExpression(str(config.get("Description", "") or ""))
    filter_ = QgsExpression(str(config.get("FilterExpression", "") or ""))
    for expression in (description, filter_):
        columns |= _own_columns(target, expression) or frozenset()
    return Source(target.id(), columns, is_label=True)


def _relation_reference_source(project: QgsProject, config: dict[str, Any]) -> Source:
    relation = project.relationManager().relation(str(config.get("Relation", "")))
    target = relation.referencedLayer() if relation.isValid() else None
    if target is None:
        target = project.mapLayer(str(config.get("ReferencedLayerId", "")))
    if not isinstance(target, QgsVectorLayer):
        return UNKNOWN_SOURCE
    return Source(target.id(), _display_columns(target), is_label=True)


def layer_sources(project: QgsProject, layer: QgsMapLayer) -> tuple[Source, ...]:
    """Return the layers that a virtual layer or a group layer is made of."""
    if hasattr(layer, "childLayers"):
        return tuple(
            Source(child.id(), frozenset(), rows=False) for child in layer.childLayers()
        )
    if isinstance(layer, QgsVectorLayer) and layer.providerType() == "virtual":
        return tuple(_virtual_sources(project, layer))
    return ()


def _virtual_sources(project: QgsProject, layer: QgsVectorLayer) -> Iterable[Source]:
    """Return what a virtual layer's query may read: every layer it names, whole."""
    from qgis.core import QgsVirtualLayerDefinition

    definition = QgsVirtualLayerDefinition.fromUrl(_virtual_url(layer))
    text = definition.query().lower()
    named = {source.reference() for source in definition.sourceLayers() if source.isReferenced()}
    found = [
        Source(other.id(), None)
        for other in project.mapLayers().values()
        if other.id() != layer.id()
        and (other.id() in named or other.id().lower() in text or other.name().lower() in text)
    ]
    embedded = any(not source.isReferenced() for source in definition.sourceLayers())
    return found + ([UNKNOWN_SOURCE] if embedded or not found else [])


def _virtual_url(layer: QgsVectorLayer) -> Any:
    from qgis.PyQt.QtCore import QUrl

    return QUrl.fromEncoded(layer.source().encode())


def style_sources(
    project: QgsProject, layer: QgsVectorLayer
) -> dict[str, tuple[Source, ...]]:
    """Return style name → what it draws with."""
    from .qgis_styles import attributes_of_styles

    found: dict[str, tuple[Source, ...]] = {}
    for style, expressions in attributes_of_styles(layer).items():
        sources: list[Source] = []
        for text in sorted(expressions):
            sources += expression_sources(project, layer, text)
        found[style] = tuple(dict.fromkeys(sources))
    return found


def template_sources(layout: Any) -> tuple[Source, ...]:
    """Return what a print layout shows of itself, besides the layers that are asked for."""
    from .qgis_layouts import layout_sources

    return layout_sources(layout)
