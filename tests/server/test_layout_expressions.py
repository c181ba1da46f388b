"""A layout is made of every layer that an expression anywhere in it reads."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from qgis.core import (
    QgsFillSymbol,
    QgsLayoutFrame,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemManualTable,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutObject,
    QgsLineSymbol,
    QgsPrintLayout,
    QgsProject,
    QgsProperty,
    QgsSymbolLayer,
    QgsTableCell,
    QgsVectorLayer,
)

from access_filter_plugin.access_control.catalogue import Source
from access_filter_plugin.access_control.qgis_layouts import layout_sources

pytestmark = pytest.mark.usefixtures("server")

READING = "aggregate('salaries', 'concatenate', \"person\")"
ANYTHING = Source("", None)
Fill = Callable[[QgsPrintLayout, QgsLayoutItemMap, str], None]


def layer(project: QgsProject, name: str) -> QgsVectorLayer:
    fields = "field=person:string&field=secret:int"
    made = QgsVectorLayer(f"Point?crs=EPSG:4326&{fields}", name, "memory")
    project.addMapLayer(made)
    return made


def layout(fill: Fill, text: str) -> tuple[QgsProject, QgsPrintLayout]:
    project = QgsProject()
    layer(project, "parcels")
    layer(project, "salaries")
    made = QgsPrintLayout(project)
    made.initializeDefaults()
    item = QgsLayoutItemMap(made)
    made.addLayoutItem(item)
    fill(made, item, text)
    return project, made


def colored(text: str, active: bool = True) -> QgsFillSymbol:
    symbol = QgsFillSymbol.createSimple({"color": "red"})
    color = QgsProperty.fromExpression(text, active)
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertyFillColor, color)
    return symbol


def grid(_made: QgsPrintLayout, item: QgsLayoutItemMap, text: str) -> None:
    found = QgsLayoutItemMapGrid("grid", item)
    found.setAnnotationExpression(text)
    item.grids().addGrid(found)


def cell(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
    table = QgsLayoutItemManualTable.create(made)
    made.addMultiFrame(table)
    table.setTableContents([[QgsTableCell(QgsProperty.fromExpression(text))]])
    table.addFrame(QgsLayoutFrame(made, table))


def shape(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
    item = QgsLayoutItemShape(made)
    item.setSymbol(colored(text))
    made.addLayoutItem(item)


def page(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
    made.pageCollection().setPageStyleSymbol(colored(text))


def overview(_made: QgsPrintLayout, item: QgsLayoutItemMap, text: str) -> None:
    item.overview().setFrameSymbol(colored(text))


def scale_bar(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
    item = QgsLayoutItemScaleBar(made)
    symbol = QgsLineSymbol.createSimple({})
    width = QgsProperty.fromExpression(text)
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertyStrokeWidth, width)
    item.setLineSymbol(symbol)
    made.addLayoutItem(item)


def position(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
    item = QgsLayoutItemLabel(made)
    place = QgsProperty.fromExpression(text)
    item.dataDefinedProperties().setProperty(QgsLayoutObject.PositionX, place)
    made.addLayoutItem(item)


PLACES = [grid, cell, shape, page, overview, scale_bar, position]


@pytest.mark.parametrize("place", PLACES)
def test_an_expression_that_reads_layers_is_found_wherever_it_stands(place: Fill) -> None:
    _project, made = layout(place, READING)
    assert ANYTHING in layout_sources(made)


@pytest.mark.parametrize("place", PLACES)
def test_an_expression_that_reads_nothing_closes_nothing(place: Fill) -> None:
    _project, made = layout(place, "to_string(round(3.2) + length('env(1)'))")
    assert layout_sources(made) == ()


@pytest.mark.parametrize("place", PLACES)
def test_a_column_of_the_atlas_is_found_wherever_it_stands(place: Fill) -> None:
    project, made = layout(place, '"secret"')
    coverage = project.mapLayersByName("parcels")[0]
    made.atlas().setCoverageLayer(coverage)
    made.atlas().setEnabled(True)
    assert any("secret" in (source.attributes or ()) for source in layout_sources(made))


def test_a_property_that_is_switched_off_closes_nothing() -> None:
    def off(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
        item = QgsLayoutItemShape(made)
        item.setSymbol(colored(text, active=False))
        made.addLayoutItem(item)

    _project, made = layout(off, READING)
    assert layout_sources(made) == ()


def test_a_text_that_only_looks_like_a_call_closes_nothing() -> None:
    def label(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
        item = QgsLayoutItemLabel(made)
        item.setText(text)
        made.addLayoutItem(item)

    _project, made = layout(label, "Plan (1:1000), aggregate(all)")
    assert layout_sources(made) == ()


def test_the_expression_of_a_legend_counts_rows() -> None:
    def legend(made: QgsPrintLayout, _item: QgsLayoutItemMap, text: str) -> None:
        item = QgsLayoutItemLegend(made)
        made.addLayoutItem(item)
        item.setAutoUpdateModel(False)
        root = item.model().rootGroup()
        root.clear()
        node: Any = root.addLayer(made.project().mapLayersByName("parcels")[0])
        node.setLabelExpression(text)

    project, made = layout(legend, "@symbol_count")
    parcels = project.mapLayersByName("parcels")[0].id()
    assert any(s.layer == parcels and s.rows for s in layout_sources(made))
