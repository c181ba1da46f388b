"""What a print layout shows of its own accord: locked layers, themes, tables, atlas, texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

from qgis.core import (
    QgsLayerTreeLayer,
    QgsLayoutFrame,
    QgsLayoutItemAttributeTable,
    QgsLayoutItemHtml,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemManualTable,
    QgsLayoutItemMap,
    QgsLayoutObject,
    QgsPrintLayout,
    QgsProject,
    QgsVectorLayer,
)

from .admission.wms_print import LayoutFacts
from .catalogue import Source
from .qgis_free_texts import reads_layers, templates
from .qgis_written_expressions import annotation_layer_expressions, written_expressions

#: Items that draw layers in ways that no hook is asked about.
_ITEMS_WITH_DATA = ("QgsLayoutItem3DMap", "QgsLayoutItemElevationProfile")


_DATA_DEFINED_LAYERS = (QgsLayoutObject.MapLayers, QgsLayoutObject.MapStylePreset)


def layout_sources(layout: QgsPrintLayout) -> tuple[Source, ...]:
    """Return every layer and attribute that a layout shows whatever layers are asked for."""
    return tuple(dict.fromkeys(_sources(layout)))


def _sources(layout: QgsPrintLayout) -> Iterator[Source]:
    project = layout.project()
    coverage = _coverage(layout)
    yield from _atlas(project, layout, coverage)
    if any(isinstance(item, QgsLayoutItemMap) for item in layout.items()):
        # QGIS draws the project's own annotations on every map of a layout.
        notes = sorted(annotation_layer_expressions(project.mainAnnotationLayer()))
        yield from _texts(project, coverage, notes)
    for item in layout.items():
        if isinstance(item, QgsLayoutItemMap):
            yield from _map(project, item)
        elif isinstance(item, QgsLayoutItemLabel):
            yield from _texts(project, coverage, templates(item.text()))
        elif isinstance(item, QgsLayoutItemLegend):
            yield from _legend(project, item)
        elif isinstance(item, QgsLayoutFrame):
            yield from _frame(project, coverage, item.multiFrame())
        elif type(item).__name__ in _ITEMS_WITH_DATA:
            yield Source("", None)
    yield from _texts(project, coverage, sorted(written_expressions(layout)))


def _coverage(layout: QgsPrintLayout) -> Optional[QgsVectorLayer]:
    atlas = layout.atlas()
    return atlas.coverageLayer() if atlas is not None and atlas.enabled() else None


def _whole(layer: Any) -> Source:
    return Source(layer.id() if layer is not None else "", None)


def _atlas(
    project: QgsProject, layout: QgsPrintLayout, coverage: Optional[QgsVectorLayer]
) -> Iterator[Source]:
    if coverage is None:
        return
    atlas = layout.atlas()
    # The rows that an atlas visits are filtered by QGIS itself (facts F15), its columns are not.
    yield Source(coverage.id(), frozenset(), rows=False)
    used = [atlas.pageNameExpression(), atlas.filenameExpression()]
    used += [atlas.filterExpression()] if atlas.filterFeatures() else []
    used += [atlas.sortExpression()] if atlas.sortFeatures() else []
    yield from _texts(project, coverage, [text for text in used if text])


def layout_facts(layout: QgsPrintLayout) -> LayoutFacts:
    """Return what admission of GetPrint needs to know of a layout."""
    project = layout.project()
    maps = [item for item in layout.items() if isinstance(item, QgsLayoutItemMap)]
    free = [m for m in maps if not m.followVisibilityPreset() and not m.keepLayerSet()]
    labels = (item for item in layout.items() if isinstance(item, QgsLayoutItemLabel))
    drawn = (pair for item in maps for pair in _theme_styles(project, item))
    coverage = _coverage(layout)
    return LayoutFacts(
        label_ids=frozenset(label.id().upper() for label in labels if label.id()),
        maps=len(maps),
        free_maps=len(free),
        coverage="" if coverage is None else coverage.id(),
        has_row_numbers=coverage is not None and not coverage.primaryKeyAttributes(),
        drawn_styles=tuple(dict.fromkeys(drawn)),
    )


def _theme_styles(project: QgsProject, item: QgsLayoutItemMap) -> Iterator[tuple[str, str]]:
    """Yield the style that a theme gives to each of its layers."""
    if not item.followVisibilityPreset():
        return
    state = project.mapThemeCollection().mapThemeState(item.followVisibilityPresetName())
    for record in state.layerRecords():
        layer = record.layer()
        if layer is not None and record.usingCurrentStyle:
            yield layer.id(), record.currentStyle


def _map(project: QgsProject, item: QgsLayoutItemMap) -> Iterator[Source]:
    properties = item.dataDefinedProperties()
    if any(properties.isActive(key) for key in _DATA_DEFINED_LAYERS):
        yield Source("", None)
    if item.followVisibilityPreset():
        themes = project.mapThemeCollection()
        for layer_id in themes.mapThemeVisibleLayerIds(item.followVisibilityPresetName()):
            yield Source(layer_id, frozenset(), rows=False)
    elif item.keepLayerSet():
        kept = set(item.layerStyleOverrides()) if item.keepLayerStyles() else set()
        for layer in item.layers():
            # A style that is stored in the layout itself may draw any attribute.
            columns = None if layer.id() in kept else frozenset[str]()
            yield Source(layer.id(), columns, rows=False)


def _legend(project: QgsProject, item: QgsLayoutItemLegend) -> Iterator[Source]:
    """Yield what a legend names; by content and with counts it also tells of hidden rows."""
    by_content = item.legendFilterByMapEnabled()
    if item.autoUpdateModel():
        root = project.layerTreeRoot()
        nodes = root.findLayers()
        follows_map = item.linkedMap() is not None
    else:
        root = item.model().rootGroup()
        nodes = root.findLayers()
        follows_map = False
    names = [node.name() for node in (root, *root.findGroups(True))]
    yield from _texts(project, None, [text for name in names for text in templates(name)])
    for node in nodes:
        written = _node_texts(node)
        label = str(node.labelExpression() or "")
        counts = bool(label or written or node.customProperty("showFeatureCount", 0))
        tells_rows = by_content or counts
        # QGIS cuts a legend that updates itself down to the layers of its map.
        if tells_rows or not follows_map:
            yield Source(node.layerId(), frozenset(), rows=tells_rows)
        layer = node.layer() if isinstance(node.layer(), QgsVectorLayer) else None
        yield from _texts(project, layer, [text for text in (label, *written) if text])


def _node_texts(node: QgsLayerTreeLayer) -> list[str]:
    """Return the templates in the texts that a legend shows of a layer: these may hold counts."""
    texts = [node.name(), *(str(node.customProperty(key)) for key in node.customProperties())]
    renderer = node.layer().renderer() if isinstance(node.layer(), QgsVectorLayer) else None
    if renderer is not None:
        texts += [item.label() for item in renderer.legendSymbolItems()]
    return [template for text in texts for template in templates(text)]


def _frame(project: QgsProject, coverage: Optional[QgsVectorLayer], frame: Any) -> Iterator[Source]:
    if isinstance(frame, QgsLayoutItemAttributeTable):
        layer = frame.sourceLayer()
        yield Source(layer.id() if layer is not None else "", frozenset(), rows=False)
        if layer is not None:
            texts = [column.attribute() for column in frame.columns()]
            texts += [frame.featureFilter()] if frame.filterFeatures() else []
            yield from _texts(project, layer, [text for text in texts if text])
    elif isinstance(frame, QgsLayoutItemHtml):
        texts = templates(frame.html())
        yield from _texts(project, coverage, texts)
    elif frame is not None and not isinstance(frame, QgsLayoutItemManualTable):
        yield Source("", None)


def _texts(
    project: QgsProject, layer: Optional[QgsVectorLayer], expressions: list[str]
) -> Iterator[Source]:
    from .qgis_sources import expression_sources  # noqa: PLC0415 (it imports this module)

    for text in expressions:
        if layer is not None:
            yield from expression_sources(project, layer, text, is_in_layout=True)
        elif reads_layers(text):
            yield Source("", None)
