"""The symbol that drew a feature, and whether there are more features than were returned."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import QgsRuleBasedRenderer, QgsSymbol

from tests.server_feature_info.world import categorized


def by_zone(_project: Any, layers: Any) -> None:
    layers["parcels"].setRenderer(
        categorized(layers["parcels"], "zone", {3: "Residential", None: "Rest"})
    )


def only_zone_3(_project: Any, layers: Any) -> None:
    layers["parcels"].setRenderer(categorized(layers["parcels"], "zone", {3: "Residential"}))


def legends(answer: Any) -> Any:
    return [feature["info"].get("legend", {}).get("label") for feature in answer["features"]]


def truncated(answer: Any) -> Any:
    return [(one["name"], one["returned"], one["truncated"]) for one in answer["info"]["layers"]]


def test_a_single_symbol_is_called_like_its_layer(ask: Any, town: Any) -> None:
    assert legends(ask(town.project("on"))) == ["parcels", "parcels"]


def test_a_category_is_told_by_its_label_and_key(ask: Any, town: Any) -> None:
    answer = ask(town.project("on", tweak=by_zone))
    assert legends(answer) == ["Residential", "Rest"]
    keys = [feature["info"]["legend"]["key"] for feature in answer["features"]]
    assert len(set(keys)) == 2


def test_the_key_is_the_one_of_qgis_own_legend(ask: Any, town: Any) -> None:
    from qgis.core import QgsProject

    answer = ask(town.project("on", tweak=by_zone))
    (layer,) = QgsProject.instance().mapLayersByName("parcels")
    known = {item.ruleKey(): item.label() for item in layer.renderer().legendSymbolItems()}
    for feature in answer["features"]:
        legend = feature["info"]["legend"]
        assert known[legend["key"]] == legend["label"]


def test_the_legend_is_of_the_style_that_was_asked_for(ask: Any, town: Any) -> None:
    def tweak(project: Any, layers: Any) -> None:
        manager = layers["parcels"].styleManager()
        manager.addStyleFromLayer("zones")
        manager.setCurrentStyle("zones")
        by_zone(project, layers)
        manager.setCurrentStyle("default")

    project = town.project("on", tweak=tweak)
    assert legends(ask(project, STYLES="zones")) == ["Residential", "Rest"]
    assert legends(ask(project)) == ["parcels", "parcels"]


def test_a_rule_with_a_scale_counts_only_at_that_scale(ask: Any, town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        root = QgsRuleBasedRenderer.Rule(None)
        for label, minimum, maximum in (("near", 1e6, 1.0), ("far", 0.0, 1e6)):
            symbol = QgsSymbol.defaultSymbol(layers["parcels"].geometryType())
            rule = QgsRuleBasedRenderer.Rule(symbol, 0, 0, "", label)
            rule.setMinimumScale(minimum)
            rule.setMaximumScale(maximum)
            root.appendChild(rule)
        layers["parcels"].setRenderer(QgsRuleBasedRenderer(root))

    project = town.project("on", tweak=tweak)
    assert legends(ask(project)) == ["far", "far"]
    near = {"BBOX": "0.5,0.5,0.502,0.502", "I": "50", "J": "50"}
    assert legends(ask(project, **near)) == ["near", "near"]


#: With one symbol QGIS is asked for one feature more; with categories the place is asked again.
WAYS = pytest.mark.parametrize("tweak", [None, by_zone], ids=["one more", "asked again"])


@WAYS
@pytest.mark.parametrize(
    ("count", "returned", "more"), [("1", 1, True), ("2", 2, False), ("3", 2, False)]
)
def test_truncated_says_whether_more_lies_there(
    ask: Any, town: Any, tweak: Any, count: str, returned: int, more: bool
) -> None:
    project = town.project("on", tweak=tweak)
    answer = ask(project, FEATURE_COUNT=count)
    assert truncated(answer) == [("parcels", returned, more)]
    stock = ask.stock(project, FEATURE_COUNT=count)["features"]
    told = [{k: v for k, v in one.items() if k != "info"} for one in answer["features"]]
    assert told == stock


def test_without_a_count_one_feature_is_returned_and_the_rest_is_said_to_be_there(
    ask: Any, town: Any
) -> None:
    answer = ask(town.project("on"), "parcels,buildings", FEATURE_COUNT=None)
    assert truncated(answer) == [("parcels", 1, True), ("buildings", 1, False)]


@pytest.mark.parametrize("count", ["0", "-5", "", "1"])
def test_a_count_that_qgis_takes_for_one_is_one(ask: Any, town: Any, count: str) -> None:
    assert truncated(ask(town.project("on"), FEATURE_COUNT=count)) == [("parcels", 1, True)]


@pytest.mark.parametrize("count", ["x", "1.5", "99999999999999999999"])
def test_a_count_that_qgis_refuses_is_refused(ask: Any, town: Any, count: str) -> None:
    project = town.project("on")
    answer = ask.raw(project, "parcels", FEATURE_COUNT=count)
    with ask.server.unguarded():
        stock = ask.raw(project, "parcels", FEATURE_COUNT=count)
    assert (answer.status, answer.body) == (stock.status, stock.body)


def test_the_surplus_of_layers_of_one_name_is_not_asked_for(ask: Any, town: Any) -> None:
    def tweak(project: Any, _layers: Any) -> None:
        project.addMapLayer(town.layer("parcels"))

    project = town.project("on", layers=("parcels",), tweak=tweak)
    answer = ask(project, FEATURE_COUNT="1")
    stock = ask.stock(project, FEATURE_COUNT="1")
    assert [one["id"] for one in answer["features"]] == [one["id"] for one in stock["features"]]


def by_use(_project: Any, layers: Any) -> None:
    layers["buildings"].setRenderer(categorized(layers["buildings"], "use", {1: "a", None: "b"}))


@pytest.mark.parametrize("tweak", [None, by_use], ids=["one more", "asked again"])
@pytest.mark.parametrize(
    ("tolerance", "returned"),
    [({}, 1), ({"FI_POINT_TOLERANCE": "10"}, 3), ({"FI_POINT_TOLERANCE": "1"}, 1)],
)
def test_the_clients_tolerance_counts(
    ask: Any, town: Any, tweak: Any, tolerance: Any, returned: int
) -> None:
    project = town.project("on", tweak=tweak)
    everything = ask(project, "buildings", **tolerance)
    assert truncated(everything) == [("buildings", returned, False)]
    first = ask(project, "buildings", FEATURE_COUNT="1", **tolerance)
    assert truncated(first) == [("buildings", 1, returned > 1)]


@WAYS
@pytest.mark.parametrize("crs", ["EPSG:3857", "CRS:84", "EPSG:4326"])
def test_the_place_is_found_in_other_reference_systems(
    ask: Any, town: Any, tweak: Any, crs: str
) -> None:
    box = "0,0,222638,222638" if crs == "EPSG:3857" else "0,0,2,2"
    project = town.project("on", tweak=tweak)
    for count, expected in (("1", ("parcels", 1, True)), ("2", ("parcels", 2, False))):
        assert truncated(ask(project, CRS=crs, BBOX=box, FEATURE_COUNT=count)) == [expected]


@pytest.fixture(scope="module")
def categorized_project(town: Any) -> Any:
    return town.project("on", tweak=by_zone)


@pytest.mark.parametrize("i", range(104, 114))
def test_a_map_of_other_proportions_than_its_box_is_measured_as_qgis_does(
    ask: Any, categorized_project: Any, i: int
) -> None:
    """QGIS shrinks such a map and rounds the pixel; at the border of parcel 2 that is seen."""
    wide = {"CRS": "CRS:84", "BBOX": "0,0,1.8,2", "J": "200", "I": str(i)}
    wide.update(WIDTH="400", HEIGHT="400")
    there = len(ask(categorized_project, **wide)["features"])
    first = ask(categorized_project, FEATURE_COUNT="1", **wide)
    assert truncated(first) == [("parcels", 1, there > 1)]


def test_what_is_not_drawn_is_not_more(ask: Any, town: Any) -> None:
    answer = ask(town.project("on", tweak=only_zone_3), FEATURE_COUNT="1")
    assert [feature["id"] for feature in answer["features"]] == ["parcels.1"]
    assert truncated(answer) == [("parcels", 1, False)]


BY_FILTER = {"I": None, "J": None, "BBOX": None, "FILTER": 'parcels:"fid" < 9'}


@pytest.mark.parametrize(("count", "returned", "more"), [("2", 2, True), ("3", 3, False)])
def test_a_search_by_filter_knows_whether_there_is_more(
    ask: Any, filtered_town: Any, count: str, returned: int, more: bool
) -> None:
    answer = ask(filtered_town.project("on"), FEATURE_COUNT=count, **BY_FILTER)
    assert truncated(answer) == [("parcels", returned, more)]


def test_a_place_that_cannot_be_asked_again_counts_as_cut_off_when_it_is_full(
    ask: Any, filtered_town: Any
) -> None:
    project = filtered_town.project("on", tweak=by_zone)
    full = ask(project, FEATURE_COUNT="3", **BY_FILTER)
    assert truncated(full) == [("parcels", 3, True)]
    more = ask(project, FEATURE_COUNT="4", **BY_FILTER)
    assert truncated(more) == [("parcels", 3, False)]
