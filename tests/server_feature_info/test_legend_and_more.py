"""The symbol that drew a feature, and whether there are more features than were returned."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import QgsInvertedPolygonRenderer, QgsRuleBasedRenderer, QgsSymbol

from tests.server_feature_info.test_which_layer import group_of
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


def with_style_zones(project: Any, layers: Any) -> None:
    manager = layers["parcels"].styleManager()
    manager.addStyleFromLayer("zones")
    manager.setCurrentStyle("zones")
    by_zone(project, layers)
    manager.setCurrentStyle("default")


def test_the_legend_is_of_the_style_that_was_asked_for(ask: Any, town: Any) -> None:
    project = town.project("on", tweak=with_style_zones)
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


def rule(layer: Any, label: str, condition: str = "", *, symbol: bool = True, **more: Any) -> Any:
    """Return a rule; ``below`` are the rules inside it."""
    drawn = QgsSymbol.defaultSymbol(layer.geometryType()) if symbol else None
    found = QgsRuleBasedRenderer.Rule(drawn, 0, 0, condition, label)
    found.setRuleKey(more.get("key", "{" + label + "}"))
    for child in more.get("below", ()):
        found.appendChild(child)
    return found


def rules(*tree: Any) -> Any:
    """Return a tweak that draws parcels by rules, each made for the layer."""

    def tweak(_project: Any, layers: Any) -> None:
        root = QgsRuleBasedRenderer.Rule(None)
        for make in tree:
            root.appendChild(make(layers["parcels"]))
        layers["parcels"].setRenderer(QgsRuleBasedRenderer(root))

    return tweak


def keys_and_labels(answer: Any) -> Any:
    return [
        (one["info"]["legend"]["key"], one["info"]["legend"]["label"]) for one in answer["features"]
    ]


@pytest.mark.parametrize("symbol", [True, False], ids=["drawn too", "a group"])
def test_a_rule_inside_another_is_the_one_that_is_told(ask: Any, town: Any, symbol: bool) -> None:
    """QGIS gives the keys of all rules on the way; the innermost drew what is seen."""
    tweak = rules(
        lambda layer: rule(
            layer,
            "all",
            symbol=symbol,
            below=[
                rule(
                    layer,
                    "cheap",
                    '"price" < 100',
                    symbol=symbol,
                    below=[
                        rule(layer, "zone 3", '"zone" = 3'),
                        rule(layer, "other zones", "ELSE"),
                    ],
                )
            ],
        )
    )
    answer = ask(town.project("on", tweak=tweak))
    assert keys_and_labels(answer) == [("{zone 3}", "zone 3"), ("{other zones}", "other zones")]


def test_rules_inside_another_renderer_are_told_as_well(ask: Any, town: Any) -> None:
    def tweak(project: Any, layers: Any) -> None:
        inside = rules(
            lambda layer: rule(layer, "all", below=[rule(layer, "zone 3", '"zone" = 3')])
        )
        inside(project, layers)
        parcels = layers["parcels"]
        parcels.setRenderer(QgsInvertedPolygonRenderer(parcels.renderer().clone()))

    answer = ask(town.project("on", tweak=tweak))
    assert keys_and_labels(answer) == [("{zone 3}", "zone 3"), ("{all}", "all")]


def test_a_rule_whose_inner_rules_do_not_fit_is_told_itself(ask: Any, town: Any) -> None:
    tweak = rules(
        lambda layer: rule(
            layer,
            "all",
            below=[
                rule(layer, "zone 3", '"zone" = 3'),
                rule(layer, "only a heading", '"zone" = 9', symbol=False),
            ],
        )
    )
    answer = ask(town.project("on", tweak=tweak))
    assert keys_and_labels(answer) == [("{zone 3}", "zone 3"), ("{all}", "all")]


def test_of_rules_side_by_side_the_first_in_the_legend_is_told(ask: Any, town: Any) -> None:
    tweak = rules(
        lambda layer: rule(layer, "zone 3", '"zone" = 3'), lambda layer: rule(layer, "everything")
    )
    answer = ask(town.project("on", tweak=tweak))
    assert keys_and_labels(answer) == [("{zone 3}", "zone 3"), ("{everything}", "everything")]


def test_a_rule_without_a_text_has_that_of_the_rule_around_it(ask: Any, town: Any) -> None:
    tweak = rules(
        lambda layer: rule(layer, "all", symbol=False, below=[rule(layer, "", key="{inner}")])
    )
    assert set(keys_and_labels(ask(town.project("on", tweak=tweak)))) == {("{inner}", "all")}


@pytest.mark.parametrize("style", ["zones", "nobody knows"])
def test_a_tile_is_drawn_in_the_default_style_whatever_the_client_says(
    ask: Any, town: Any, style: str
) -> None:
    project = town.project("on", tweak=with_style_zones)
    tile = {
        "SERVICE": "WMTS",
        "VERSION": "1.0.0",
        "REQUEST": "GetFeatureInfo",
        "LAYER": "parcels",
        "STYLE": style,
        "TILEMATRIXSET": "EPSG:3857",
        "TILEMATRIX": "7",
        "TILEROW": "63",
        "TILECOL": "64",
        "FORMAT": "image/png",
        "INFOFORMAT": "application/json",
        "I": "46",
        "J": "209",
    }
    answer = ask.server.client(project).get(**tile).json
    assert legends(answer) == ["parcels"]


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


@pytest.mark.parametrize("count", ["x", "1.5", "99999999999999999999", "1_0", "\u0663"])
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


TWICE = [
    ("parcels,parcels", "parcels,parcels"),
    ("parcels", "parcels,parcels"),
    ("both", "both,parcels"),
    ("parcels,both", "parcels,both"),
]


@WAYS
@pytest.mark.parametrize(("layers", "queried"), TWICE)
@pytest.mark.parametrize("count", ["1", "2", "3"])
def test_a_layer_that_is_asked_for_twice_is_told_twice_as_qgis_does(
    ask: Any, town: Any, tweak: Any, layers: str, queried: str, count: str
) -> None:
    def grouped(project: Any, made: Any) -> None:
        group_of(project, "both", made["parcels"], made["buildings"])
        if tweak is not None:
            tweak(project, made)

    project = town.project("on", tweak=grouped)
    asked = {"QUERY_LAYERS": queried, "FEATURE_COUNT": count}
    answer, stock = ask(project, layers, **asked), ask.stock(project, layers, **asked)
    told = [{k: v for k, v in one.items() if k != "info"} for one in answer["features"]]
    assert told == stock["features"]
    assert truncated(answer)[0][2] is (count == "1")


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
