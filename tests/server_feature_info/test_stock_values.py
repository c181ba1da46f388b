"""Values taken from the stock answer are those that reading the rows again would give."""

from __future__ import annotations

from typing import Any, Callable, Optional

import pytest

from tests.server_feature_info.world import NULL_IN_VALUE_MAP, categorized, widget

ALL_OF_THEM = {"FI_POINT_TOLERANCE": "10"}
PLAIN = ["fid", "parcel_id", "big", "colour", "uuid", "remark", "internal_code"]
OF_PARCELS = {"layers": {"parcels": {"fields": PLAIN}}}
OF_ZONE = {"layers": {"parcels": {"fields": ["zone", "parcel_id"]}}}
OF_COLOUR = {"layers": {"parcels": {"fields": ["colour"]}}}
HIDDEN = [
    {"id": "all", "layers": "*"},
    {"id": "no", "effect": "deny", "layers": "*", "attributes": "secret"},
]
FIRST = {"id": "rows", "layers": "*", "filter": "fid < 6"}


def value_map(*pairs: tuple[str, str]) -> Callable[[Any, Any], None]:
    """Return a tweak that shows the use of buildings by these labels and values."""

    def tweak(_project: Any, layers: Any) -> None:
        widget(layers["buildings"], "use", "ValueMap", {"map": [{k: v} for k, v in pairs]})

    return tweak


def colours(_project: Any, layers: Any) -> None:
    """Show the colour of parcels by labels, one of them for those without one."""
    labels = [{"red": "#ff0000"}, {"none": NULL_IN_VALUE_MAP}]
    widget(layers["parcels"], "colour", "ValueMap", {"map": labels})


def aliases(**names: str) -> Callable[[Any, Any], None]:
    """Return a tweak that gives attributes of buildings aliases."""

    def tweak(_project: Any, layers: Any) -> None:
        buildings = layers["buildings"]
        for field, alias in names.items():
            buildings.setFieldAlias(buildings.fields().indexOf(field), alias)

    return tweak


def with_style(project: Any, layers: Any) -> None:
    buildings = layers["buildings"]
    buildings.setRenderer(categorized(buildings, "use", {1: "one", None: "rest"}))


def with_twin(town: Any) -> Callable[[Any, Any], None]:
    def tweak(project: Any, _layers: Any) -> None:
        project.addMapLayer(town.layer("buildings"))

    return tweak


@pytest.fixture
def reads(monkeypatch: Any) -> list[str]:
    """Collect the layers whose rows are read again."""
    from access_filter_plugin.feature_info import qgis_layer_reader

    found: list[str] = []
    real = qgis_layer_reader.fetch_by_key

    def noted(keys: Any, *arguments: Any, **more: Any) -> Any:
        found.append(keys.layer.name())
        return real(keys, *arguments, **more)

    monkeypatch.setattr(qgis_layer_reader, "fetch_by_key", noted)
    return found


@pytest.fixture
def read_again(monkeypatch: Any) -> Callable[[], None]:
    """Return what makes every row be read again from now on."""
    from access_filter_plugin.feature_info.qgis_stock_values import StockValues

    def start() -> None:
        monkeypatch.setattr(StockValues, "rows", lambda *_: None)

    return start


@pytest.mark.parametrize("user", [None, "bob"])
@pytest.mark.parametrize(
    ("layer", "settings", "tweak", "rules"),
    [
        ("buildings", "on", None, None),
        ("buildings", "on", value_map(("mill", "1"), ("barn", "2")), None),
        (
            "buildings",
            "on",
            value_map(("mill", "1"), ("b", "2"), ("none", NULL_IN_VALUE_MAP)),
            None,
        ),
        ("buildings", "on", aliases(name="What", use="the use", height="Höhe"), None),
        ("buildings", {"properties": "labels", "empty": "drop_null"}, None, None),
        ("buildings", {"properties": "aliases"}, aliases(name="Name of it"), None),
        ("buildings", {"place": "property", "geometry": "none", "static": {"a": "b"}}, None, None),
        ("buildings", "on", None, HIDDEN),
        ("buildings", "on", None, [FIRST]),
        ("parcels", OF_PARCELS, None, None),
        ("parcels", OF_PARCELS, None, HIDDEN),
    ],
)
def test_the_answer_is_that_of_reading_the_rows_again(
    ask: Any,
    town: Any,
    reads: list[str],
    read_again: Callable[[], None],
    layer: str,
    settings: Any,
    tweak: Any,
    rules: Optional[list[Any]],
    user: Any,
) -> None:
    variables = {} if rules is None else {"access_rules": rules}
    project = town.project(settings, tweak=tweak, **variables)
    quick = ask(project, layer, user, **ALL_OF_THEM)
    assert reads == []
    read_again()
    assert ask(project, layer, user, **ALL_OF_THEM) == quick
    assert reads == [layer]
    assert len(quick["features"]) >= 2
    assert all(
        feature.get("info") or feature["properties"]["info"] for feature in quick["features"]
    )


@pytest.mark.parametrize(
    ("layer", "settings", "tweak"),
    [
        ("buildings", "on", value_map(("same", "1"), ("same", "2"))),
        ("buildings", "on", value_map(("mill", "1"), ("mill too", "1"), ("barn", "2"))),
        ("buildings", "on", value_map(("(2)", "1"), ("barn", "3"))),
        ("buildings", "on", value_map(("NULL", "1"), ("barn", "2"))),
        ("buildings", "on", value_map(("", "1"), ("barn", "2"))),
        ("buildings", "on", value_map(("mill", "1"))),
        ("buildings", "on", aliases(use="name")),
        ("buildings", "on", aliases(name="What", use="name")),
        ("buildings", "on", aliases(use="maptip")),
        ("buildings", {"computed": {"double": '"height" * 2'}}, None),
        ("buildings", {"geometry": "wgs84"}, None),
        ("buildings", {"links": {"report": "https://example.org/"}}, None),
        ("buildings", {"maptip": True}, lambda _p, layers: layers["buildings"].setMapTipTemplate("x")),
        ("buildings", "on", with_style),
        ("buildings", "on", lambda _p, layers: layers["buildings"].setDisplayExpression("upper(name)")),
        ("parcels", "on", None),
        ("parcels", OF_ZONE, None),
        ("parcels", OF_COLOUR, colours),
    ],
)  # fmt: skip
def test_rows_are_read_again_where_the_stock_answer_does_not_tell(
    ask: Any, town: Any, reads: list[str], layer: str, settings: Any, tweak: Any
) -> None:
    answer = ask(town.project(settings, tweak=tweak), layer, **ALL_OF_THEM)
    assert reads == [layer]
    assert all("info" in feature for feature in answer["features"])


def test_rows_are_read_again_where_two_layers_share_a_name(
    ask: Any, town: Any, reads: list[str]
) -> None:
    project = town.project("on", tweak=with_twin(town))
    ask(project, "buildings", **ALL_OF_THEM)
    assert "buildings" in reads


def test_a_hidden_attribute_is_told_to_neither_caller_by_what_was_kept_for_the_other(
    ask: Any, town: Any, reads: list[str]
) -> None:
    rules = [
        {"id": "all", "layers": "*"},
        {"id": "no", "effect": "deny", "layers": "*", "attributes": "secret", "users": "bob"},
    ]
    project = town.project("on", access_rules=rules)
    for user in ("alice", "bob", "alice", "bob"):
        answer = ask(project, "buildings", user, **ALL_OF_THEM)
        assert ("CANARY" in str(answer)) is (user == "alice")
        names = [entry["name"] for entry in answer["features"][0]["info"]["fields"]]
        assert ("secret" in names) is (user == "alice")
    assert reads == []


def test_the_layers_of_one_request_are_not_those_of_the_next(ask: Any, town: Any) -> None:
    project = town.project("on")
    for layers, count in (
        ("buildings", "1"),
        ("buildings", "2"),
        ("parcels", "1"),
        ("buildings,parcels", "1"),
        ("parcels,buildings", "1"),
        ("buildings", "1"),
    ):
        asked = {"QUERY_LAYERS": layers, "FEATURE_COUNT": count, **ALL_OF_THEM}
        told = ask(project, "parcels,buildings", **asked)["info"]["layers"]
        assert [one["name"] for one in told] == layers.split(",")
        assert all(one["returned"] == int(count) for one in told)
