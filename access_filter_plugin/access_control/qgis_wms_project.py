"""A QgsProject → what WMS admission needs to know of it, once per project generation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    QgsExpression,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsProject,
    QgsVectorLayer,
)
from qgis.server import QgsServerProjectUtils

from .admission.wms import WmsProject
from .admission.wms_tree import MapTree
from .qgis_layouts import layout_facts
from .qgis_wms_dimensions import dimension_parameters

_PART = "access_control.wms"


def wms_facts(state: Any) -> WmsProject:
    """Return the facts of a project; they live as long as its compiled state."""
    known = state.parts.get(_PART)
    if not isinstance(known, WmsProject):
        known = state.parts[_PART] = _read(state.project)
    return known


def _read(project: QgsProject) -> WmsProject:
    layouts = project.layoutManager().printLayouts()
    return WmsProject(
        tree=map_tree(project),
        layouts={layout.name(): layout_facts(layout) for layout in layouts},
        dimensions=_dimensions(project),
        has_annotations=bool(project.annotationManager().annotations()),
    )


def map_tree(project: QgsProject) -> MapTree:
    """Return the names of layers and groups as QGIS's WMS resolves them."""
    use_ids = QgsServerProjectUtils.wmsUseLayerIds(project)
    layers: dict[str, tuple[str, ...]] = {}
    queryable = set()
    for layer_id, layer in project.mapLayers().items():
        name = wms_name(layer, use_ids)
        layers[name] = (*layers.get(name, ()), layer_id)
        if layer.flags() & QgsMapLayer.Identifiable:
            queryable.add(layer_id)
    root = project.layerTreeRoot()
    groups: dict[str, tuple[str, ...]] = {}
    _add_group(root, QgsServerProjectUtils.wmsRootName(project) or project.title(), groups, root)
    legends, _is_set = project.readBoolEntry("WMSAddLayerGroupsLegendGraphic", "/", False)
    return MapTree(layers, groups, frozenset(queryable), bool(legends))


def wms_name(layer: Any, use_ids: bool) -> str:
    """Return the name under which WMS publishes a layer."""
    if use_ids:
        return str(layer.id())
    return server_text(layer, "shortName") or str(layer.name())


def server_text(layer: Any, name: str) -> str:
    """Return ``shortName`` or ``title`` of a layer: 3.38 moved them and warns of the old place."""
    properties = getattr(layer, "serverProperties", None)
    owner = properties() if properties is not None else layer
    return str(getattr(owner if hasattr(owner, name) else layer, name)() or "")


def _add_group(
    group: QgsLayerTreeGroup,
    name: str,
    groups: dict[str, tuple[str, ...]],
    root: QgsLayerTreeGroup,
) -> None:
    if name:
        members = [node.layerId() for node in group.findLayers() if node.layer() is not None]
        if root.hasCustomLayerOrder():
            order = [layer.id() for layer in root.layerOrder()]
            members = [layer_id for layer_id in order if layer_id in members]
        groups[name] = tuple(members)
    for child in group.children():
        if isinstance(child, QgsLayerTreeGroup):
            short = child.customProperty("wmsShortName", "") or ""
            _add_group(child, str(short) or child.name(), groups, root)


def _dimensions(project: QgsProject) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for layer_id, layer in project.mapLayers().items():
        if not isinstance(layer, QgsVectorLayer):
            continue
        for dimension in layer.serverProperties().wmsDimensions():
            fields = [dimension.fieldName, dimension.endFieldName]
            uses = tuple((layer_id, field) for field in fields if field)
            for key in dimension_parameters(dimension.name):
                found[key] = found.get(key, ()) + uses
    for key in found.keys() & set(dimension_parameters("TIME")):
        found[key] += tuple(_temporal_uses(project))
    return found


def _temporal_uses(project: QgsProject) -> Iterator[tuple[str, str]]:
    """Yield what a time filters by in layers that have times without having a dimension."""
    for layer_id, layer in project.mapLayers().items():
        times = layer.temporalProperties() if isinstance(layer, QgsVectorLayer) else None
        if times is None or not times.isActive():
            continue
        for field in (times.startField(), times.endField(), times.durationField()):
            if field:
                yield layer_id, field
        for text in (times.startExpression(), times.endExpression()):
            for field in QgsExpression(text).referencedColumns():
                yield layer_id, field
