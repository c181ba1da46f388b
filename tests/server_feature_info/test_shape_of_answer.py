"""The four modes of properties, the two places, what counts as empty, and geometries."""

from __future__ import annotations

from typing import Any

import pytest

SHORT = {"fields": ["zone", "price", "remark", "built", "public"]}


def first(ask: Any, project: Any, key: str = "parcels.1", **parameters: Any) -> Any:
    features = ask(project, **parameters)["features"]
    return next(feature for feature in features if feature["id"] == key)


def test_names_are_raw_values_by_field(ask: Any, town: Any) -> None:
    properties = first(ask, town.project({**SHORT, "properties": "names"}))["properties"]
    assert properties == {
        "zone": 3,
        "price": 12.5,
        "remark": "first remark",
        "built": "1999-12-31",
        "public": True,
    }


def test_labels_are_the_texts_of_the_form_by_field(ask: Any, town: Any) -> None:
    properties = first(ask, town.project({**SHORT, "properties": "labels"}))["properties"]
    assert properties["zone"] == "Residential"
    assert properties["built"] == "31 Dec 1999"


def test_aliases_are_the_texts_of_the_form_by_alias(ask: Any, town: Any) -> None:
    properties = first(ask, town.project({**SHORT, "properties": "aliases"}))["properties"]
    assert (properties["Zoning"], properties["price"]) == ("Residential", "12.50")
    assert "zone" not in properties


def test_two_fields_with_one_alias_are_both_there(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        parcels = layers["parcels"]
        parcels.setFieldAlias(parcels.fields().indexOf("price"), "Zoning")

    project = town.project({**SHORT, "properties": "aliases"}, tweak=tweak)
    properties = first(ask, project)["properties"]
    assert properties["Zoning"] == "Residential"
    assert float(properties["price"]) == 12.5


def test_a_renamed_field_has_its_new_name_everywhere_but_in_stock_properties(
    ask: Any, town: Any
) -> None:
    renamed = {**SHORT, "rename": {"zone": "zoning"}}
    feature = first(ask, town.project({**renamed, "properties": "names"}))
    assert feature["properties"]["zoning"] == 3
    assert feature["info"]["fields"][0]["name"] == "zoning"
    assert first(ask, town.project(renamed))["properties"]["Zoning"] == "Residential"


@pytest.mark.parametrize("mode", ["stock", "names", "labels", "aliases"])
def test_info_may_stand_among_the_properties(ask: Any, town: Any, mode: str) -> None:
    feature = first(ask, town.project({**SHORT, "properties": mode, "place": "property"}))
    assert "info" not in feature
    assert feature["properties"]["info"]["title"] == "P 1/a&b"


@pytest.mark.parametrize(
    ("empty", "left"),
    [
        ("keep", ["zone", "price", "remark", "built", "public"]),
        ("drop_null", ["zone", "price", "remark", "public"]),
        ("drop_empty", ["zone", "price", "public"]),
    ],
)
def test_what_is_empty_may_be_left_out_but_never_zero_or_false(
    ask: Any, town: Any, empty: str, left: list[str]
) -> None:
    project = town.project({**SHORT, "properties": "names", "empty": empty})
    feature = first(ask, project, key="parcels.2")
    assert [entry["name"] for entry in feature["info"]["fields"]] == left
    assert list(feature["properties"]) == left
    assert feature["info"]["fields"][1]["value"] == 0


def test_stock_properties_keep_what_is_empty(ask: Any, town: Any) -> None:
    project = town.project({"empty": "drop_empty"})
    stock = ask.stock(project)["features"][1]["properties"]
    assert first(ask, project, key="parcels.2")["properties"] == stock


def test_a_geometry_as_it_is_is_qgis_own(ask: Any, town: Any) -> None:
    project = town.project("on")
    without, with_it = ({}, {"WITH_GEOMETRY": "TRUE"})
    assert first(ask, project, **without)["geometry"] is None
    geometry = first(ask, project, **with_it)["geometry"]
    assert geometry == ask.stock(project, **with_it)["features"][0]["geometry"]
    assert geometry["type"] == "Polygon"


MERCATOR = {"CRS": "EPSG:3857", "BBOX": "0,0,222638.98,222684.21"}


def test_wgs84_gives_degrees_whatever_the_map_is_in(ask: Any, town: Any) -> None:
    answer = ask(town.project({"geometry": "wgs84"}), **MERCATOR)
    geometry = answer["features"][0]["geometry"]
    assert geometry["type"] == "Polygon"
    assert max(map(tuple, geometry["coordinates"][0])) == (1.0, 1.0)
    assert answer["info"]["crs"] == "EPSG:4326"


def test_no_geometry_is_null_even_when_the_client_asks(ask: Any, town: Any) -> None:
    feature = first(ask, town.project({"geometry": "none"}), WITH_GEOMETRY="TRUE")
    assert feature["geometry"] is None


def test_a_box_is_a_polygon_and_the_bbox_member_in_the_maps_reference_system(
    ask: Any, town: Any
) -> None:
    project = town.project({"geometry": "bbox", "precision": 1})
    answer = ask(project, **MERCATOR)
    feature = answer["features"][0]
    assert feature["bbox"] == [0.0, 0.0, 111319.5, 111325.1]
    assert feature["geometry"]["coordinates"][0][2] == [111319.5, 111325.1]
    assert answer["info"]["crs"] == "EPSG:3857"


def test_a_centroid_is_a_point_of_the_wanted_precision(ask: Any, town: Any) -> None:
    project = town.project({"geometry": "centroid", "precision": 2})
    assert first(ask, project)["geometry"] == {"type": "Point", "coordinates": [0.5, 0.5]}


def test_layers_may_differ_in_their_geometry_and_the_answer_says_so(ask: Any, town: Any) -> None:
    project = town.project({"layers": {"parcels": {"geometry": "wgs84"}}})
    answer = ask(project, "parcels,buildings", **MERCATOR)
    assert answer["info"]["crs"] == "EPSG:3857"
    assert [layer.get("crs") for layer in answer["info"]["layers"]] == ["EPSG:4326", None]


def test_a_projected_axis_order_does_not_turn_coordinates_around(ask: Any, town: Any) -> None:
    latitude_first = ask(town.project({"geometry": "centroid"}), BBOX="0,0,1,4", I="12", J="49")
    longitude_first = ask(
        town.project({"geometry": "centroid"}), CRS="CRS:84", BBOX="0,0,4,1", I="12", J="49"
    )
    assert latitude_first["features"] == longitude_first["features"]
    assert latitude_first["features"][0]["geometry"]["coordinates"] == [0.5, 0.5]
