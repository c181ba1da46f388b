"""Texts and symbols that read a closed layer, wherever they stand, on the real server."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsAnnotationLayer,
    QgsAnnotationMarkerItem,
    QgsAnnotationPointTextItem,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsLayoutItemLegend,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsPoint,
    QgsPointXY,
    QgsProject,
    QgsProperty,
    QgsRasterPipe,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSymbolLayer,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QRectF

from tests.server.test_wms_admission import LEGEND, MAP, PRINT, get, pixels
from tests.support.projects import TABLES
from tests.support.server import Answer, Client, Server
from tests.support.wms_projects import Edit, wms_project

Layers = dict[str, QgsVectorLayer]
ALL_BUT_SALARIES = [{"layers": ["*", "!salaries"]}, {"roles": "boss", "layers": "*"}]
SUM = "aggregate('salaries', 'sum', \"amount\")"
CLOSED, HARMLESS = f"[% {SUM} %]", "[% aggregate('reports', 'count', \"title\") %]"


def notes(project: QgsProject) -> QgsAnnotationLayer:
    layer = QgsAnnotationLayer("notes", QgsAnnotationLayer.LayerOptions(project.transformContext()))
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    return layer


def with_note(text: str) -> Edit:
    def edit(project: QgsProject, _layers: Layers) -> None:
        layer = notes(project)
        layer.addItem(QgsAnnotationPointTextItem(text, QgsPointXY(2, 2)))
        project.addMapLayer(layer)

    return edit


def mark(size: str) -> QgsMarkerSymbol:
    """Return a symbol whose size is an expression."""
    symbol = QgsMarkerSymbol.createSimple({"color": "blue", "size": "6"})
    property_ = QgsProperty.fromExpression(size)
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertySize, property_)
    return symbol


def with_mark(expression: str) -> Edit:
    def edit(project: QgsProject, _layers: Layers) -> None:
        item = QgsAnnotationMarkerItem(QgsPoint(3, 3))
        item.setSymbol(mark(expression))
        layer = notes(project)
        layer.addItem(item)
        project.addMapLayer(layer)

    return edit


def with_faint_raster(expression: str) -> Edit:
    def edit(project: QgsProject, _layers: Layers) -> None:
        pipe = project.mapLayersByName("ortho")[0].pipe()
        properties = pipe.dataDefinedProperties()
        properties.setProperty(
            QgsRasterPipe.RendererOpacity, QgsProperty.fromExpression(expression)
        )
        pipe.setDataDefinedProperties(properties)

    return edit


def with_category(label: str) -> Edit:
    def edit(_project: QgsProject, layers: Layers) -> None:
        symbol = QgsMarkerSymbol.createSimple({"color": "blue", "size": "6"})
        category = QgsRendererCategory("first", symbol, f"Label {label}")
        layers["reports"].setRenderer(QgsCategorizedSymbolRenderer("title", [category]))

    return edit


def with_rule(expression: str) -> Edit:
    def edit(_project: QgsProject, layers: Layers) -> None:
        symbol = QgsMarkerSymbol.createSimple({"color": "blue", "size": "6"})
        root = QgsRuleBasedRenderer.Rule(None)
        root.appendChild(QgsRuleBasedRenderer.Rule(symbol, 0, 0, expression))
        layers["reports"].setRenderer(QgsRuleBasedRenderer(root))

    return edit


def with_size(expression: str) -> Edit:
    def edit(_project: QgsProject, layers: Layers) -> None:
        layers["reports"].renderer().setSymbol(mark(expression))

    return edit


def with_title(title: str) -> Edit:
    def edit(_project: QgsProject, layers: Layers) -> None:
        properties = layers["reports"].serverProperties()
        owner = properties if hasattr(properties, "setTitle") else layers["reports"]
        owner.setTitle(f"Title {title}")

    return edit


def with_project_note(text: str) -> Edit:
    def edit(project: QgsProject, _layers: Layers) -> None:
        layer = project.mainAnnotationLayer()
        layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
        layer.addItem(QgsAnnotationPointTextItem(text, QgsPointXY(2, 2)))

    return edit


def with_legend(node: str = "", group: str = "") -> Edit:
    def edit(project: QgsProject, layers: Layers) -> None:
        layout = project.layoutManager().layoutByName("simple")
        legend = QgsLayoutItemLegend(layout)
        legend.setAutoUpdateModel(False)
        root = legend.model().rootGroup()
        root.clear()
        above = root.addGroup(group) if group else root
        above.addLayer(layers["reports"]).setCustomProperty("legend/label-0", node)
        legend.attemptSetSceneRect(QRectF(120, 50, 100, 100))
        layout.addLayoutItem(legend)

    return edit


def with_amounts(amount: int) -> dict[str, Any]:
    tables = deepcopy(TABLES)
    kind, fields, rows = tables["salaries"]
    tables["salaries"] = (kind, fields, [(*row[:3], (row[3][0], amount)) for row in rows])
    return tables


NOTES, ORTHO = {**MAP, "LAYERS": "notes"}, {**MAP, "LAYERS": "ortho"}
REPORTS, DRAWN = {**LEGEND, "LAYERS": "reports"}, {**MAP, "LAYERS": "reports"}
CASES = {
    "the filter of a rule": (with_rule(f"{SUM} > 40"), DRAWN),
    "a filter that goes on behind a tab": (with_rule(f"40 <\t{SUM}"), DRAWN),
    "the size of a symbol": (with_size(f"if({SUM} > 40, 3, 6)"), DRAWN),
    "the text of an annotation": (with_note(CLOSED), NOTES),
    "the symbol of an annotation": (with_mark(f"{SUM} / 5"), NOTES),
    "the opacity of a raster": (with_faint_raster(SUM), ORTHO),
    "the label of a class": (with_category(CLOSED), REPORTS),
    "the title of a layer": (with_title(CLOSED), REPORTS),
    "an annotation of the project": (with_project_note(CLOSED), PRINT),
    "a label in a legend": (with_legend(node=CLOSED), PRINT),
    "a group in a legend": (with_legend(group=CLOSED), PRINT),
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "_"))
def case(request: pytest.FixtureRequest) -> tuple[Edit, dict[str, Any]]:
    return CASES[request.param]


def pictures(clients: list[Client], request: dict[str, Any]) -> set[bytes]:
    answers: list[Answer] = [get(client, request) for client in clients]
    assert all(answer.status == 200 for answer in answers)
    return {pixels(answer) for answer in answers}


def test_what_reads_a_closed_layer_is_closed_with_it(
    server: Server, tmp_path: Path, case: tuple[Edit, dict[str, Any]]
) -> None:
    edit, request = case
    paths = [
        wms_project(
            tmp_path / str(amount), edit, with_amounts(amount), access_rules=ALL_BUT_SALARIES
        )
        for amount in (10, 35)
    ]
    with server.unguarded():
        shown = pictures([server.client(path) for path in paths], request)
    assert len(shown) == 2, "the amounts do not show at all"
    assert [get(server.client(path), request).status for path in paths] == [400, 400]
    assert pictures([server.client(path, "b", "boss") for path in paths], request) == shown


@pytest.mark.parametrize(
    ("edit", "request_"),
    [
        (with_note(HARMLESS), NOTES),
        (with_mark("2 + 3"), NOTES),
        (with_faint_raster("max(20, 50)"), ORTHO),
        (with_category(HARMLESS), REPORTS),
        (with_rule("aggregate('reports', 'count', \"title\") > 0"), DRAWN),
        (with_title(HARMLESS), REPORTS),
        (with_project_note("[% 1 + 1 %]"), PRINT),
        (with_legend("[% 'a' %]", "[% 'b' %]"), PRINT),
    ],
)
def test_what_reads_an_open_layer_stays_open(
    server: Server, tmp_path: Path, edit: Edit, request_: dict[str, Any]
) -> None:
    client = server.client(wms_project(tmp_path, edit, access_rules=ALL_BUT_SALARIES))
    with server.unguarded():
        shown = pictures([client], request_)
    assert pictures([client], request_) == shown


@pytest.mark.parametrize(
    ("label", "status"),
    [("attribute(@atlas_feature, 'amount')", 400), ("@atlas_totalfeatures", 200)],
)
def test_a_label_that_tells_of_the_row_of_an_atlas_is_closed_with_its_columns(
    server: Server, tmp_path: Path, label: str, status: int
) -> None:
    def edit(project: QgsProject, layers: Layers) -> None:
        atlas = project.layoutManager().layoutByName("simple").atlas()
        atlas.setEnabled(True)
        atlas.setFilenameExpression("'page'")
        atlas.setCoverageLayer(layers["salaries"])
        settings = QgsPalLayerSettings()
        settings.fieldName = label
        settings.isExpression = True
        layers["reports"].setLabeling(QgsVectorLayerSimpleLabeling(settings))
        layers["reports"].setLabelsEnabled(True)

    rules = [
        {"layers": ["*", "!salaries"]},
        {"layers": "salaries", "attributes": ["*", "!amount"]},
    ]
    client = server.client(wms_project(tmp_path, edit, access_rules=rules))
    page = {**PRINT, "map0:LAYERS": "reports", "ATLAS_PK": "1"}
    assert get(client, page).status == status
    with server.unguarded():
        assert get(client, page).status == 200
