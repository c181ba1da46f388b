"""What is made of something closed is closed too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from access_filter_plugin.access_control.catalogue import Catalogue, LayerKind, Source
from access_filter_plugin.access_control.decision import LayerDecision
from tests.unit.deciding import access, catalogue_of, decide, subject, vector

OWNERS = vector("owners", "fid", "login", "fullname", "phone")
OWNERS_ID = OWNERS.id
UNKNOWN = Source("", None)
BOB = subject("bob")


def own(*attributes: str) -> Source:
    return Source("parcels_layer_id", frozenset(attributes), rows=False)


def parcels(**more: Any) -> Any:
    return vector("parcels", "fid", "name", "secret", "made", **more)


def decided(catalogue: Catalogue, *rules: dict[str, Any], layer: str = "parcels") -> LayerDecision:
    return decide({"access_rules": list(rules)}, BOB, layer, catalogue=catalogue)


ALL = {"layers": "*"}
NO_SECRET = {"effect": "deny", "layers": "parcels", "attributes": "secret"}
NO_OWNERS = {"effect": "deny", "layers": "owners"}
SOME_OWNERS = {"effect": "deny", "layers": "owners", "filter": "login <> 'bob'"}


def test_an_expression_field_over_a_hidden_attribute_is_hidden() -> None:
    project = catalogue_of(parcels(attribute_sources={"made": (own("secret"),)}))
    assert decided(project, ALL).hidden == frozenset()
    assert decided(project, ALL, NO_SECRET).hidden == {"secret", "made"}


def test_hiding_goes_on_through_expression_fields() -> None:
    sources = {"made": (own("name"),), "name": (own("secret"),)}
    project = catalogue_of(parcels(attribute_sources=sources))
    assert decided(project, ALL, NO_SECRET).attributes == {"fid"}


def test_a_field_that_may_read_every_attribute_is_hidden_with_any() -> None:
    source = Source("parcels_layer_id", None, rows=False)
    project = catalogue_of(parcels(attribute_sources={"made": (source,)}))
    assert "made" in decided(project, ALL, NO_SECRET).hidden


def test_an_aggregate_over_own_rows_is_hidden_where_rows_are() -> None:
    source = Source("parcels_layer_id", frozenset({"name"}), rows=True)
    project = catalogue_of(parcels(attribute_sources={"made": (source,)}))
    some = {"layers": "parcels", "filter": "name = 'one'"}
    assert decided(project, some).hidden == {"made"}


@pytest.mark.parametrize("closing", [NO_OWNERS, SOME_OWNERS])
def test_a_joined_column_is_hidden_where_its_layer_or_rows_are(closing: dict[str, Any]) -> None:
    source = Source(OWNERS_ID, frozenset({"fullname"}))
    project = catalogue_of(parcels(attribute_sources={"made": (source,)}), OWNERS)
    assert decided(project, ALL).hidden == frozenset()
    assert decided(project, ALL, closing).hidden == {"made"}


def test_lookup_alone_shows_the_joined_column_that_is_a_label() -> None:
    label = Source(OWNERS_ID, frozenset({"fullname"}), is_label=True)
    other = Source(OWNERS_ID, frozenset({"phone"}))
    sources = {"made": (label,), "secret": (other,)}
    project = catalogue_of(parcels(attribute_sources=sources), OWNERS)
    look_up = {"layers": "owners", "actions": "lookup"}
    assert decided(project, {"layers": "parcels"}, look_up).hidden == {"secret"}
    assert not decided(project, {"layers": "parcels"}, look_up, layer="owners").is_listed


def labelled() -> Catalogue:
    label = Source(OWNERS_ID, frozenset({"fullname"}), is_label=True)
    return catalogue_of(parcels(label_sources={"name": (label,)}), OWNERS)


def test_a_label_from_a_closed_layer_is_raw() -> None:
    assert decided(labelled(), {"layers": "parcels"}).raw_attributes == {"name"}


def test_a_label_from_a_readable_layer_is_shown() -> None:
    assert decided(labelled(), ALL).raw_attributes == frozenset()


def test_lookup_opens_the_label() -> None:
    rules = [{"layers": "parcels"}, {"layers": "owners", "actions": "lookup"}]
    assert decided(labelled(), *rules).raw_attributes == frozenset()


def test_a_label_is_withheld_where_rows_are_hidden() -> None:
    rules = [{"layers": "parcels"}, {"layers": "owners", "filter": "login = 'bob'"}]
    assert decided(labelled(), *rules).raw_attributes == {"name"}


def test_lookup_opens_no_attribute_that_its_rule_leaves_out() -> None:
    rule = {"layers": "owners", "actions": "lookup", "attributes": "login"}
    assert decided(labelled(), {"layers": "parcels"}, rule).raw_attributes == {"name"}


def group(*children: str) -> Any:
    sources = tuple(Source(f"{name}_layer_id", frozenset(), rows=False) for name in children)
    return replace(vector("group"), kind=LayerKind.GROUP, sources=sources)


def test_a_group_layer_with_an_unreadable_child_is_closed() -> None:
    project = catalogue_of(group("parcels", "owners"), parcels(), OWNERS)
    assert decided(project, ALL, layer="group").read
    assert not decided(project, ALL, NO_OWNERS, layer="group").read


def test_a_group_layer_whose_child_is_drawn_with_a_closed_style_is_closed() -> None:
    project = catalogue_of(group("parcels"), parcels(styles=("red", "blue")))
    deny = {"effect": "deny", "layers": "parcels", "styles": "red"}
    assert not decided(project, ALL, deny, layer="group").read
    other = {"effect": "deny", "layers": "parcels", "styles": "blue"}
    assert decided(project, ALL, other, layer="group").read


@pytest.mark.parametrize("closing", [NO_OWNERS, SOME_OWNERS])
def test_a_virtual_layer_is_closed_where_its_layers_hide_anything(closing: dict[str, Any]) -> None:
    virtual = replace(vector("virtual", "a"), sources=(Source(OWNERS_ID, None),))
    project = catalogue_of(virtual, OWNERS)
    assert decided(project, ALL, layer="virtual").read
    found = decided(project, ALL, closing, layer="virtual")
    assert not found.read
    assert found.reason


def test_layers_made_of_each_other_are_closed() -> None:
    one = replace(vector("one", "a"), sources=(Source("two_layer_id", None),))
    two = replace(vector("two", "a"), sources=(Source("one_layer_id", None),))
    for layer in ("one", "two"):
        assert not decided(catalogue_of(one, two), ALL, layer=layer).read


def test_what_cannot_be_told_is_open_only_where_nothing_is_hidden_at_all() -> None:
    project = catalogue_of(parcels(attribute_sources={"made": (UNKNOWN,)}), OWNERS)
    assert decided(project, ALL).hidden == frozenset()
    assert decided(project, ALL, SOME_OWNERS).hidden == {"made"}


def test_a_style_that_shows_a_hidden_attribute_is_closed() -> None:
    layer = parcels(styles=("red", "blue"), style_sources={"red": (own("secret"),)})
    found = decided(catalogue_of(layer), ALL, NO_SECRET)
    assert (found.styles, found.default_style) == ({"blue"}, "blue")


def test_a_layout_over_a_closed_layer_is_closed() -> None:
    project = catalogue_of(
        parcels(),
        OWNERS,
        templates=("map", "table"),
        template_sources={
            "map": (own(),),
            "table": (Source(OWNERS_ID, frozenset({"phone"}), rows=False),),
        },
    )
    hidden = {"effect": "deny", "layers": "owners", "attributes": "phone"}
    found = access({"access_rules": [ALL, hidden]}, BOB, operation="GetPrint", catalogue=project)
    assert (found.allows_template("map"), found.allows_template("table")) == (True, False)
    assert not found.allows_template("unknown")


def test_a_derived_attribute_may_not_be_written_where_it_may_not_be_seen() -> None:
    project = catalogue_of(parcels(attribute_sources={"made": (own("secret"),)}))
    rule = {"layers": "*", "actions": ["read", "insert", "update"]}
    found = decided(project, rule, NO_SECRET)
    assert not {"made", "secret"} & (found.update.writable | found.insert.writable)


def test_an_unknown_layer_is_closed() -> None:
    assert not decided(catalogue_of(parcels()), ALL, layer="nothing").is_listed
