"""Records that belong to a feature: 1:n, n:m, nested, limited, counted, ordered."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import QgsVectorLayer

from tests.server_feature_info.world import drag_and_drop_form

EVERYTHING = {
    "layers": {
        "parcels": {
            "related": {"buildings": {}, "owners": {}},
            "computed": {"twice": '"price" * 2'},
            "links": {"l": "https://example.org/[% zone %]"},
            "geometry": "centroid",
        }
    }
}


def related(ask: Any, whole_town: Any, settings: Any, key: str = "parcels.1", **more: Any) -> Any:
    project = whole_town.project({"layers": {"parcels": {"related": settings}}}, **more)
    return ask.one(project, key=key).get("related", {})


def titles(entry: Any) -> list[str]:
    return [feature["title"] for feature in entry["features"]]


def test_children_are_told_with_count_title_and_fields(ask: Any, whole_town: Any) -> None:
    entry = related(ask, whole_town, {"buildings": {"fields": ["name", "use"]}})["buildings"]
    assert (entry["count"], entry["truncated"], titles(entry)) == (
        3,
        False,
        ["Mill", "Barn", "Shed"],
    )
    mill = entry["features"][0]
    assert mill["id"] == "buildings.4"
    assert [(one["name"], one["label"]) for one in mill["fields"]] == [
        ("name", "Mill"),
        ("use", "Work"),
    ]


def test_a_parent_without_children_has_an_empty_list(ask: Any, whole_town: Any) -> None:
    project = whole_town.project({"layers": {"buildings": {"related": {"rooms": {}}}}})
    info = ask.one(project, "buildings", "buildings.4")
    assert titles(info["related"]["rooms"]) == ["Hall", "Attic"]
    away = {"BBOX": "0,0,2,2", "I": "45", "J": "74"}
    info = ask.one(project, "buildings", "buildings.7", **away)
    assert info["related"]["rooms"] == {"count": 0, "truncated": False, "features": []}


def test_each_parent_has_its_own_children(ask: Any, whole_town: Any) -> None:
    assert titles(related(ask, whole_town, {"buildings": {}}, "parcels.2")["buildings"]) == [
        "Tower"
    ]


def test_a_relation_may_be_named_by_its_id(ask: Any, whole_town: Any) -> None:
    assert list(related(ask, whole_town, {"parcel_buildings": {}})) == ["parcel_buildings"]


def test_a_limit_cuts_off_and_says_so_and_the_count_does_not_care(
    ask: Any, whole_town: Any
) -> None:
    entry = related(ask, whole_town, {"buildings": {"limit": 2}})["buildings"]
    assert (entry["count"], entry["truncated"], len(entry["features"])) == (3, True, 2)


def test_a_limit_of_zero_only_counts(ask: Any, whole_town: Any) -> None:
    entry = related(ask, whole_town, {"buildings": {"limit": 0}})["buildings"]
    assert entry == {"count": 3, "truncated": True, "features": []}


def test_the_count_may_be_left_out(ask: Any, whole_town: Any) -> None:
    assert "count" not in related(ask, whole_town, {"buildings": {"count": False}})["buildings"]


def test_records_come_in_the_wanted_order(ask: Any, whole_town: Any) -> None:
    by_height = related(ask, whole_town, {"buildings": {"order_by": "height"}})["buildings"]
    assert titles(by_height) == ["Shed", "Barn", "Mill"]
    by_use = related(ask, whole_town, {"buildings": {"order_by": ["-use", "name"], "limit": 2}})[
        "buildings"
    ]
    assert titles(by_use) == ["Barn", "Shed"]


def test_records_have_computed_values_units_and_new_names_of_their_own(
    ask: Any, whole_town: Any
) -> None:
    settings = {
        "fields": ["name"],
        "rename": {"name": "building"},
        "computed": {"feet": 'round("height" * 3.28084)'},
        "units": {"feet": "ft"},
        "limit": 1,
    }
    (mill,) = related(ask, whole_town, {"buildings": settings})["buildings"]["features"]
    assert mill["fields"][0]["name"] == "building"
    assert mill["computed"] == {"feet": {"value": 39, "label": "39 ft", "unit": "ft"}}


def test_records_may_have_records_one_level_down(ask: Any, whole_town: Any) -> None:
    settings = {"order_by": "name", "related": {"rooms": {"fields": ["name"]}}}
    entry = related(ask, whole_town, {"buildings": settings})["buildings"]
    rooms = {one["title"]: titles(one["related"]["rooms"]) for one in entry["features"]}
    assert rooms == {"Barn": ["Stall"], "Mill": ["Hall", "Attic"], "Shed": []}


def test_the_far_side_of_an_n_m_relation_may_be_named_by_its_layer(
    ask: Any, whole_town: Any
) -> None:
    entry = related(ask, whole_town, {"owners": {"order_by": "-name"}})["owners"]
    assert (entry["count"], titles(entry)) == (2, ["Bob", "Alice"])
    entry = related(ask, whole_town, {"owners": {}}, "parcels.2")["owners"]
    assert (entry["count"], titles(entry)) == (1, ["Bob"])


def test_the_table_between_may_be_told_itself(ask: Any, whole_town: Any) -> None:
    entry = related(ask, whole_town, {"parcel_owner": {"fields": ["owner"]}})["parcel_owner"]
    assert [one["fields"][0]["value"] for one in entry["features"]] == [1, 2, 99]


def test_a_relation_that_the_form_shows_as_n_m_is_told_as_n_m(ask: Any, whole_town: Any) -> None:
    from qgis.core import QgsAttributeEditorRelation

    def tweak(project: Any, layers: Any) -> None:
        parcels = layers["parcels"]
        drag_and_drop_form(parcels, {"All": ["zone"]})
        form = parcels.editFormConfig()
        tab = form.invisibleRootContainer().children()[0]
        relation = project.relationManager().relation("po_parcel")
        element = QgsAttributeEditorRelation(relation, tab)
        element.setNmRelationId("po_owner")
        tab.addChildElement(element)
        parcels.setEditFormConfig(form)

    entry = related(ask, whole_town, {"po_parcel": {"order_by": "name"}}, tweak=tweak)["po_parcel"]
    assert titles(entry) == ["Alice", "Bob"]


def test_a_form_of_generated_layout_may_say_so_too(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        form = layers["parcels"].editFormConfig()
        form.setWidgetConfig("po_parcel", {"nm-rel": "po_owner"})
        layers["parcels"].setEditFormConfig(form)

    entry = related(ask, whole_town, {"po_parcel": {"order_by": "name"}}, tweak=tweak)["po_parcel"]
    assert titles(entry) == ["Alice", "Bob"]


def test_a_relation_of_several_columns_compares_them_all(ask: Any, whole_town: Any) -> None:
    from qgis.core import QgsRelation, QgsRelationContext

    def tweak(project: Any, layers: Any) -> None:
        relation = QgsRelation(QgsRelationContext(project))
        relation.setId("pair")
        relation.setName("pair")
        relation.setReferencedLayer(layers["parcels"].id())
        relation.setReferencingLayer(layers["parcel_owner"].id())
        relation.addFieldPair("parcel", "fid")
        relation.addFieldPair("owner", "owner")
        project.relationManager().addRelation(relation)

    for key, expected in (("parcels.1", [1]), ("parcels.2", [2])):
        entry = related(ask, whole_town, {"pair": {"fields": ["owner"]}}, key, tweak=tweak)["pair"]
        assert [one["fields"][0]["value"] for one in entry["features"]] == expected


def test_beyond_very_many_rows_the_answer_says_so_and_counts_nothing(
    ask: Any, whole_town: Any, monkeypatch: Any
) -> None:
    from access_filter_plugin.feature_info import qgis_related

    monkeypatch.setattr(qgis_related, "MAX_ROWS", 3)
    entry = related(ask, whole_town, {"buildings": {"order_by": "name"}})["buildings"]
    assert (entry["truncated"], "count" in entry) == (True, False)
    assert titles(entry) == ["Barn", "Mill"]


@pytest.mark.parametrize("settings", ["on", EVERYTHING])
def test_each_layer_is_read_once_however_many_features_there_are(
    ask: Any, whole_town: Any, monkeypatch: Any, settings: Any
) -> None:
    """The features, the labels from other layers, and the records of each relation."""
    read: list[str] = []
    real = QgsVectorLayer.getFeatures

    def counted(layer: Any, *arguments: Any) -> Any:
        read.append(layer.name())
        return real(layer, *arguments)

    monkeypatch.setattr(QgsVectorLayer, "getFeatures", counted)
    project = whole_town.project(settings)
    counts = []
    for count in ("1", "10"):
        read.clear()
        returned = len(ask(project, FEATURE_COUNT=count)["features"])
        counts.append((returned, sorted(read)))
    labels = ["kinds", "owners", "tags"]
    records = ["buildings", "owners", "parcel_owner"] if settings != "on" else []
    expected = sorted(["parcels", *labels, *records])
    assert counts == [(1, expected), (2, expected)]


def test_a_thousand_parents_cost_one_request(ask: Any, whole_town: Any, monkeypatch: Any) -> None:
    from access_filter_plugin.feature_info import qgis_related

    made: list[Any] = []
    real = qgis_related.request_for

    def counted(*arguments: Any, **more: Any) -> Any:
        made.append(arguments)
        return real(*arguments, **more)

    monkeypatch.setattr(qgis_related, "request_for", counted)
    answer = ask(whole_town.project({"layers": {"parcels": {"related": {"buildings": {}}}}}))
    assert len(answer["features"]) == 2
    assert len(made) == 1
