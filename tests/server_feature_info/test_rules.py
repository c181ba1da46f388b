"""What is told obeys the caller's rules: rows, attributes, labels, related records, expressions."""

from __future__ import annotations

from typing import Any

import pytest
from osgeo import ogr
from qgis.core import QgsVectorLayer

from tests.server_feature_info.conftest import field
from tests.server_feature_info.world import categorized

EVERYTHING = {"id": "all", "layers": "*"}
EVERYTHING_TOLD = {
    "layers": {
        "parcels": {
            "fields": ["*"],
            "computed": {
                "own": '"secret"',
                "by_name": "attribute('secret')",
                "others": "aggregate('buildings', 'concatenate', \"secret\")",
                "rows": 'concatenate("secret")',
                "harmless": '"price" * 2',
            },
            "links": {
                "s": 'https://example.org/[% "secret" %]',
                "p": "https://example.org/[% zone %]",
            },
            "related": {
                "buildings": {"fields": ["*"], "computed": {"s": '"secret"', "h": '"height"'}}
            },
            "maptip": True,
            "attachments": {"secret": {"base_url": "https://example.org/"}},
        }
    }
}


def hidden(*attributes: str, layers: Any = "parcels") -> dict[str, Any]:
    return {
        "id": "hide",
        "effect": "deny",
        "layers": layers,
        "attributes": list(attributes),
        "users": "bob",
    }


def without_rows(layer: str, rows: str) -> list[dict[str, Any]]:
    """Let bob see only some rows of one layer."""
    return [
        {"id": "others", "layers": ["*", f"!{layer}"]},
        {"id": "some", "layers": layer, "filter": rows, "users": "bob"},
        {"id": "alice", "layers": layer, "users": "alice"},
    ]


def with_tip(_project: Any, layers: Any) -> None:
    layers["parcels"].setMapTipTemplate('tip [% "secret" %]')


def test_a_caller_without_restrictions_is_told_everything(ask: Any, whole_town: Any) -> None:
    project = whole_town.project(
        EVERYTHING_TOLD, tweak=with_tip, access_rules=[EVERYTHING, hidden("secret")]
    )
    info = ask.one(project, user="alice")
    assert info["computed"]["own"]["value"] == "CANARY1"
    assert info["computed"]["others"]["value"] == "CANARY4CANARY5CANARY6CANARY7"
    assert info["links"]["s"] == "https://example.org/CANARY1"
    assert info["maptip"] == "tip CANARY1"
    assert info["attachments"][0]["url"] == "https://example.org/CANARY1"
    assert len(info["related"]["buildings"]["features"]) == 3


def test_a_hidden_attribute_is_told_in_no_way(ask: Any, whole_town: Any) -> None:
    rules = [EVERYTHING, hidden("secret", layers=["parcels", "buildings"])]
    project = whole_town.project(EVERYTHING_TOLD, tweak=with_tip, access_rules=rules)
    answer = ask.raw(project, "parcels", "bob")
    assert "CANARY" not in answer.text
    info = answer.json["features"][0]["info"]
    assert list(info["computed"]) == ["harmless"]
    assert list(info["links"]) == ["p"]
    assert "maptip" not in info
    assert "attachments" not in info
    assert list(info["related"]["buildings"]["features"][0]["computed"]) == ["h"]
    assert "secret" not in [entry["name"] for entry in info["fields"]]


@pytest.mark.parametrize("mode", ["names", "labels", "aliases"])
def test_properties_made_anew_hold_no_hidden_attribute(
    ask: Any, whole_town: Any, mode: str
) -> None:
    project = whole_town.project(
        {"properties": mode, "fields": ["*"]}, access_rules=[EVERYTHING, hidden("secret")]
    )
    assert "CANARY" not in ask.raw(project, "parcels", "bob").text


def test_a_display_name_of_a_hidden_attribute_is_not_told(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setDisplayExpression('"secret"')

    project = whole_town.project("on", tweak=tweak, access_rules=[EVERYTHING, hidden("secret")])
    assert ask.one(project, user="bob")["title"] == "parcels.1"
    assert ask.one(project, user="alice")["title"] == "CANARY1"


@pytest.mark.parametrize("by_category", [False, True])
def test_hidden_rows_are_not_returned_and_not_counted_as_more(
    ask: Any, whole_town: Any, by_category: bool
) -> None:

    def tweak(_project: Any, layers: Any) -> None:
        if by_category:
            parcels = layers["parcels"]
            parcels.setRenderer(categorized(parcels, "zone", {3: "three", None: "rest"}))

    rules = without_rows("parcels", '"zone" = 3')
    project = whole_town.project("on", tweak=tweak, access_rules=rules)
    answer = ask(project, user="bob", FEATURE_COUNT="1")
    assert [feature["id"] for feature in answer["features"]] == ["parcels.1"]
    assert answer["info"]["layers"][0]["truncated"] is False
    assert ask(project, user="alice", FEATURE_COUNT="1")["info"]["layers"][0]["truncated"] is True


def test_a_row_filter_works_without_a_key_too(ask: Any, whole_town: Any) -> None:
    project = whole_town.project(
        "on", layers=("parcels", "benches"), access_rules=without_rows("benches", '"shown" = 1')
    )
    answer = ask(project, "benches", user="bob")
    assert [field(one["info"], "wood")["value"] for one in answer["features"]] == ["oak"]


def test_related_records_are_read_through_the_row_filter(ask: Any, whole_town: Any) -> None:
    settings = {"layers": {"parcels": {"related": {"buildings": {"fields": ["name"]}}}}}
    project = whole_town.project(settings, access_rules=without_rows("buildings", '"height" > 5'))
    entry = ask.one(project, user="bob")["related"]["buildings"]
    assert (entry["count"], [one["title"] for one in entry["features"]]) == (2, ["Mill", "Barn"])
    assert ask.one(project, user="alice")["related"]["buildings"]["count"] == 3


def test_records_behind_a_table_are_read_through_both_row_filters(
    ask: Any, whole_town: Any
) -> None:
    settings = {"layers": {"parcels": {"related": {"owners": {"fields": ["name"]}}}}}
    for layer, rows in (("owners", '"shy" = 0'), ("parcel_owner", '"owner" = 1')):
        project = whole_town.project(settings, access_rules=without_rows(layer, rows))
        entry = ask.one(project, user="bob")["related"]["owners"]
        assert (entry["count"], [one["title"] for one in entry["features"]]) == (1, ["Alice"])


@pytest.mark.parametrize("closed", ["buildings", "rooms"])
def test_a_relation_to_a_closed_layer_is_left_out(ask: Any, whole_town: Any, closed: str) -> None:
    settings = {"layers": {"parcels": {"related": {"buildings": {"related": {"rooms": {}}}}}}}
    rules = [{"id": "open", "layers": ["*", f"!{closed}"]}]
    info = ask.one(whole_town.project(settings, access_rules=rules), user="bob")
    if closed == "buildings":
        assert "related" not in info
    else:
        assert "related" not in info["related"]["buildings"]["features"][0]


def test_a_relation_by_a_hidden_attribute_is_left_out(ask: Any, whole_town: Any) -> None:
    settings = {"layers": {"parcels": {"related": {"buildings": {}}}}}
    rules = [EVERYTHING, hidden("parcel", layers="buildings")]
    assert "related" not in ask.one(whole_town.project(settings, access_rules=rules), user="bob")


def test_records_are_not_ordered_by_a_hidden_attribute(ask: Any, whole_town: Any) -> None:
    settings = {"layers": {"parcels": {"related": {"buildings": {"order_by": "height"}}}}}
    rules = [EVERYTHING, hidden("height", layers="buildings")]
    project = whole_town.project(settings, access_rules=rules)
    entry = ask.one(project, user="bob")["related"]["buildings"]
    assert [one["title"] for one in entry["features"]] == ["Mill", "Barn", "Shed"]
    entry = ask.one(project, user="alice")["related"]["buildings"]
    assert [one["title"] for one in entry["features"]] == ["Shed", "Barn", "Mill"]


CLOSED_LABELS = [{"id": "open", "layers": ["*", "!owners", "!kinds", "!tags"]}]


@pytest.mark.parametrize(("name", "raw"), [("owner", "1"), ("kind", "res"), ("tags", "{1,2}")])
def test_a_label_from_a_closed_layer_is_the_raw_value(
    ask: Any, whole_town: Any, name: str, raw: str
) -> None:
    project = whole_town.project({"fields": ["*"]}, access_rules=CLOSED_LABELS)
    assert field(ask.one(project, user="bob"), name)["label"] == raw


@pytest.mark.parametrize(
    ("name", "label"), [("owner", "Alice"), ("kind", "Residential"), ("tags", "{quiet, green}")]
)
def test_lookup_opens_labels_and_nothing_else(
    ask: Any, whole_town: Any, name: str, label: str
) -> None:
    lookup = {"id": "lookup", "layers": ["owners", "kinds", "tags"], "actions": "lookup"}
    project = whole_town.project({"fields": ["*"]}, access_rules=[*CLOSED_LABELS, lookup])
    assert field(ask.one(project, user="bob"), name)["label"] == label
    listed = ask(project, "parcels", "bob")["info"]["layers"]
    assert [layer["name"] for layer in listed] == ["parcels"]


def test_labels_leave_out_hidden_rows_as_if_they_were_not_there(ask: Any, whole_town: Any) -> None:
    rules = without_rows("kinds", '"shown" = 1')
    project = whole_town.project("on", access_rules=rules)
    labels = {key: field(ask.one(project, key=key, user="bob"), "kind")["label"] for key in KEYS}
    assert labels == {"parcels.1": "Residential", "parcels.2": "(ind)"}
    labels = {key: field(ask.one(project, key=key, user="alice"), "kind")["label"] for key in KEYS}
    assert labels == {"parcels.1": "Residential", "parcels.2": "Industrial"}


KEYS = ("parcels.1", "parcels.2")


def test_references_leave_out_hidden_rows_as_if_they_were_not_there(
    ask: Any, whole_town: Any
) -> None:
    project = whole_town.project("on", access_rules=without_rows("owners", '"shy" = 0'))
    labels = {key: field(ask.one(project, key=key, user="bob"), "owner")["label"] for key in KEYS}
    assert labels == {"parcels.1": "Alice", "parcels.2": "2"}


def test_a_hidden_row_and_a_missing_row_look_the_same(ask: Any, whole_town: Any) -> None:
    project = whole_town.project("on", access_rules=without_rows("kinds", "\"code\" = 'res'"))
    hidden_row = field(ask.one(project, key="parcels.2", user="bob"), "kind")["label"]
    away = {"BBOX": "0,0,40,40", "I": "51", "J": "48"}
    missing_row = field(ask.one(project, key="parcels.3", user="bob", **away), "kind")["label"]
    assert (hidden_row, missing_row) == ("(ind)", "(nope)")


def test_a_display_name_by_a_hidden_attribute_labels_nothing(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["owners"].setDisplayExpression('"phone"')

    rules = [EVERYTHING, hidden("phone", layers="owners")]
    project = whole_town.project("on", tweak=tweak, access_rules=rules)
    assert field(ask.one(project, user="bob"), "owner")["label"] == "1"
    assert field(ask.one(project, user="alice"), "owner")["label"] == "111"


def test_a_computed_label_of_a_closed_layer_is_withheld(ask: Any, whole_town: Any) -> None:
    settings = {
        "computed": {"kind": "represent_value(\"kind\", 'kind')", "zone": 'represent_value("zone")'}
    }
    project = whole_town.project({"layers": {"parcels": settings}}, access_rules=CLOSED_LABELS)
    assert list(ask.one(project, user="bob")["computed"]) == ["zone"]


@pytest.mark.parametrize(
    "text",
    [
        "aggregate('buildings', 'max', \"height\")",
        "aggregate(layer:='buildings', aggregate:='max', expression:=\"height\")",
        "relation_aggregate('parcel_buildings', 'max', \"height\")",
        "attribute(get_feature('buildings', 'name', 'Mill'), 'height')",
        "array_length(overlay_intersects('buildings', \"height\"))",
        "eval('1')",
        "layer_property('buildings', 'name')",
    ],
)
def test_an_expression_over_a_layer_with_hidden_rows_is_withheld(
    ask: Any, whole_town: Any, text: str
) -> None:
    project = whole_town.project(
        {"layers": {"parcels": {"computed": {"x": text, "one": "1"}}}},
        access_rules=without_rows("buildings", '"height" > 5'),
    )
    assert list(ask.one(project, user="bob")["computed"]) == ["one"]


@pytest.mark.parametrize(
    "text",
    [
        "attribute('sec' || 'ret')",
        "attribute(@feature, 'sec' || 'ret')",
        "attribute($currentfeature, 'secret')",
        "attribute(get_feature('parcels', 'fid', 1), 'secret')",
        "attributes()['secret']",
        "map_get(attributes(@feature), 'secret')",
        "to_json(attributes())",
        "with_variable('name', 'secret', attribute(@name))",
        "array_first(array_foreach(array('secret'), attribute(@element)))",
        "represent_value(\"secret\", 'secret')",
        "map_get(represent_attributes(), 'secret')",
        "eval('\"secret\"')",
        "eval_template('[% \"secret\" %]')",
        "display_expression()",
        "maptip()",
        'concatenate(expression:="secret")',
        "aggregate(@layer, 'concatenate', \"secret\")",
        "aggregate('parcels_layer_id', 'concatenate', attribute('secret'))",
        'coalesce(NULL, "SECRET")',
        "CASE WHEN \"secret\" LIKE 'CANARY%' THEN 'CANARY' END",
    ],
)
@pytest.mark.parametrize("where", ["computed", "links"])
def test_no_way_to_write_an_expression_tells_a_hidden_attribute(
    ask: Any, town: Any, text: str, where: str
) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setDisplayExpression('"secret"')
        layers["parcels"].setMapTipTemplate('[% "secret" %]')

    value = text if where == "computed" else f"https://example.org/[% {text} %]"
    project = town.project(
        {"layers": {"parcels": {where: {"x": value, "zone": "1"}, "maptip": True}}},
        tweak=tweak,
        access_rules=[EVERYTHING, hidden("secret")],
    )
    answer = ask.raw(project, "parcels", "bob")
    assert answer.status == 200
    assert "CANARY" not in answer.text
    told = [one["info"][where] for one in answer.json["features"]]
    assert [list(one) for one in told] == [["zone"], ["zone"]]


def test_an_aggregate_over_a_layer_that_is_all_open_is_told_to_the_restricted_too(
    ask: Any, whole_town: Any
) -> None:
    computed = {"x": "aggregate('buildings', 'max', \"height\")"}
    rules = without_rows("kinds", '"shown" = 1')
    project = whole_town.project(
        {"layers": {"parcels": {"computed": computed}}}, access_rules=rules
    )
    assert ask.one(project, user="bob")["computed"]["x"]["value"] == 30.0


def test_an_aggregate_over_the_layers_own_hidden_rows_is_withheld(
    ask: Any, whole_town: Any
) -> None:
    computed = {"x": 'maximum("price")', "y": '"price"'}
    rules = without_rows("parcels", '"zone" = 3')
    project = whole_town.project(
        {"layers": {"parcels": {"computed": computed}}}, access_rules=rules
    )
    assert list(ask.one(project, user="bob")["computed"]) == ["y"]


def test_a_legend_by_a_hidden_attribute_is_withheld(ask: Any, whole_town: Any) -> None:
    def tweak(_project: Any, layers: Any) -> None:
        layers["parcels"].setRenderer(
            categorized(layers["parcels"], "secret", {"CANARY1": "class CANARY", None: "rest"})
        )

    project = whole_town.project("on", tweak=tweak, access_rules=[EVERYTHING, hidden("secret")])
    assert ask.one(project, user="alice")["legend"]["label"] == "class CANARY"
    answer = ask.raw(project, "parcels", "bob")
    assert "CANARY" not in answer.text


def test_expressions_see_the_caller(ask: Any, whole_town: Any) -> None:
    computed = {
        "user": "@access_user",
        "roles": "@access_roles",
        "anonymous": "@access_is_anonymous",
    }
    project = whole_town.project(
        {"layers": {"parcels": {"computed": computed}}}, access_rules=[EVERYTHING]
    )
    found = ask.one(project, user="alice", roles="surveyor,editor")["computed"]
    assert found["user"]["value"] == "alice"
    assert sorted(found["roles"]["value"]) == ["editor", "surveyor"]
    assert found["anonymous"]["value"] is False
    found = ask.one(project)["computed"]
    assert (found["user"]["value"], found["anonymous"]["value"]) == (None, True)


def test_a_group_tells_only_of_layers_that_are_open(ask: Any, whole_town: Any) -> None:
    def tweak(project: Any, layers: Any) -> None:
        group = project.layerTreeRoot().addGroup("both")
        for name in ("parcels", "buildings"):
            group.addLayer(layers[name])
            project.layerTreeRoot().removeChildNode(
                project.layerTreeRoot().findLayer(layers[name].id())
            )

    rules = [{"id": "open", "layers": ["*", "!buildings"]}]
    project = whole_town.project("on", tweak=tweak, access_rules=rules)
    answer = ask(project, "both", user="bob")
    assert [layer["name"] for layer in answer["info"]["layers"]] == ["parcels"]
    assert {feature["id"] for feature in answer["features"]} == {"parcels.1", "parcels.2"}


def test_one_callers_answer_does_not_stay_for_the_next(ask: Any, whole_town: Any) -> None:
    rules = [EVERYTHING, hidden("secret", layers=["parcels", "buildings"])]
    project = whole_town.project(EVERYTHING_TOLD, tweak=with_tip, access_rules=rules)
    fresh = {user: ask(project, user=user) for user in ("alice", "bob")}
    for user in ("bob", "alice", "alice", "bob", "bob", "alice"):
        assert ask(project, user=user) == fresh[user]


def test_labels_and_records_of_one_caller_do_not_stay_for_the_next(
    ask: Any, whole_town: Any
) -> None:
    """Entries are shared by records of equal values, and by nobody else."""
    settings = {"fields": ["*"], "layers": {"parcels": {"related": {"owners": {}}}}}
    rules = [
        *without_rows("kinds", '"shown" = 1'),
        {"effect": "deny", "layers": "owners", "filter": '"shy" = 1', "users": "bob"},
        {"effect": "deny", "layers": "tags", "users": "bob"},
    ]
    alone = {
        user: ask(whole_town.project(settings, access_rules=rules, fresh=True), user=user)
        for user in ("alice", "bob")
    }
    assert field(alone["bob"]["features"][1]["info"], "kind")["label"] == "(ind)"
    assert field(alone["bob"]["features"][1]["info"], "owner")["label"] == "2"
    assert field(alone["bob"]["features"][0]["info"], "tags")["label"] == "{1,2}"
    project = whole_town.project(settings, access_rules=rules, fresh=True)
    for user in ("bob", "alice", "alice", "bob", "bob", "alice"):
        assert ask(project, user=user) == alone[user]


def test_a_restricted_caller_can_switch_it_off_and_is_told_no_more(
    ask: Any, whole_town: Any
) -> None:
    project = whole_town.project("on", access_rules=[EVERYTHING, hidden("secret")])
    answer = ask.raw(project, "parcels", "bob", ENRICH="false", FEATURE_COUNT="1")
    assert answer.status == 200
    assert "CANARY" not in answer.text
    assert [feature["id"] for feature in answer.json["features"]] == ["parcels.1"]
    assert "info" not in answer.json


def test_the_legend_is_of_the_style_that_the_caller_gets(ask: Any, whole_town: Any) -> None:
    """A closed default style is replaced by the first open one; it decides what is returned."""

    def tweak(_project: Any, layers: Any) -> None:
        parcels = layers["parcels"]
        manager = parcels.styleManager()
        manager.addStyleFromLayer("open one")
        manager.setCurrentStyle("open one")
        parcels.setRenderer(categorized(parcels, "zone", {9: "nine"}))
        manager.setCurrentStyle("default")

    closed = {"effect": "deny", "layers": "parcels", "styles": "default", "users": "bob"}
    project = whole_town.project("on", tweak=tweak, access_rules=[EVERYTHING, closed])
    told = {
        user: [
            (one["id"], one["info"]["legend"]["label"])
            for one in ask(project, user=user)["features"]
        ]
        for user in ("alice", "bob")
    }
    assert told["alice"] == [("parcels.1", "parcels"), ("parcels.2", "parcels")]
    assert told["bob"] == [("parcels.2", "nine")]


def test_expressions_over_records_see_the_caller_too(ask: Any, whole_town: Any) -> None:
    related = {"buildings": {"computed": {"user": "@access_user"}, "limit": 1}}
    settings = {"layers": {"parcels": {"related": related}}}
    project = whole_town.project(settings, access_rules=[EVERYTHING])
    for user in ("alice", "bob"):
        (record,) = ask.one(project, user=user)["related"]["buildings"]["features"]
        assert record["computed"]["user"]["value"] == user


@pytest.fixture(scope="module")
def other_parcels(town: Any) -> str:
    """Return a source with the same keys as parcels, and other texts."""
    path = str(town.folder / "other_parcels.gpkg")
    read = ogr.Open(str(town.folder / "data.gpkg"))
    written = ogr.GetDriverByName("GPKG").CreateDataSource(path)
    table = written.CopyLayer(read.GetLayerByName("parcels"), "parcels", ["FID=fid"])
    for row in list(table):
        row.SetField("secret", f"OTHER{row.GetFID()}")
        table.SetFeature(row)
    table = written = None
    return f"{path}|layername=parcels"


@pytest.mark.parametrize("feature_info", [None, "on", {"properties": "names"}])
@pytest.mark.parametrize("limited", ["twin_layer_id", "twin_layer_id_2"])
def test_of_two_layers_with_one_name_no_hidden_row_is_told(
    ask: Any, town: Any, other_parcels: str, feature_info: Any, limited: str
) -> None:
    """QGIS finds features in one of them, and for JSON reads those keys in the other."""

    def tweak(project: Any, layers: Any) -> None:
        layers["parcels"].setName("twin")
        project.addMapLayer(QgsVectorLayer(other_parcels, "twin", "ogr"))

    hidden_text = "CANARY1" if limited == "twin_layer_id" else "OTHER1"
    rules = [
        {"id": "open", "layers": ["*", f"!{limited}"]},
        {"id": "some", "layers": limited, "filter": '"zone" = 9', "users": "bob"},
        {"id": "alice", "layers": limited, "users": "alice"},
    ]
    project = town.project(feature_info, layers=("parcels",), tweak=tweak, access_rules=rules)
    answer = ask.raw(project, "twin", "bob", WITH_GEOMETRY="TRUE")
    assert answer.status == 200
    assert answer.json["features"]
    assert hidden_text not in answer.text
    if feature_info is None:
        assert {one["geometry"] for one in answer.json["features"]} == {None}
        assert "OTHER1" in ask.raw(project, "twin", "alice").text


def test_without_rules_everybody_is_told_everything(ask: Any, whole_town: Any) -> None:
    info = ask.one(whole_town.project(EVERYTHING_TOLD, tweak=with_tip))
    assert info["maptip"] == "tip CANARY1"
    assert len(info["computed"]) == 5
