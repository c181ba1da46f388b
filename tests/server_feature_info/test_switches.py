"""When answers are enriched, and when not one byte may change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_feature_info.world import categorized


def layers_of(answer: Any) -> Any:
    return [feature["id"] for feature in answer["features"]]


@pytest.mark.parametrize("value", ["off", None, '"off"'])
def test_without_feature_info_the_answer_is_qgis_own_byte_by_byte(
    ask: Any, town: Any, value: Any
) -> None:
    project = town.project(value)
    answer = ask.raw(project, "parcels,buildings")
    with ask.server.unguarded():
        stock = ask.raw(project, "parcels,buildings")
    assert (answer.status, answer.body) == (stock.status, stock.body)


def test_headers_without_feature_info_are_qgis_own(ask: Any, town: Any) -> None:
    ours = {"X-Request-ID", "Server-Timing", "ETag", "Vary", "Cache-Control"}
    project = town.project("off")
    answer = ask.raw(project, "parcels")
    with ask.server.unguarded():
        stock = ask.raw(project, "parcels")
    assert {k: v for k, v in answer.headers.items() if k not in ours} == stock.headers


@pytest.mark.parametrize("value", ["on", "ON ", '"on"', "{}"])
def test_on_means_all_defaults(ask: Any, town: Any, value: str) -> None:
    answer = ask(town.project(value))
    assert answer["info"]["version"] == 1
    assert all("info" in feature for feature in answer["features"])


def test_stock_mode_adds_info_and_changes_nothing_else(ask: Any, town: Any) -> None:
    project = town.project("on", layers=("parcels", "buildings", "heights"))
    layers = "parcels,buildings,heights"
    answer = ask(project, layers, WITH_GEOMETRY="TRUE")
    stock = ask.stock(project, layers, WITH_GEOMETRY="TRUE")
    for feature in answer["features"]:
        assert feature.pop("info")
    assert answer.pop("info")
    for feature in stock["features"]:
        feature.setdefault("geometry", None)  # QGIS leaves it out of raster features
    assert answer == stock


@pytest.mark.parametrize("value", ["false", "FALSE", "0", "no", "off"])
def test_a_client_can_switch_it_off(ask: Any, town: Any, value: str) -> None:
    project = town.project("on")
    for count in ("1", "10"):
        answer = ask.raw(project, "parcels", ENRICH=value, FEATURE_COUNT=count)
        with ask.server.unguarded():
            assert answer.body == ask.raw(project, "parcels", FEATURE_COUNT=count).body


@pytest.mark.parametrize(
    "info_format",
    ["text/plain", "text/html", "text/xml", "application/vnd.ogc.gml", "application/jsonx"],
)
@pytest.mark.parametrize("count", ["1", "10"])
def test_other_formats_stay_as_they_are(ask: Any, town: Any, info_format: str, count: str) -> None:
    project = town.project("on")
    asked = {"INFO_FORMAT": info_format, "FEATURE_COUNT": count}
    answer = ask.raw(project, "parcels", **asked)
    with ask.server.unguarded():
        assert answer.body == ask.raw(project, "parcels", **asked).body


def test_other_requests_stay_as_they_are(ask: Any, town: Any) -> None:
    project = town.project("on")
    for request in ("GetMap", "GetLegendGraphic"):
        asked = {"REQUEST": request, "FORMAT": "image/png", "LAYER": "parcels", "STYLES": ""}
        answer = ask.raw(project, "parcels", **asked)
        with ask.server.unguarded():
            stock = ask.raw(project, "parcels", **asked)
        assert (answer.status, answer.body) == (stock.status, stock.body)
        assert answer.status == 200


def test_geo_json_by_its_own_name_is_enriched_too(ask: Any, town: Any) -> None:
    answer = ask.raw(town.project("on"), "parcels", INFO_FORMAT="application/geo+json")
    assert answer.headers["Content-Type"].startswith("application/geo+json")
    assert "info" in answer.json


def test_an_error_of_qgis_stays_an_error(ask: Any, town: Any) -> None:
    project = town.project("on")
    answer = ask.raw(project, "nowhere")
    with ask.server.unguarded():
        stock = ask.raw(project, "nowhere")
    assert (answer.status, answer.body) == (stock.status, stock.body)
    assert answer.status == 400


def test_a_place_without_features_has_an_empty_answer_that_says_so(ask: Any, town: Any) -> None:
    answer = ask(town.project("on"), I="99", J="0")
    assert answer["features"] == []
    assert answer["info"]["layers"] == [
        {"name": "parcels", "title": "parcels", "returned": 0, "truncated": False}
    ]


def test_invalid_settings_give_the_stock_answer_and_one_entry_with_every_problem(
    ask: Any, town: Any, log: list[str]
) -> None:
    project = town.project(
        {"place": "here", "precison": 3, "layers": {"parcels": {"maptip": "yes"}}}
    )
    answer = ask.raw(project, "parcels")
    with ask.server.unguarded():
        assert answer.body == ask.raw(project, "parcels").body
    (entry,) = [entry for entry in log if "feature_info" in entry]
    assert entry.startswith("Critical: ")
    assert 'feature_info.place: must be one of "member", "property", is "here"' in entry
    assert 'feature_info.precison: unknown key, did you mean "precision"?' in entry
    assert 'feature_info.layers.parcels.maptip: must be true or false, is "yes"' in entry


def test_settings_may_stand_in_a_file_beside_the_project(ask: Any, town: Any) -> None:
    (town.folder / "told.json").write_text('{"properties": "labels"}')
    answer = ask(town.project("file:told.json", fresh=True))
    assert answer["features"][0]["properties"]["zone"] == "Residential"


def test_a_changed_project_is_told_anew(ask: Any, town: Any) -> None:
    """Plans, labels and legends are of one generation of a project."""

    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setRenderer(categorized(layers["parcels"], "zone", {3: "Residential"}))

    project = town.project({"properties": "labels"}, tweak=tweak)

    def texts() -> Any:
        feature = ask(project)["features"][0]
        return feature["properties"]["zone"], feature["info"]["legend"]["label"]

    assert texts() == ("Residential", "Residential")
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace("Residential", "Living"), encoding="utf-8")
    ask.server.forget(project)
    assert texts() == ("Living", "Living")


def test_a_changed_file_counts_from_the_next_request_on(ask: Any, town: Any) -> None:
    path = town.folder / "changing.json"
    path.write_text('{"properties": "labels"}')
    project = town.project("file:changing.json", fresh=True)
    ask(project)
    path.write_text('{"properties": "names"}  ')
    assert ask(project)["features"][0]["properties"]["zone"] == 3


def test_the_answer_says_which_layers_were_asked(ask: Any, town: Any) -> None:
    answer = ask(town.project("on"), "buildings,parcels")
    assert [(one["name"], one["returned"]) for one in answer["info"]["layers"]] == [
        ("buildings", 1),
        ("parcels", 2),
    ]
    assert answer["info"]["crs"] == "EPSG:4326"
    assert layers_of(answer) == ["buildings.4", "parcels.1", "parcels.2"]
