"""Print layouts of the world: ones that use only permitted things, ones that use hidden things."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsFillSymbol,
    QgsLayoutFrame,
    QgsLayoutItemAttributeTable,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemManualTable,
    QgsLayoutItemMap,
    QgsLayoutItemShape,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsMapThemeCollection,
    QgsPrintLayout,
    QgsProject,
    QgsProperty,
    QgsRectangle,
    QgsSymbolLayer,
    QgsTableCell,
)
from qgis.PyQt.QtCore import QRectF


def add_layouts(project: QgsProject, layers: dict[str, Any], v: str) -> None:
    """Add the layouts; those whose name begins with ``un`` use a hidden thing."""
    _layout(project, "plain")
    _label(_layout(project, "heading"), "HEADING", "Heading")
    _themes(project, layers, v)
    for prefix, name in (("", "pub"), ("un", "forb")):
        layer = layers[name]
        _lock(_layout(project, f"{prefix}locked"), [layer])
        _table(_layout(project, f"{prefix}table"), layer)
        _legend(_layout(project, f"{prefix}legend"), layer)
        _atlas(_layout(project, f"{prefix}atlas"), layer)
        text = _aggregate(layer, "label") if prefix else "Plan [% 1 + 1 %]"
        _label(_layout(project, f"{prefix}labelled"), "TEXT", text)
    _cell(_layout(project, "uncell"), _expression(layers["forb"], "label"))
    _shape(_layout(project, "unshape"), _expression(layers["forb"], "label"))
    _lock(_layout(project, "unraster"), [layers["rforb"]])
    _table(_layout(project, "tablerows"), layers["feat"])
    _table(_layout(project, "tablecolumns"), layers["attr"])
    _label(_layout(project, "unsecret"), "", _aggregate(layers["attr"], "secret"))
    _label(_layout(project, "unrows"), "", _aggregate(layers["feat"], "name"))
    _layout(project, f"hiddenCN{v}")
    _layout(project, "hidden")


def _aggregate(layer: Any, field: str) -> str:
    return f"[% {_expression(layer, field)} %]"


def _expression(layer: Any, field: str) -> str:
    return f"aggregate('{layer.id()}', 'concatenate', \"{field}\")"


def _layout(project: QgsProject, name: str) -> QgsPrintLayout:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(name)
    item = QgsLayoutItemMap(layout)
    item.attemptMove(QgsLayoutPoint(10, 10))
    item.attemptResize(QgsLayoutSize(100, 100))
    item.setExtent(QgsRectangle(0, 0, 10, 10))
    layout.addLayoutItem(item)
    project.layoutManager().addLayout(layout)
    return layout


def _map(layout: QgsPrintLayout) -> QgsLayoutItemMap:
    return next(item for item in layout.items() if isinstance(item, QgsLayoutItemMap))


def _lock(layout: QgsPrintLayout, layers: list[Any]) -> None:
    _map(layout).setLayers(layers)
    _map(layout).setKeepLayerSet(True)


def _themes(project: QgsProject, layers: dict[str, Any], v: str) -> None:
    themes = {"public": ["pub"], "closed": ["pub", "forb"], f"CN{v}theme": ["forb", "rforb"]}
    for name, members in themes.items():
        record = QgsMapThemeCollection.MapThemeRecord()
        for member in members:
            record.addLayerRecord(QgsMapThemeCollection.MapThemeLayerRecord(layers[member]))
        project.mapThemeCollection().insert(name, record)
    for layout, theme in (("themed", "public"), ("unthemed", "closed")):
        item = _map(_layout(project, layout))
        item.setFollowVisibilityPreset(True)
        item.setFollowVisibilityPresetName(theme)


def _table(layout: QgsPrintLayout, layer: Any) -> None:
    table = QgsLayoutItemAttributeTable.create(layout)
    table.setVectorLayer(layer)
    layout.addMultiFrame(table)
    frame = QgsLayoutFrame(layout, table)
    frame.attemptSetSceneRect(QRectF(10, 120, 150, 60))
    table.addFrame(frame)


def _cell(layout: QgsPrintLayout, text: str) -> None:
    table = QgsLayoutItemManualTable.create(layout)
    table.setTableContents([[QgsTableCell(QgsProperty.fromExpression(text))]])
    layout.addMultiFrame(table)
    frame = QgsLayoutFrame(layout, table)
    frame.attemptSetSceneRect(QRectF(10, 120, 150, 60))
    table.addFrame(frame)


def _shape(layout: QgsPrintLayout, text: str) -> None:
    """Draw a shape in a colour that tells how long a text is."""
    symbol = QgsFillSymbol.createSimple({"color": "red"})
    color = QgsProperty.fromExpression(f"if(length({text}) > 20, 'blue', 'green')")
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertyFillColor, color)
    item = QgsLayoutItemShape(layout)
    item.setSymbol(symbol)
    item.attemptSetSceneRect(QRectF(150, 100, 50, 50))
    layout.addLayoutItem(item)


def _legend(layout: QgsPrintLayout, layer: Any) -> None:
    legend = QgsLayoutItemLegend(layout)
    legend.setAutoUpdateModel(False)
    root = legend.model().rootGroup()
    root.clear()
    root.addLayer(layer)
    legend.attemptMove(QgsLayoutPoint(150, 10))
    layout.addLayoutItem(legend)


def _atlas(layout: QgsPrintLayout, layer: Any) -> None:
    layout.atlas().setEnabled(True)
    layout.atlas().setCoverageLayer(layer)
    _map(layout).setAtlasDriven(True)
    _label(layout, "", '[% @atlas_feature %] [% "code" %]')


def _label(layout: QgsPrintLayout, name: str, text: str) -> None:
    label = QgsLayoutItemLabel(layout)
    label.setId(name)
    label.setText(text)
    label.attemptMove(QgsLayoutPoint(150, 100))
    label.attemptResize(QgsLayoutSize(120, 40))
    layout.addLayoutItem(label)
