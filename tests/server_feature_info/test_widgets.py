"""Values and labels of every widget, held against QGIS's own field formatters."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsApplication, QgsProject

from tests.server_feature_info.conftest import field
from tests.server_feature_info.world import BIG, NULL_IN_VALUE_MAP, keep_from_wms, widget

FORMATTED = [
    "fid",
    "parcel_id",
    "zone",
    "owner",
    "kind",
    "tags",
    "price",
    "built",
    "seen",
    "public",
    "open",
    "big",
    "extra",
    "extra2",
    "photo",
    "colour",
    "uuid",
    "size",
    "class",
    "remark",
    "secret",
]


def form_text(layer_name: str, field_name: str, key: int) -> str:
    """Return what the form shows, from the project that the server has loaded."""
    (layer,) = QgsProject.instance().mapLayersByName(layer_name)
    index = layer.fields().indexOf(field_name)
    setup = layer.editorWidgetSetup(index)
    kind = setup.type() or ("DateTime" if layer.fields().at(index).isDateOrTime() else "")
    formatter = QgsApplication.fieldFormatterRegistry().fieldFormatter(kind)
    value = layer.getFeature(key).attribute(index)
    return str(formatter.representValue(layer, index, setup.config(), None, value))


@pytest.mark.parametrize("name", FORMATTED)
def test_a_label_is_what_the_form_shows(ask: Any, whole_town: Any, name: str) -> None:
    info = ask.one(whole_town.project("on"))
    assert field(info, name)["label"] == form_text("parcels", name, 1)


@pytest.mark.parametrize("name", ["zone", "owner", "kind", "public", "price", "remark"])
def test_a_value_the_widget_does_not_know_is_labelled_as_the_form_does(
    ask: Any, whole_town: Any, name: str
) -> None:
    info = ask.one(whole_town.project("on"), key="parcels.3", BBOX="0,0,40,40", I="51", J="48")
    entry = field(info, name)
    shown = form_text("parcels", name, 3)
    assert entry["label"] == (None if shown == "NULL" else shown)


@pytest.mark.parametrize(
    ("name", "value", "kind", "widget_name"),
    [
        ("fid", 1, "integer", "TextEdit"),
        ("zone", 3, "integer", "ValueMap"),
        ("owner", 1, "integer", "RelationReference"),
        ("kind", "res", "string", "ValueRelation"),
        ("tags", "{1,2}", "string", "ValueRelation"),
        ("price", 12.5, "number", "Range"),
        ("built", "1999-12-31", "date", "DateTime"),
        ("seen", "2024-05-06T07:08:09", "datetime", "DateTime"),
        ("public", True, "boolean", "CheckBox"),
        ("extra", {"a": 1, "b": "x"}, "json", "KeyValue"),
        ("extra3", {"deep": {"list": [1, None]}}, "json", "JsonEdit"),
        ("photo", "pictures/one picture.jpg", "string", "ExternalResource"),
        ("week", 12345, "integer", "Range"),
    ],
)
def test_a_value_is_told_as_stored_with_its_type_and_widget(
    ask: Any, whole_town: Any, name: str, value: Any, kind: str, widget_name: str
) -> None:
    entry = field(ask.one(whole_town.project("on")), name)
    assert (entry["value"], entry["type"], entry["widget"]) == (value, kind, widget_name)


def test_a_list_is_told_as_a_list_whatever_the_provider_calls_its_type(
    ask: Any, whole_town: Any
) -> None:
    entry = field(ask.one(whole_town.project("on")), "extra2")
    assert (entry["value"], entry["widget"]) == (["red", "green"], "List")
    assert entry["type"] in ("json", "list")


def test_an_integer_that_javascript_would_round_is_told_as_text_too(
    ask: Any, whole_town: Any
) -> None:
    info = ask.one(whole_town.project("on"))
    assert (field(info, "big")["value"], field(info, "big")["text"]) == (BIG, str(BIG))
    assert "text" not in field(info, "fid")


def test_json_is_labelled_as_json(ask: Any, whole_town: Any) -> None:
    label = field(ask.one(whole_town.project("on")), "extra3")["label"]
    assert "".join(label.split()) == '{"deep":{"list":[1,null]}}'


def test_null_has_no_label(ask: Any, whole_town: Any) -> None:
    info = ask.one(whole_town.project("on"), key="parcels.2")
    for name in ("tags", "built", "seen", "big", "extra", "extra2", "extra3", "photo", "open"):
        assert (field(info, name)["value"], field(info, name)["label"]) == (None, None), name


def test_a_value_map_may_give_null_a_label(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        config = {"map": [{"unknown": NULL_IN_VALUE_MAP}, {"large": "large"}]}
        widget(layers["parcels"], "size", "ValueMap", config)

    info = ask.one(whole_town.project("on", tweak=tweak), key="parcels.2")
    assert (field(info, "size")["value"], field(info, "size")["label"]) == (None, "unknown")


def test_a_zero_and_an_empty_text_are_values(ask: Any, whole_town: Any) -> None:
    info = ask.one(whole_town.project("on"), key="parcels.2")
    assert field(info, "price")["value"] == 0
    assert field(info, "public")["value"] is False
    assert (field(info, "remark")["value"], field(info, "remark")["label"]) == ("", "")


def test_fields_come_in_the_order_of_the_layer_with_their_aliases(
    ask: Any, whole_town: Any
) -> None:
    info = ask.one(whole_town.project("on"))
    names = [entry["name"] for entry in info["fields"]]
    assert names[:5] == ["fid", "parcel_id", "zone", "owner", "kind"]
    assert (field(info, "zone")["alias"], field(info, "kind")["alias"]) == ("Zoning", "kind")


def test_fields_with_the_hidden_widget_are_left_out_unless_named(ask: Any, whole_town: Any) -> None:
    assert "internal_code" not in [
        one["name"] for one in ask.one(whole_town.project("on"))["fields"]
    ]
    named = whole_town.project({"fields": ["zone", "internal_code"]})
    assert [one["name"] for one in ask.one(named)["fields"]] == ["zone", "internal_code"]


def test_fields_that_the_project_keeps_from_wms_are_never_told(ask: Any, whole_town: Any) -> None:
    project = whole_town.project({"fields": ["*", "secret"], "properties": "names"}, fresh=True)
    assert "CANARY" in ask.raw(project, "parcels").text
    keep_from_wms(project, "secret")
    ask.server.forget(project)
    assert "CANARY" not in ask.raw(project, "parcels").text


def test_an_expression_field_and_a_joined_field_are_told_like_others(
    ask: Any, whole_town: Any
) -> None:
    from qgis.core import QgsField, QgsVectorLayerJoinInfo
    from qgis.PyQt.QtCore import QVariant

    def tweak(_project: Any, layers: Any) -> None:
        parcels = layers["parcels"]
        parcels.addExpressionField('"price" * 2', QgsField("twice", QVariant.Double))
        join = QgsVectorLayerJoinInfo()
        join.setJoinLayer(layers["owners"])
        join.setJoinFieldName("fid")
        join.setTargetFieldName("owner")
        join.setPrefix("o_")
        join.setUsingMemoryCache(True)
        parcels.addJoin(join)

    info = ask.one(whole_town.project("on", tweak=tweak))
    assert field(info, "twice")["value"] == 25.0
    assert field(info, "o_name")["value"] == "Alice"


def test_a_filtered_value_relation_labels_only_what_its_filter_lets_through(
    ask: Any, whole_town: Any
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        config = {
            "Layer": layers["kinds"].id(),
            "Key": "code",
            "Value": "label",
            "FilterExpression": '"shown" = 1',
        }
        widget(layers["parcels"], "kind", "ValueRelation", config)

    project = whole_town.project("on", tweak=tweak)
    labels = [
        field(ask.one(project, key=key), "kind")["label"] for key in ("parcels.1", "parcels.2")
    ]
    assert labels == [form_text("parcels", "kind", 1), form_text("parcels", "kind", 2)]
    assert labels == ["Residential", "(ind)"]


def test_a_value_relation_whose_filter_needs_the_form_is_labelled_without_it(
    ask: Any, whole_town: Any
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        config = {
            "Layer": layers["kinds"].id(),
            "Key": "code",
            "Value": "label",
            "FilterExpression": "\"shown\" = current_value('zone')",
        }
        widget(layers["parcels"], "kind", "ValueRelation", config)

    project = whole_town.project("on", tweak=tweak)
    label = field(ask.one(project), "kind")["label"]
    assert label == form_text("parcels", "kind", 1) == "Residential"


@pytest.mark.parametrize("order", [{}, {"OrderByValue": True}])
def test_several_values_are_labelled_in_the_order_of_the_form(
    ask: Any, whole_town: Any, order: Any
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        config = {
            "Layer": layers["tags"].id(),
            "Key": "id",
            "Value": "label",
            "AllowMulti": True,
            **order,
        }
        widget(layers["parcels"], "tags", "ValueRelation", config)

    label = field(ask.one(whole_town.project("on", tweak=tweak)), "tags")["label"]
    assert label == form_text("parcels", "tags", 1)


def test_a_display_name_that_is_an_expression_labels_the_reference(
    ask: Any, whole_town: Any
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["owners"].setDisplayExpression('upper("name") || \' \' || "phone"')

    label = field(ask.one(whole_town.project("on", tweak=tweak)), "owner")["label"]
    assert label == form_text("parcels", "owner", 1) == "ALICE 111"


def test_values_that_python_takes_for_equal_stay_apart(server: Any, whole_town: Any) -> None:
    """A JSON field may hold true in one row and 1 in the next."""
    from access_filter_plugin.feature_info.fields import FieldFrame
    from access_filter_plugin.feature_info.qgis_labels import plain_labeler
    from access_filter_plugin.feature_info.qgis_plan import FieldPlan
    from access_filter_plugin.feature_info.qgis_records import _FieldReader

    layer = whole_town.layer("parcels")
    index = layer.fields().indexOf("extra3")
    frame = FieldFrame("extra3", "extra3", "json", "JsonEdit")
    labeler = plain_labeler(layer, index)
    reader = _FieldReader(FieldPlan(index, "extra3", frame, labeler), labeler)
    values = [reader.entry(value)["value"] for value in (True, 1, 1.0, 0, False)]
    assert [(type(value), value) for value in values] == [
        (bool, True),
        (int, 1),
        (float, 1.0),
        (int, 0),
        (bool, False),
    ]


@pytest.fixture
def numbers(server: Any, tmp_path: Path) -> Any:
    """Return a GeoPackage layer with columns of numbers, with and without defaults."""
    from osgeo import ogr
    from qgis.core import QgsVectorLayer

    path = tmp_path / "numbers.gpkg"
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = source.CreateLayer("numbers", None, ogr.wkbNone)
    kinds = {"plain": ogr.OFTInteger, "big": ogr.OFTInteger64, "real": ogr.OFTReal}
    for name, kind in (*kinds.items(), ("seven", ogr.OFTInteger), ("half", ogr.OFTReal)):
        definition = ogr.FieldDefn(name, kind)
        if name not in kinds:
            definition.SetDefault({"seven": "7", "half": "0.50"}[name])
        layer.CreateField(definition)
    layer = source = None
    return QgsVectorLayer(f"{path}|layername=numbers", "numbers", "ogr")


NUMBERS = (0, 1, -1, 9, 10, 999, 1000, -1000, 7654321, 2**31 - 1, -(2**31))


@pytest.mark.parametrize("groups", [True, False])
def test_whole_numbers_are_digits_only_where_the_formatter_says_so(
    numbers: Any, groups: bool
) -> None:
    """A locale may group digits, and has for most numbers that are there no groups at all."""
    from qgis.PyQt.QtCore import QLocale

    from access_filter_plugin.feature_info.qgis_labels import plain_labeler

    before, locale = QLocale(), QLocale("de_DE")
    if not groups:
        locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    QLocale.setDefault(locale)
    try:
        for name in ("fid", "plain", "big"):
            labeler = plain_labeler(numbers, numbers.fields().indexOf(name))
            told = [labeler.label(number) for number in NUMBERS]
            assert labeler.writes_digits is not groups, name
            assert (told == [str(number) for number in NUMBERS]) is not groups, name
        large = 2**53
        assert groups or labeler.label(large) == str(large)
    finally:
        QLocale.setDefault(before)


@pytest.mark.parametrize("name", ["seven", "half", "real"])
def test_other_numbers_and_columns_with_a_number_for_default_are_left_to_the_formatter(
    numbers: Any, name: str
) -> None:
    from access_filter_plugin.feature_info.qgis_labels import plain_labeler

    index = numbers.fields().indexOf(name)
    assert bool(numbers.dataProvider().defaultValueClause(index)) is (name != "real")
    assert not plain_labeler(numbers, index).writes_digits


def test_nothing_of_an_answers_data_is_kept_for_the_next(numbers: Any) -> None:
    """But the entries of value maps and check boxes, of which there are few."""
    from access_filter_plugin.feature_info.fields import FieldFrame
    from access_filter_plugin.feature_info.qgis_labels import plain_labeler
    from access_filter_plugin.feature_info.qgis_plan import FieldPlan
    from access_filter_plugin.feature_info.qgis_records import _FieldReader

    for name in ("plain", "seven"):
        labeler = plain_labeler(numbers, numbers.fields().indexOf(name))
        plan = FieldPlan(labeler.index, name, FieldFrame(name, name, "integer", ""), labeler)
        reader = _FieldReader(plan, labeler)
        assert reader.is_lasting == (name == "plain")
        told = [reader.entry(value)["label"] for value in (7, 8, True, "text", 2**60)]
        assert told == [labeler.label(value) for value in (7, 8, True, "text", 2**60)]
        assert len(reader._entries) == (0 if reader.is_lasting else 5)
        assert not plan.entries


def test_a_time_and_a_date_with_an_offset_are_iso_8601(ask: Any, whole_town: Any) -> None:
    """GeoJSON has both; offsets are kept where the provider tells them."""
    info = ask.one(whole_town.project("on", layers=("benches",)), "benches", "benches.0")
    opens, seen = field(info, "opens"), field(info, "seen")
    assert (opens["value"], opens["type"], opens["widget"]) == ("07:30:00", "time", "DateTime")
    assert (seen["type"], seen["widget"]) == ("datetime", "DateTime")
    assert re.fullmatch(r"2024-05-06T0[57]:08:09\.250(Z|\+02:00)?", seen["value"])
    for entry in (opens, seen):
        assert entry["label"] == form_text("benches", entry["name"], 0)


def test_a_list_of_keys_is_labelled_by_a_value_relation(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        config = {"Layer": layers["tags"].id(), "Key": "id", "Value": "label", "AllowMulti": True}
        widget(layers["benches"], "kinds", "ValueRelation", config)

    project = whole_town.project("on", layers=("benches", "tags"), tweak=tweak)
    told = [field(ask.one(project, "benches", f"benches.{n}"), "kinds") for n in (0, 1)]
    assert [entry["value"] for entry in told] == [[2, 1], [7]]
    assert [entry["label"] for entry in told] == [form_text("benches", "kinds", n) for n in (0, 1)]
    assert told[0]["label"] == "{quiet, green}"
