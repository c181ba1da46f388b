"""A QgsProject → the catalogue of the decision core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from qgis.core import (
    QgsLayerTreeGroup,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.server import QgsServerProjectUtils

from .caller_attributes import attributes_by_caller
from .catalogue import Catalogue, LayerInfo, LayerKind
from .project_text import may_name_variables
from .qgis_layer_sources import layer_sources, style_sources
from .qgis_layouts import layout_sources
from .qgis_sources import attribute_sources, label_sources


def read_catalogue(project: QgsProject) -> Catalogue:
    """Return the layers, groups and layouts of a project, with what each is derived from."""
    groups = dict(_groups_of_layers(project.layerTreeRoot()))
    use_ids = QgsServerProjectUtils.wmsUseLayerIds(project)
    layers = {
        layer_id: _layer(project, layer, groups.get(layer_id, ()), use_ids)
        for layer_id, layer in project.mapLayers().items()
    }
    by_caller = attributes_by_caller(layers, _naming_the_caller(project, layers))
    for layer_id, names in by_caller.items():
        layers[layer_id] = replace(layers[layer_id], by_caller=names)
    layouts = project.layoutManager().printLayouts()
    return Catalogue(
        layers=layers,
        groups=tuple(_group_names(project.layerTreeRoot())),
        templates=tuple(layout.name() for layout in layouts),
        template_sources={layout.name(): layout_sources(layout) for layout in layouts},
    )


def _naming_the_caller(
    project: QgsProject, layers: Mapping[str, LayerInfo]
) -> dict[str, frozenset[str]]:
    """Return the attributes of each layer whose own text may name a variable of the caller."""
    return {
        layer_id: frozenset(_named_by(project.mapLayer(layer_id), info))
        for layer_id, info in layers.items()
        if info.kind is LayerKind.VECTOR
    }


def _named_by(layer: QgsVectorLayer, info: LayerInfo) -> Iterator[str]:
    if layer.providerType() == "virtual" and may_name_variables(layer.source()):
        yield from info.attributes
    for name in info.attribute_sources:
        if may_name_variables(layer.expressionField(layer.fields().indexOf(name))):
            yield name


def _names_of(group: QgsLayerTreeGroup) -> tuple[str, ...]:
    short = group.customProperty("wmsShortName", "") or ""
    if not short and hasattr(group, "serverProperties"):
        short = group.serverProperties().shortName() or ""  # 3.44 keeps it there
    return tuple(dict.fromkeys(name for name in (group.name(), str(short)) if name))


def _group_names(root: QgsLayerTreeGroup) -> Iterator[str]:
    for child in root.findGroups():
        yield from _names_of(child)
        yield from _group_names(child)


def _groups_of_layers(
    root: QgsLayerTreeGroup, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each layer id with the names of all groups above it; a layer may stand in several."""
    found: dict[str, tuple[str, ...]] = {}
    for node in root.findLayers():
        names: list[str] = []
        parent = node.parent()
        while parent is not None and parent.parent() is not None:
            names += _names_of(parent)
            parent = parent.parent()
        found[node.layerId()] = found.get(node.layerId(), ()) + tuple(names)
    yield from found.items()


def _layer(project: QgsProject, layer: Any, groups: tuple[str, ...], use_ids: bool) -> LayerInfo:
    is_vector = isinstance(layer, QgsVectorLayer)
    styles = layer.styleManager().styles() if layer.styleManager() is not None else []
    short_name = _short_name(layer)
    return LayerInfo(
        id=layer.id(),
        name=layer.name(),
        short_name=short_name,
        kind=_kind(layer),
        groups=groups,
        attributes=tuple(layer.fields().names()) if is_vector else (),
        primary_key=_primary_key(layer) if is_vector else (),
        has_geometry=is_vector and layer.isSpatial(),
        styles=tuple(styles),
        default_style=layer.styleManager().currentStyle() if styles else "",
        style_sources=style_sources(project, layer),
        sources=layer_sources(project, layer),
        attribute_sources=attribute_sources(project, layer) if is_vector else {},
        label_sources=label_sources(project, layer) if is_vector else {},
        wms_name=layer.id() if use_ids else short_name or layer.name(),
    )


def _short_name(layer: Any) -> str:
    properties = getattr(layer, "serverProperties", None)
    if properties is not None and hasattr(properties(), "shortName"):
        return str(properties().shortName() or "")  # 3.38 moved it there
    return str(layer.shortName() or "")


def _kind(layer: Any) -> LayerKind:
    if isinstance(layer, QgsVectorLayer):
        return LayerKind.VECTOR
    if isinstance(layer, QgsRasterLayer):
        return LayerKind.RASTER
    return LayerKind.GROUP if hasattr(layer, "childLayers") else LayerKind.OTHER


def _primary_key(layer: QgsVectorLayer) -> tuple[str, ...]:
    names = layer.fields().names()
    return tuple(names[index] for index in layer.primaryKeyAttributes() if index < len(names))
