"""Features find their layer: groups, short names, ids, dots, equal names, layers without a key."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsLayerTreeGroup, QgsMeshLayer, QgsProject, QgsRasterLayer

from tests.server_feature_info.conftest import PLACE, field


def told(answer: Any) -> Any:
    return {one["id"]: one.get("info", {}).get("layer", {}).get("id") for one in answer["features"]}


def rename(layer: Any, name: str) -> None:
    layer.setName(name)


def set_short_name(layer: Any, name: str) -> None:
    target = layer.serverProperties() if hasattr(layer, "serverProperties") else layer
    (target if hasattr(target, "setShortName") else layer).setShortName(name)


def group_of(project: QgsProject, name: str, *layers: Any) -> QgsLayerTreeGroup:
    root = project.layerTreeRoot()
    group = root.addGroup(name)
    for layer in layers:
        group.addLayer(layer)
        root.removeChildNode(root.findLayer(layer.id()))
    return group


def test_short_names_are_the_names_of_the_answer(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        set_short_name(layers["parcels"], "pcl")

    answer = ask(whole_town.project("on", tweak=tweak), "pcl")
    assert answer["features"][0]["id"] == "pcl.1"
    assert answer["features"][0]["info"]["layer"] == {
        "id": "parcels_layer_id",
        "name": "pcl",
        "title": "parcels",
    }
    assert answer["info"]["layers"][0]["name"] == "pcl"


def test_a_project_may_publish_layers_by_their_ids(ask: Any, whole_town: Any) -> None:
    def tweak(project: Any, _layers: Any) -> None:
        project.writeEntry("WMSUseLayerIDs", "/", True)

    answer = ask(whole_town.project("on", tweak=tweak), "parcels_layer_id")
    assert set(told(answer).values()) == {"parcels_layer_id"}
    assert answer["features"][0]["info"]["layer"]["name"] == "parcels_layer_id"


def test_a_group_is_its_layers(ask: Any, whole_town: Any) -> None:
    def tweak(project: Any, layers: Any) -> None:
        inner = group_of(project, "inner", layers["buildings"])
        outer = group_of(project, "outer", layers["parcels"])
        outer.insertChildNode(0, inner.clone())
        project.layerTreeRoot().removeChildNode(inner)

    answer = ask(whole_town.project("on", tweak=tweak), "outer")
    assert set(told(answer)) == {"parcels.1", "parcels.2", "buildings.4"}
    assert all(told(answer).values())
    assert [one["name"] for one in answer["info"]["layers"]] == ["buildings", "parcels"]


def test_names_with_dots_are_told_apart(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        rename(layers["parcels"], "a")
        rename(layers["buildings"], "a.b")

    project = whole_town.project("on", layers=("parcels", "buildings"), tweak=tweak)
    answer = ask(project, "a,a.b")
    assert [one["info"]["layer"]["name"] for one in answer["features"]] == ["a", "a", "a.b"]


def test_a_key_that_looks_like_another_layers_name_is_not_mistaken(
    ask: Any, whole_town: Any
) -> None:
    """Layer a with the key b.4 has the id of layer a.b with the key 4: the data decides."""

    def tweak(_project: Any, layers: Any) -> None:
        rename(layers["buildings"], "a.b")
        rename(layers["benches"], "a")

    project = whole_town.project("on", layers=("buildings", "benches"), tweak=tweak)
    answer = ask(project, "a.b,a")
    layers = [one["info"]["layer"]["name"] for one in answer["features"]]
    assert layers[0] == "a.b"
    assert set(layers[1:]) == {"a"}


def test_of_two_layers_with_one_name_the_one_that_fits_is_told(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        rename(layers["parcels"], "twin")
        rename(layers["buildings"], "twin")

    answer = ask(whole_town.project("on", layers=("parcels", "buildings"), tweak=tweak), "twin")
    assert len(QgsProject.instance().mapLayersByName("twin")) == 2
    assert answer["features"]  # QGIS asks one of the two, and takes the properties of the other
    for feature in answer["features"]:
        layer = feature["info"]["layer"]["id"]
        names = {entry["name"] for entry in feature["info"]["fields"]}
        expected = "height" if feature["id"] == "twin.4" else "parcel_id"
        assert (layer in ("twin_layer_id", "twin_layer_id_2"), expected in names) == (True, True)


def test_one_table_twice_under_one_name_is_told_once_for_each_feature(
    ask: Any, whole_town: Any
) -> None:
    def tweak(project: Any, _layers: Any) -> None:
        project.addMapLayer(whole_town.layer("parcels"))

    answer = ask(whole_town.project("on", layers=("parcels",), tweak=tweak))
    assert len(QgsProject.instance().mapLayersByName("parcels")) == 2
    assert [one["id"] for one in answer["features"]] == ["parcels.1", "parcels.2"]
    assert all("info" in feature for feature in answer["features"])


def test_a_layer_without_a_key_is_told_by_its_feature_ids(ask: Any, whole_town: Any) -> None:
    answer = ask(whole_town.project("on", layers=("benches",)), "benches")
    woods = {one["id"]: field(one["info"], "wood")["value"] for one in answer["features"]}
    assert woods == {"benches.0": "oak", "benches.1": "pine"}
    assert field(answer["features"][0]["info"], "words")["value"] == ["a", "b"]
    assert field(answer["features"][0]["info"], "words")["type"] == "list"


def test_a_layer_without_geometry_can_be_asked_by_a_filter(ask: Any, filtered_town: Any) -> None:
    project = filtered_town.project("on", layers=("parcels", "owners"))
    answer = ask(project, "owners", I=None, J=None, BBOX=None, FILTER="owners:\"name\" = 'Bob'")
    assert told(answer) == {"owners.2": "owners_layer_id"}
    assert answer["features"][0]["geometry"] is None


def test_a_composite_key_is_found_among_its_neighbours(server: Any, whole_town: Any) -> None:
    """QGIS joins a key of several columns by @@; only databases have such keys: asked directly."""
    from access_filter_plugin.feature_info.qgis_features import FeatureKeys, fetch_by_key

    layer = whole_town.layer("parcel_owner")
    keys = FeatureKeys(layer)
    keys.indexes = [layer.fields().indexOf("parcel"), layer.fields().indexOf("owner")]
    found = fetch_by_key(keys, ["1@@2", "2@@2", "1@@7", "nonsense"], None, {0}, geometry=False)
    assert {key: feature.id() for key, feature in found.items()} == {"1@@2": 2, "2@@2": 3}


def test_a_text_in_a_composite_key_may_hold_the_separator(server: Any) -> None:
    from access_filter_plugin.feature_info.qgis_features import values_in

    assert values_in("a@@1", 1) == [["a@@1"]]
    assert values_in("a@@1", 2) == [["a"], ["1"]]
    assert values_in("a@@b@@1", 2) == [["a", "a@@b"], ["b@@1", "1"]]
    assert values_in("a@@b@@c@@d", 3) == [["a", "a@@b"], ["b", "b@@c", "c"], ["c@@d", "d"]]
    assert values_in("a", 2) == values_in("@@".join("x" * 51), 2) == []


MESH = """MESH2D
E4Q 1 1 2 3 4 1
ND 1 0.0 0.0 5.0
ND 2 2.0 0.0 5.0
ND 3 2.0 2.0 6.0
ND 4 0.0 2.0 6.0
"""


def test_cascades_and_meshes_pass_through_untouched(ask: Any, town: Any) -> None:
    (town.folder / "ground.2dm").write_text(MESH)

    def tweak(project: Any, _layers: Any) -> None:
        mesh = QgsMeshLayer(str(town.folder / "ground.2dm"), "ground", "mdal")
        mesh.setCrs(project.crs())
        tiles = "type=xyz&url=file:///nowhere/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=3&zmin=0"
        for layer in (mesh, QgsRasterLayer(tiles, "tiles", "wms")):
            assert layer.isValid()
            project.addMapLayer(layer)

    project = town.project("on", tweak=tweak)
    answer, stock = (one(project, "parcels,ground,tiles") for one in (ask, ask.stock))
    assert told(answer) == {
        "parcels.1": "parcels_layer_id",
        "parcels.2": "parcels_layer_id",
        "ground": None,
        "tiles": None,
    }
    assert answer["features"][2:] == stock["features"][2:]
    returned = [(one["name"], one["returned"]) for one in answer["info"]["layers"]]
    assert returned == [("parcels", 2), ("ground", 1), ("tiles", 1)]


def test_layers_embedded_from_another_project_are_told_like_any_other(
    ask: Any, whole_town: Any
) -> None:
    def grouped(project: Any, layers: Any) -> None:
        group_of(project, "elsewhere", layers["parcels"])

    source = whole_town.project(None, layers=("parcels",), tweak=grouped)

    def tweak(project: Any, _layers: Any) -> None:
        project.layerTreeRoot().addChildNode(
            project.createEmbeddedGroup("elsewhere", str(source), [])
        )

    answer = ask(whole_town.project("on", layers=("buildings",), tweak=tweak), "parcels")
    assert [one["id"] for one in answer["features"]] == ["parcels.1", "parcels.2"]
    assert all("info" in feature for feature in answer["features"])


def test_wmts_feature_info_is_enriched_too(ask: Any, server: Any, whole_town: Any) -> None:
    project = whole_town.project("on")
    client = server.client(project)
    answer = client.get(
        SERVICE="WMTS",
        VERSION="1.0.0",
        REQUEST="GetFeatureInfo",
        LAYER="parcels",
        STYLE="",
        TILEMATRIXSET="EPSG:3857",
        TILEMATRIX="7",
        TILEROW="63",
        TILECOL="64",
        FORMAT="image/png",
        INFOFORMAT="application/json",
        I="46",
        J="209",
    )
    assert answer.status == 200, answer.text
    collection = answer.json
    ask.check(collection)
    assert collection["info"]["crs"] == "EPSG:3857"
    assert [one["info"]["layer"]["name"] for one in collection["features"]] == ["parcels"]


def test_old_versions_of_wms_are_enriched_too(ask: Any, whole_town: Any) -> None:
    old = {"VERSION": "1.1.1", "CRS": None, "SRS": "EPSG:4326", "I": None, "J": None}
    answer = ask(whole_town.project("on"), X=PLACE["I"], Y=PLACE["J"], **old)
    assert answer["info"]["crs"] == "EPSG:4326"
    assert len(answer["features"]) == 2
    assert all("info" in feature for feature in answer["features"])
