"""Things of a project that show hidden data through something else, on the real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from qgis import core
from qgis.core import (
    Qgis,
    QgsEditorWidgetSetup,
    QgsFillSymbol,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsMapLayerServerProperties,
    QgsPrintLayout,
    QgsProject,
    QgsProperty,
    QgsSymbolLayer,
    QgsTextAnnotation,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QPointF, QRectF, QSizeF
from qgis.PyQt.QtGui import QTextDocument

from tests.server.test_guards import TILE
from tests.server.test_wms_admission import LEGEND, MAP, PRINT, get, is_picture
from tests.server.test_wms_redaction import INFO
from tests.support.server import Client, Server
from tests.support.wms_projects import wms_project

Layers = dict[str, QgsVectorLayer]
OPEN_PARCELS = [{"layers": ["parcels", "reports", "ortho"]}]


def annotation(layer: str, text: str) -> QgsTextAnnotation:
    note = QgsTextAnnotation()
    note.setDocument(QTextDocument(text))
    note.setFrameSizeMm(QSizeF(5, 5))
    note.setHasFixedMapPosition(False)
    note.setRelativePosition(QPointF(0.5, 0.5))
    return note


def with_annotation(layer: str, text: str = "note"):  # noqa: ANN201 (a closure)
    def edit(project: QgsProject, layers: Layers) -> None:
        note = annotation(layer, text)
        if layer:
            note.setMapLayer(layers[layer])
        project.annotationManager().addAnnotation(note)

    return edit


def client_of(server: Server, folder: Path, edit, rules) -> Client:  # noqa: ANN001 (as above)
    return server.client(wms_project(folder, edit, access_rules=rules))


def test_the_annotation_of_a_closed_layer_is_not_drawn(server: Server, tmp_path: Path) -> None:
    noted = client_of(server, tmp_path / "a", with_annotation("salaries"), OPEN_PARCELS)
    plain = client_of(server, tmp_path / "b", None, OPEN_PARCELS)
    with server.unguarded():
        shown = get(noted, MAP).body
        assert shown != get(plain, MAP).body
    assert get(noted, MAP).body == get(plain, MAP).body
    with server.unguarded():
        assert get(noted, MAP).body == shown


def test_the_annotation_of_an_open_layer_is_drawn(server: Server, tmp_path: Path) -> None:
    noted = client_of(server, tmp_path / "a", with_annotation("parcels"), OPEN_PARCELS)
    plain = client_of(server, tmp_path / "b", None, OPEN_PARCELS)
    assert get(noted, MAP).body != get(plain, MAP).body


def test_an_annotation_that_reads_layers_is_not_drawn(server: Server, tmp_path: Path) -> None:
    reading = "[% aggregate('salaries', 'sum', \"amount\") %]"
    noted = client_of(server, tmp_path / "a", with_annotation("", reading), OPEN_PARCELS)
    plain = client_of(server, tmp_path / "b", None, OPEN_PARCELS)
    assert get(noted, MAP).body == get(plain, MAP).body


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("[% aggregate('salaries', 'sum', \"amount\") %]", False),
        ("[% aggregate('parcels', 'count', \"name\") %]", True),
        ("[% 1 + 1 %]", True),
    ],
)
def test_the_annotation_of_an_open_layer_is_drawn_unless_it_reads_a_closed_one(
    server: Server, tmp_path: Path, text: str, drawn: bool
) -> None:
    noted = client_of(server, tmp_path / "a", with_annotation("parcels", text), OPEN_PARCELS)
    plain = client_of(server, tmp_path / "b", None, OPEN_PARCELS)
    assert (get(noted, MAP).body != get(plain, MAP).body) is drawn


def test_an_annotation_whose_symbol_reads_a_closed_layer_is_not_drawn(
    server: Server, tmp_path: Path
) -> None:
    reading = "if(aggregate('salaries', 'sum', \"amount\") > 1, 'red', 'blue')"

    def edit(project: QgsProject, layers: Layers) -> None:
        note = annotation("parcels", "note")
        symbol = QgsFillSymbol.createSimple({})
        color = QgsProperty.fromExpression(reading)
        symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.PropertyFillColor, color)
        note.setFillSymbol(symbol)
        note.setMapLayer(layers["parcels"])
        project.annotationManager().addAnnotation(note)

    noted = client_of(server, tmp_path / "a", edit, OPEN_PARCELS)
    plain = client_of(server, tmp_path / "b", None, OPEN_PARCELS)
    assert get(noted, MAP).body == get(plain, MAP).body


def dimension(name: str, field: str, default: int):  # noqa: ANN201 (a closure)
    def edit(_project: QgsProject, layers: Layers) -> None:
        info = QgsMapLayerServerProperties.WmsDimensionInfo(name, field, "", "", "", default)
        layers["parcels"].serverProperties().addWmsDimension(info)

    return edit


def test_a_dimension_over_a_hidden_attribute_filters_nothing(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": "parcels", "attributes": ["*", "!owner_name"]}]
    edit = dimension("holder", "owner_name", 0)
    client = client_of(server, tmp_path, edit, rules)
    with server.unguarded():
        assert get(client, MAP, DIM_HOLDER="Bob B.").body != get(client, MAP).body
    assert get(client, MAP, DIM_HOLDER="Bob B.").body == get(client, MAP).body


def test_a_dimension_over_a_visible_attribute_filters(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "filter": "public = 1"}]
    client = client_of(server, tmp_path, dimension("kind", "zone", 0), rules)
    assert get(client, MAP, DIM_KIND="1").body != get(client, MAP).body


def test_the_greatest_value_of_a_dimension_is_not_that_of_hidden_rows(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": "parcels", "filter": "name = 'one'"}]
    greatest = client_of(server, tmp_path / "a", dimension("kind", "zone", 2), rules)
    plain = client_of(server, tmp_path / "b", None, rules)
    with server.unguarded():
        assert get(greatest, MAP).body != get(plain, MAP).body
    assert get(greatest, MAP).body == get(plain, MAP).body


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("kind", {"KIND": "1"}),
        ("kind", {"DIM_KIND": ""}),
        ("kind", {"KIND": "1", "DIM_KINDS": "1"}),
    ],
)
def test_the_greatest_value_is_not_used_where_a_value_stands_under_another_name(
    server: Server, tmp_path: Path, name: str, asked: dict[str, str]
) -> None:
    rules = [{"layers": "parcels", "filter": "name = 'one'"}]
    greatest = client_of(server, tmp_path / "a", dimension(name, "zone", 2), rules)
    plain = client_of(server, tmp_path / "b", None, rules)
    assert get(greatest, MAP, **asked).body == get(plain, MAP).body


def test_a_tile_takes_no_value_of_a_dimension(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "filter": "name = 'one'"}]
    greatest = client_of(server, tmp_path / "a", dimension("time", "zone", 2), rules)
    plain = client_of(server, tmp_path / "b", None, rules)
    with server.unguarded():
        assert get(greatest, TILE).body != get(plain, TILE).body
    assert get(greatest, TILE, TIME="1").body == get(plain, TILE).body


def with_times(_project: QgsProject, layers: Layers) -> None:
    """Let a dimension of reports be the time, and parcels have times by the owner's name."""
    info = QgsMapLayerServerProperties.WmsDimensionInfo("TIME", "title", "", "", "", 0)
    layers["reports"].serverProperties().addWmsDimension(info)
    times = layers["parcels"].temporalProperties()
    times.setIsActive(True)
    times.setMode(QgsVectorLayerTemporalProperties.ModeFeatureDateTimeInstantFromField)
    times.setStartField("owner_name")


def test_a_time_filters_by_no_hidden_attribute(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["parcels", "reports"], "attributes": ["*", "!owner_name", "!owner"]}]
    client = client_of(server, tmp_path, with_times, rules)
    with server.unguarded():
        filters = get(client, MAP, TIME="2020-01-01").body != get(client, MAP).body
    assert filters or Qgis.versionInt() < 34000  # earlier ones compare a time with no text
    assert get(client, MAP, TIME="2020-01-01").body == get(client, MAP).body
    assert get(client, MAP, DIM_TIME="2020-01-01").body == get(client, MAP).body


TIP = {**INFO, "INFO_FORMAT": "text/xml"}
NO_OWNERS = [{"layers": "parcels", "attributes": ["*", "!owner_name", "!owner"]}]


@pytest.mark.parametrize(
    ("edit", "rules", "request_"),
    [
        (with_annotation("salaries"), OPEN_PARCELS, MAP),
        (dimension("holder", "owner_name", 2), NO_OWNERS, MAP),
        (None, NO_OWNERS, TIP),
        (None, [{"layers": "parcels", "styles": ["blue"]}], LEGEND),
    ],
    ids=["annotation", "dimension", "map tip", "style"],
)
def test_what_is_set_for_one_request_is_set_for_the_next(
    server: Server, tmp_path: Path, edit: Any, rules: Any, request_: dict[str, Any]
) -> None:
    client = client_of(server, tmp_path, edit, rules)
    first = get(client, request_).body
    assert [get(client, request_).body for _ in range(2)] == [first, first]
    with server.unguarded():
        assert get(client, request_).body != first


def owners_by_name(_project: QgsProject, layers: Layers) -> None:
    parcels = layers["parcels"]
    config = {"Layer": layers["owners"].id(), "Key": "login", "Value": "fullname"}
    index = parcels.fields().indexOf("owner")
    parcels.setEditorWidgetSetup(index, QgsEditorWidgetSetup("ValueRelation", config))
    parcels.setFieldAlias(parcels.fields().indexOf("status"), "")


def test_the_label_of_a_closed_layer_is_in_no_format(server: Server, tmp_path: Path) -> None:
    client = client_of(server, tmp_path, owners_by_name, OPEN_PARCELS)
    for format_ in ("text/xml", "text/plain", "text/html", "application/json"):
        asked = {**INFO, "INFO_FORMAT": format_}
        with server.unguarded():
            assert "Albright" in client.get(**asked).text
        answer = client.get(**asked)
        assert "one" in answer.text
        assert "Albright" not in answer.text


def test_the_label_of_an_open_layer_is_shown(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["parcels", "owners"]}]
    client = client_of(server, tmp_path, owners_by_name, rules)
    assert "Albright" in client.get(**{**INFO, "INFO_FORMAT": "application/json"}).text


def layout_with(item_of):  # noqa: ANN001, ANN201 (a closure)
    def edit(project: QgsProject, layers: Layers) -> None:
        layout = project.layoutManager().layoutByName("simple")
        item = item_of(layout, layers)
        item.attemptSetSceneRect(QRectF(120, 40, 100, 60))
        layout.addLayoutItem(item)

    return edit


def text_item(text: str):  # noqa: ANN201 (a closure)
    def make(layout: QgsPrintLayout, _layers: Layers) -> QgsLayoutItemLabel:
        item = QgsLayoutItemLabel(layout)
        item.setText(text)
        return item

    return make


def legend_item(layout: QgsPrintLayout, _layers: Layers) -> QgsLayoutItemLegend:
    return QgsLayoutItemLegend(layout)


@pytest.mark.parametrize(
    "expression",
    [
        "aggregate('salaries', 'sum', \"amount\")",
        # What it reads cannot be told; no layer that an atlas covers is there to be asked.
        "eval('aggregate(''salaries'', ''sum'', \"amount\")')",
    ],
)
def test_a_layout_whose_label_reads_a_closed_layer_is_closed(
    server: Server, tmp_path: Path, expression: str
) -> None:
    reading = text_item(f"[% {expression} %]")
    client = client_of(server, tmp_path, layout_with(reading), OPEN_PARCELS)
    with server.unguarded():
        assert is_picture(get(client, PRINT))
    assert get(client, PRINT).status == 400
    assert is_picture(get(client, PRINT, TEMPLATE="Official plan"))


def test_a_layout_whose_label_computes_is_open(server: Server, tmp_path: Path) -> None:
    computing = text_item("[% format_date(now(), 'yyyy') %]")
    client = client_of(server, tmp_path, layout_with(computing), OPEN_PARCELS)
    assert is_picture(get(client, PRINT))


def test_a_layout_whose_legend_names_every_layer_is_closed(server: Server, tmp_path: Path) -> None:
    client = client_of(server, tmp_path, layout_with(legend_item), OPEN_PARCELS)
    with server.unguarded():
        assert is_picture(get(client, PRINT))
    assert get(client, PRINT).status == 400
    assert 'name="simple"' not in client.get(SERVICE="WMS", REQUEST="GetProjectSettings").text


def render_as_group(project: QgsProject, _layers: Layers) -> None:
    """Let the group be drawn as one layer, which QGIS does from 3.24 on."""
    group = project.layerTreeRoot().findGroup("mixed")
    if hasattr(group, "convertToGroupLayer"):
        options = core.QgsGroupLayer.LayerOptions(project.transformContext())
        project.addMapLayer(group.convertToGroupLayer(options), False)


def test_a_group_that_is_one_layer_draws_its_permitted_members_only(
    server: Server, tmp_path: Path
) -> None:
    client = client_of(server, tmp_path, render_as_group, OPEN_PARCELS)
    with server.unguarded():
        both = get(client, MAP, LAYERS="mixed").body
    answer = get(client, MAP, LAYERS="mixed")
    assert answer.status == 400 or (is_picture(answer) and answer.body != both)
    assert is_picture(get(client, MAP, LAYERS="Town"))
    with server.unguarded():
        assert get(client, MAP, LAYERS="Town").body != get(client, MAP, LAYERS="parcels").body


def with_numbered_rows(folder: Path):  # noqa: ANN201 (a closure)
    """Give the layout an atlas over rows without a primary key."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [
        {"type": "Feature", "properties": {"name": "a", "secret": text},
         "geometry": {"type": "Point", "coordinates": [1, 1]}}
        for text in ("gold", "iron")
    ]  # fmt: skip
    path = folder / "plots.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))

    def edit(project: QgsProject, _layers: Layers) -> None:
        plots = QgsVectorLayer(str(path), "plots", "ogr")
        project.addMapLayer(plots)
        atlas = project.layoutManager().layoutByName("simple").atlas()
        atlas.setEnabled(True)
        atlas.setCoverageLayer(plots)
        atlas.setFilenameExpression("'plan'")

    return edit


def test_an_atlas_asks_nothing_of_a_hidden_attribute(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["plots", "parcels"], "attributes": ["*", "!secret"]}]
    client = client_of(server, tmp_path, with_numbered_rows(tmp_path), rules)
    asked = {metal: {"ATLAS_PK": f"-1 OR \"secret\" = '{metal}'"} for metal in ("gold", "tin")}
    with server.unguarded():
        assert get(client, PRINT, **asked["gold"]).status == 200
        assert get(client, PRINT, **asked["tin"]).status == 400
    found = [get(client, PRINT, **asked[metal]) for metal in asked]
    assert [answer.status for answer in found] == [400, 400]
    assert found[0].text == found[1].text
    assert get(client, PRINT, ATLAS_PK="0").status == 200


def test_the_hidden_rows_of_an_atlas_do_not_count(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["plots", "parcels"], "filter": "name = 'one' OR secret = 'gold'"}]
    client = client_of(server, tmp_path, with_numbered_rows(tmp_path), rules)
    answer = get(client, PRINT, ATLAS_PK="*")
    assert (answer.status, "ATLAS_PK" in answer.text) == (400, True)


def group_like_reports(project: QgsProject, layers: Layers) -> None:
    group = project.layerTreeRoot().insertGroup(0, "reports")
    group.addLayer(layers["reports"])
    group.addLayer(project.mapLayersByName("ortho")[0])


def test_a_group_that_is_called_like_a_layer_is_not_printed(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": ["parcels", "reports"]}]
    client = client_of(server, tmp_path, group_like_reports, rules)
    assert get(client, PRINT, **{"map0:LAYERS": "reports"}).status == 400
    assert get(client, PRINT).status == 200
    assert is_picture(get(client, MAP, LAYERS="reports"))
