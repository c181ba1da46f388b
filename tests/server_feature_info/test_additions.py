"""Computed values, units, links, attachments, static entries, map tips and display names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_feature_info.conftest import field


def told(ask: Any, town: Any, settings: Any, key: str = "parcels.1", **more: Any) -> Any:
    return ask.one(town.project({"layers": {"parcels": settings}}, **more), key=key)


def test_a_computed_value_is_a_qgis_expression(ask: Any, town: Any) -> None:
    computed = {
        "double": '"price" * 2',
        "where": "round(x(centroid($geometry)), 1)",
        "nothing": "NULL",
    }
    assert told(ask, town, {"computed": computed})["computed"] == {
        "double": {"value": 25.0, "label": "25"},
        "where": {"value": 0.5, "label": "0.5"},
        "nothing": {"value": None, "label": None},
    }


def test_an_area_is_measured_as_the_project_says(ask: Any, town: Any) -> None:
    def tweak(project: Any, _layers: Any) -> None:
        project.setEllipsoid("EPSG:7030")

    info = told(ask, town, {"computed": {"area_ha": "round($area / 10000, 2)"}}, tweak=tweak)
    assert info["computed"]["area_ha"]["value"] == pytest.approx(1230877.84, rel=0.01)


def test_dates_lists_and_nan_of_expressions_are_json(ask: Any, town: Any) -> None:
    computed = {
        "day": "to_date('2020-02-03')",
        "list": "array(1, 'a', NULL)",
        "map": "map('k', 1)",
        "big": "9007199254740993",
        "empty": "''",
    }
    found = told(ask, town, {"computed": computed})["computed"]
    assert found["day"]["value"] == "2020-02-03"
    assert found["list"]["value"] == [1, "a", None]
    assert found["map"]["value"] == {"k": 1}
    assert (found["big"]["value"], found["big"]["text"]) == (9007199254740993, "9007199254740993")
    assert found["empty"] == {"value": "", "label": ""}


def test_a_unit_stands_beside_the_value_and_behind_the_label(ask: Any, town: Any) -> None:
    info = told(
        ask, town, {"computed": {"twice": '"price" * 2'}, "units": {"twice": "ha", "price": "EUR"}}
    )
    assert info["computed"]["twice"] == {"value": 25.0, "label": "25 ha", "unit": "ha"}
    price = field(info, "price")
    assert (price["value"], price["label"], price["unit"]) == (12.5, "12.50 EUR", "EUR")


def test_nothing_has_no_unit(ask: Any, town: Any) -> None:
    info = told(ask, town, {"units": {"big": "m"}}, key="parcels.2")
    assert field(info, "big")["label"] is None


def test_computed_values_that_are_empty_may_be_left_out(ask: Any, town: Any) -> None:
    settings = {"empty": "drop_null", "computed": {"nothing": "NULL", "zero": "0"}}
    assert list(told(ask, town, settings)["computed"]) == ["zero"]


def test_a_value_in_a_link_is_percent_encoded(ask: Any, town: Any) -> None:
    links = {"report": 'https://example.org/p/[% "parcel_id" %]?z=[% zone %]'}
    expected = "https://example.org/p/P%201%2Fa%26b?z=3"
    assert told(ask, town, {"links": links})["links"] == {"report": expected}


def test_a_link_without_its_value_is_null(ask: Any, town: Any) -> None:
    links = {"l": 'https://example.org/[% "class" %]'}
    assert told(ask, town, {"links": links}, key="parcels.2")["links"] == {"l": None}
    dropped = told(ask, town, {"links": links, "empty": "drop_null"}, key="parcels.2")
    assert "links" not in dropped


def test_a_link_that_is_one_value_must_be_a_web_address(ask: Any, town: Any) -> None:
    links = {
        "good": "[% 'https://example.org/a b?q=' || \"zone\" %]",
        "script": "[% 'javascript:alert(1)' %]",
        "file": "[% 'file:///etc/passwd' %]",
    }
    assert told(ask, town, {"links": links})["links"] == {
        "good": "https://example.org/a%20b?q=3",
        "script": None,
        "file": None,
    }


def test_an_attachment_is_an_absolute_address_with_its_media_type(ask: Any, town: Any) -> None:
    settings = {"attachments": {"photo": {"base_url": "https://example.org/photos/"}}}
    assert told(ask, town, settings)["attachments"] == [
        {
            "field": "photo",
            "url": "https://example.org/photos/pictures/one%20picture.jpg",
            "type": "image/jpeg",
        }
    ]
    assert "attachments" not in told(ask, town, settings, key="parcels.2")


def test_static_entries_are_told_as_written(ask: Any, town: Any) -> None:
    static = {"source": "Cadastre 2026", "more": {"n": [1, None, True]}}
    assert told(ask, town, {"static": static})["static"] == static


def test_a_map_tip_is_told_when_asked_for(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setMapTipTemplate('<b>[% "parcel_id" %]</b> [% 1 + 1 %]')

    assert told(ask, town, {"maptip": True}, tweak=tweak)["maptip"] == "<b>P 1/a&b</b> 2"
    assert "maptip" not in told(ask, town, {}, tweak=tweak)


def test_the_title_is_the_display_name_or_else_the_id(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setDisplayExpression('"parcel_id" || \' in \' || "zone"')

    assert told(ask, town, {}, tweak=tweak)["title"] == "P 1/a&b in 3"

    def unnamed(_project: Any, layers: Any) -> None:
        layers["parcels"].setDisplayExpression('"class"')

    assert told(ask, town, {}, tweak=unnamed, key="parcels.2")["title"] == "parcels.2"


def test_expressions_see_the_projects_variables(ask: Any, town: Any) -> None:
    info = told(
        ask, town, {"computed": {"v": "@town_name", "p": "@project_basename"}}, town_name="Bern"
    )
    assert info["computed"]["v"]["value"] == "Bern"
    assert info["computed"]["p"]["value"].startswith("p")


def test_the_top_level_is_the_default_of_every_layer(ask: Any, town: Any) -> None:
    project = town.project({"static": {"s": 1}, "computed": {"seven": "7"}})
    for feature in ask(project, "parcels,buildings")["features"]:
        assert feature["info"]["static"] == {"s": 1}
        assert feature["info"]["computed"]["seven"]["value"] == 7
