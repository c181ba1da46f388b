"""The order of the form, its tabs and groups, and what it does not show."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsOptionalExpression

from tests.server_feature_info.conftest import field
from tests.server_feature_info.world import drag_and_drop_form

TREE = {
    "General": ["zone", "parcel_id"],
    "Planning": {"Money": ["price"], "Use": {"Inner": ["kind", "internal_code"]}},
}


def with_form(_project: Any, layers: Any) -> None:
    drag_and_drop_form(layers["parcels"], TREE)


def names(info: Any) -> list[str]:
    return [entry["name"] for entry in info["fields"]]


def test_fields_come_in_the_order_of_a_drag_and_drop_form_and_others_stay_out(
    ask: Any, town: Any
) -> None:
    info = ask.one(town.project("on", tweak=with_form))
    assert names(info) == ["zone", "parcel_id", "price", "kind"]


def test_tabs_and_groups_are_told_nested_ones_joined(ask: Any, town: Any) -> None:
    info = ask.one(town.project("on", tweak=with_form))
    assert field(info, "zone")["group"] == "General"
    assert "groups" not in field(info, "zone")
    assert field(info, "kind")["group"] == "Planning / Use / Inner"
    assert field(info, "kind")["groups"] == ["Planning", "Use", "Inner"]


def test_a_row_only_sets_fields_side_by_side(ask: Any, town: Any) -> None:
    """QGIS has rows since 3.32; before, the same container is a group."""
    has_rows = hasattr(Qgis, "AttributeEditorContainerType")

    def tweak(project: Any, layers: Any) -> None:
        with_form(project, layers)
        form = layers["parcels"].editFormConfig()
        planning = form.invisibleRootContainer().children()[1]
        if has_rows:
            planning.children()[0].setType(Qgis.AttributeEditorContainerType.Row)
        layers["parcels"].setEditFormConfig(form)

    info = ask.one(town.project("on", tweak=tweak))
    assert field(info, "price")["group"] == ("Planning" if has_rows else "Planning / Money")
    assert field(info, "kind")["group"] == "Planning / Use / Inner"


def test_a_form_without_tabs_tells_no_groups(ask: Any, town: Any) -> None:
    assert not [one for one in ask.one(town.project("on"))["fields"] if "group" in one]


def test_the_order_of_fields_in_the_settings_comes_first(ask: Any, town: Any) -> None:
    project = town.project({"fields": ["secret", "price", "zone"]}, tweak=with_form)
    assert names(ask.one(project)) == ["secret", "price", "zone"]


def test_a_pattern_stands_for_the_rest_in_the_order_of_the_form(ask: Any, town: Any) -> None:
    project = town.project({"fields": ["price", "*", "zone", "!extra*", "!big"]}, tweak=with_form)
    found = names(ask.one(project))
    assert found[:3] == ["price", "parcel_id", "kind"]
    assert found[-1] == "zone"
    assert "owner" in found
    assert not {"extra", "extra2", "big", "internal_code"} & set(found)


def test_fields_taken_away_leave_the_rest_of_the_form(ask: Any, town: Any) -> None:
    project = town.project({"fields": ["!price", "!k*"]}, tweak=with_form)
    assert names(ask.one(project)) == ["zone", "parcel_id"]


def test_an_empty_list_shows_no_field(ask: Any, town: Any) -> None:
    assert names(ask.one(town.project({"fields": []}))) == []


def test_a_group_is_shown_only_where_its_condition_is_true(ask: Any, town: Any) -> None:
    from qgis.core import QgsExpression

    def tweak(project: Any, layers: Any) -> None:
        with_form(project, layers)
        form = layers["parcels"].editFormConfig()
        general = form.invisibleRootContainer().children()[0]
        general.setVisibilityExpression(QgsOptionalExpression(QgsExpression('"price" > 1'), True))
        layers["parcels"].setEditFormConfig(form)

    project = town.project("on", tweak=tweak)
    assert names(ask.one(project)) == ["zone", "parcel_id", "price", "kind"]
    assert names(ask.one(project, key="parcels.2")) == ["price", "kind"]


def test_settings_of_a_layer_count_before_those_of_a_pattern_and_of_all(
    ask: Any, town: Any
) -> None:
    project = town.project(
        {
            "fields": ["zone"],
            "place": "property",
            "layers": {
                "parcels": {"fields": ["kind"]},
                "p*": {"fields": ["price"], "properties": "names"},
            },
        }
    )
    feature = ask(project)["features"][0]
    assert list(feature["properties"]) == ["kind", "info"]


def test_a_layer_may_be_named_by_its_short_name_or_id(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        target = layers["parcels"].serverProperties()
        (target if hasattr(target, "setShortName") else layers["parcels"]).setShortName("pcl")

    for name in ("pcl", "parcels", "parcels_layer_id"):
        project = town.project({"layers": {name: {"fields": ["kind"]}}}, tweak=tweak)
        assert names(ask.one(project, "pcl", key="pcl.1")) == ["kind"]
