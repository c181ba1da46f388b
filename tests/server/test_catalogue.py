"""What of a project the decision core sees, on this QGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsAction,
    QgsCategorizedSymbolRenderer,
    QgsFeatureRequest,
    QgsMeshLayer,
    QgsPalLayerSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsRuleBasedLabeling,
    QgsSymbol,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)

from access_filter_plugin.access_control.catalogue import Catalogue, LayerInfo, LayerKind, Source
from access_filter_plugin.access_control.qgis_catalogue import read_catalogue
from access_filter_plugin.access_control.qgis_styles import attributes_of_styles
from tests.support.bounded import bounded
from tests.support.projects import policy_project, write_geopackage, write_raster
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def project() -> QgsProject:
    return QgsProject()


def memory(project: QgsProject, name: str, fields: str = "id:integer&field=a:string") -> Any:
    layer = QgsVectorLayer(f"Point?crs=EPSG:4326&field={fields}", name, "memory")
    project.addMapLayer(layer, addToLegend=False)
    return layer


def info(project: QgsProject, name: str) -> LayerInfo:
    found: Catalogue = read_catalogue(project)
    return next(layer for layer in found.layers.values() if layer.name == name)


def test_the_layers_of_a_written_project_are_all_there(server: Server, tmp_path: Path) -> None:
    project = QgsProject()
    project.read(str(policy_project(tmp_path)))
    found = read_catalogue(project)
    kinds = {layer.name: layer.kind for layer in found.layers.values()}
    assert kinds.pop("ortho") is LayerKind.RASTER
    assert set(kinds.values()) == {LayerKind.VECTOR}
    parcels = found.layers["parcels_layer_id"]
    assert parcels.attributes[:2] == ("fid", "name")
    assert (parcels.primary_key, parcels.has_geometry) == (("fid",), True)
    assert not found.layers["owners_layer_id"].has_geometry


def test_a_layer_knows_all_groups_above_it(project: QgsProject) -> None:
    layer = memory(project, "pipes")
    outer = project.layerTreeRoot().addGroup("Utilities")
    outer.setCustomProperty("wmsShortName", "util")
    outer.addGroup("Water").addLayer(layer)
    assert set(info(project, "pipes").groups) == {"Water", "Utilities", "util"}
    assert set(read_catalogue(project).groups) == {"Utilities", "util", "Water"}


def test_a_layer_in_two_groups_knows_both(project: QgsProject) -> None:
    layer = memory(project, "pipes")
    for name in ("One", "Two"):
        project.layerTreeRoot().addGroup(name).addLayer(layer)
    assert set(info(project, "pipes").groups) == {"One", "Two"}


def test_a_short_name_is_a_name(project: QgsProject) -> None:
    layer = memory(project, "Land parcels")
    properties = layer.serverProperties()
    if hasattr(properties, "setShortName"):
        properties.setShortName("land")
    else:
        layer.setShortName("land")
    found = info(project, "Land parcels")
    assert (found.short_name, found.wms_name) == ("land", "land")
    assert "land" in found.names


def test_layer_ids_may_be_the_names_of_wms(project: QgsProject) -> None:
    layer = memory(project, "parcels")
    project.writeEntry("WMSUseLayerIDs", "/", True)
    assert info(project, "parcels").wms_name == layer.id()


def test_an_invalid_layer_is_a_layer_without_attributes(project: QgsProject) -> None:
    project.addMapLayer(QgsVectorLayer("/nowhere.gpkg", "gone", "ogr"))
    found = info(project, "gone")
    assert (found.kind, found.attributes, found.primary_key) == (LayerKind.VECTOR, (), ())


def test_a_mesh_has_neither_rows_nor_attributes(project: QgsProject) -> None:
    project.addMapLayer(QgsMeshLayer("/nowhere.2dm", "mesh", "mdal"))
    assert info(project, "mesh").kind is LayerKind.OTHER


def test_a_raster_keeps_its_styles(project: QgsProject, tmp_path: Path) -> None:
    write_raster(tmp_path / "ortho.tif")
    layer = QgsRasterLayer(str(tmp_path / "ortho.tif"), "ortho")
    layer.styleManager().addStyleFromLayer("grey")
    project.addMapLayer(layer)
    assert set(info(project, "ortho").styles) == {"default", "grey"}


def test_a_layer_embedded_from_another_project_is_seen(project: QgsProject, tmp_path: Path) -> None:
    other = QgsProject()
    layer = memory(other, "pipes")
    other.layerTreeRoot().addGroup("Utilities").addLayer(layer)
    other.write(str(tmp_path / "other.qgs"))
    project.setFileName(str(tmp_path / "project.qgs"))
    group = project.createEmbeddedGroup("Utilities", str(tmp_path / "other.qgs"), [])
    project.layerTreeRoot().addChildNode(group)
    found = info(project, "pipes")
    assert (found.attributes, found.groups) == (("id", "a"), ("Utilities",))


def categorized(layer: Any, column: str) -> None:
    symbol = QgsSymbol.defaultSymbol(layer.geometryType())
    category = QgsRendererCategory("x", symbol, "x")
    layer.setRenderer(QgsCategorizedSymbolRenderer(column, [category]))


def own(project: QgsProject, name: str, *attributes: str) -> Source:
    return Source(info(project, name).id, frozenset(attributes), rows=False)


def test_a_style_is_made_of_the_attributes_that_it_draws_with(project: QgsProject) -> None:
    layer = memory(project, "parcels", "secret:string&field=name:string")
    layer.styleManager().addStyleFromLayer("plain")
    categorized(layer, "secret")
    styles = info(project, "parcels").style_sources
    assert styles["default"] == (own(project, "parcels", "secret"),)
    assert styles["plain"] == ()


def test_a_style_finds_its_attributes_without_regard_to_case(project: QgsProject) -> None:
    layer = memory(project, "parcels", "My Secret:string")
    categorized(layer, "MY SECRET")
    assert info(project, "parcels").style_sources["default"] == (
        own(project, "parcels", "My Secret"),
    )


def test_a_style_that_is_not_current_is_read_without_making_it_current(
    project: QgsProject,
) -> None:
    layer = memory(project, "parcels", "secret:string&field=name:string")
    layer.styleManager().addStyleFromLayer("plain")
    layer.styleManager().setCurrentStyle("plain")
    categorized(layer, "name")
    layer.styleManager().setCurrentStyle("default")
    changes: list[str] = []
    layer.styleManager().currentStyleChanged.connect(changes.append)
    renderer = layer.renderer()
    assert info(project, "parcels").style_sources["plain"] == (own(project, "parcels", "name"),)
    assert (changes, layer.renderer() is renderer) == ([], True)


def labels(text: str, *, is_expression: bool = True) -> Any:
    settings = QgsPalLayerSettings()
    settings.fieldName = text
    settings.isExpression = is_expression
    return settings


def test_the_order_of_drawing_is_part_of_a_style(project: QgsProject) -> None:
    layer = memory(project, "parcels", "secret:string&field=name:string")
    renderer = layer.renderer()
    clause = QgsFeatureRequest.OrderByClause('"secret"')
    renderer.setOrderBy(QgsFeatureRequest.OrderBy([clause]))
    assert info(project, "parcels").style_sources["default"] == ()
    renderer.setOrderByEnabled(True)
    assert own(project, "parcels", "secret") in info(project, "parcels").style_sources["default"]


def test_labels_are_part_of_a_style(project: QgsProject) -> None:
    layer = memory(project, "parcels", "secret:string&field=name:string")
    layer.setLabeling(QgsVectorLayerSimpleLabeling(labels('upper("secret")')))
    layer.setLabelsEnabled(True)
    assert own(project, "parcels", "secret") in info(project, "parcels").style_sources["default"]
    layer.setLabelsEnabled(False)
    assert info(project, "parcels").style_sources["default"] == ()


def test_the_conditions_of_label_rules_are_part_of_a_style(project: QgsProject) -> None:
    layer = memory(project, "parcels", "secret:string&field=name:string")
    root = QgsRuleBasedLabeling.Rule(QgsPalLayerSettings())
    settings = labels("name", is_expression=False)
    root.appendChild(QgsRuleBasedLabeling.Rule(settings, filterExp="\"secret\" = 'x'"))
    layer.setLabeling(QgsRuleBasedLabeling(root))
    layer.setLabelsEnabled(True)
    read = {
        n for s in info(project, "parcels").style_sources["default"] for n in s.attributes or ()
    }
    assert read == {"secret", "name"}


def test_a_style_that_reads_another_layer_is_made_of_it(project: QgsProject) -> None:
    owners = memory(project, "owners", "phone:string")
    layer = memory(project, "parcels")
    layer.setLabeling(
        QgsVectorLayerSimpleLabeling(labels("aggregate('owners', 'concatenate', \"phone\")"))
    )
    layer.setLabelsEnabled(True)
    assert Source(owners.id(), None) in info(project, "parcels").style_sources["default"]


def test_a_default_value_is_no_part_of_a_style(project: QgsProject) -> None:
    from qgis.core import QgsDefaultValue

    memory(project, "owners", "phone:string")
    layer = memory(project, "parcels")
    layer.setDefaultValueDefinition(0, QgsDefaultValue("aggregate('owners', 'count', 1)"))
    assert info(project, "parcels").style_sources["default"] == ()


def test_a_style_that_cannot_be_read_reads_everything(project: QgsProject) -> None:
    layer = memory(project, "parcels")
    layer.styleManager().addStyle("broken", layer.styleManager().style("default"))
    from qgis.core import QgsMapLayerStyle

    layer.styleManager().addStyle("not xml", QgsMapLayerStyle("<qgis"))
    assert "eval('unreadable')" in attributes_of_styles(layer)["not xml"]
    assert any(s.layer == "" for s in info(project, "parcels").style_sources["not xml"])


def test_reading_a_large_project_takes_bounded_time(project: QgsProject, tmp_path: Path) -> None:
    write_geopackage(tmp_path / "data.gpkg")
    for number in range(200):
        layer = memory(project, f"layer {number}")
        layer.styleManager().addStyleFromLayer("second")
        project.layerTreeRoot().addLayer(layer)
    with bounded():
        assert len(read_catalogue(project).layers) == 200


def test_actions_of_a_layer_change_nothing(project: QgsProject) -> None:
    layer = memory(project, "parcels")
    layer.actions().addAction(QgsAction(QgsAction.ActionType.GenericPython, "x", "print(1)"))
    assert info(project, "parcels").sources == ()
