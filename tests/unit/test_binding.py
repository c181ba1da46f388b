"""A policy joined with a project: names that take away must exist, the rest is a warning."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Optional

import pytest

from access_filter_plugin.access_control.binding import MAX_WARNINGS, BoundPolicy, bind
from access_filter_plugin.access_control.catalogue import Catalogue, LayerKind
from tests.unit.deciding import catalogue_of, decide, parsed, project_of_policies, subject, vector
from tests.unit.small_expressions import SmallEngine

GROUPED = catalogue_of(
    vector("pipes", "fid", "depth", groups=("Utilities", "Water")),
    vector("cables", "fid", groups=("Utilities",)),
    vector("parcels", "fid", "owner", short_name="par"),
    vector("twin", "fid", id="twin_one_layer_id"),
    vector("twin", "fid", id="twin_two_layer_id"),
    groups=("Utilities", "Water", "Empty"),
)


def joined(
    *rules: dict[str, Any],
    catalogue: Catalogue = GROUPED,
    operator: Optional[dict[str, Any]] = None,
) -> BoundPolicy:
    policy = parsed({"access_rules": list(rules)}, operator)
    assert not policy.errors, policy.errors
    return bind(policy.policy, catalogue, SmallEngine())


def layers_of(names: Any) -> set[str]:
    found = joined({"layers": names})
    return {layer_id for layer_id, rules in found.layer_rules.items() if rules}


def told(found: BoundPolicy) -> list[str]:
    return [f"{p.severity.value} {p}" for p in found.problems]


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ("parcels", {"parcels_layer_id"}),
        ("par", {"parcels_layer_id"}),
        ("parcels_layer_id", {"parcels_layer_id"}),
        ("group:Utilities", {"pipes_layer_id", "cables_layer_id"}),
        ("group:Water", {"pipes_layer_id"}),
        ("group:W*", {"pipes_layer_id"}),
        (["group:Utilities", "!pipes"], {"cables_layer_id"}),
        (["*", "!group:Utilities", "!twin"], {"parcels_layer_id"}),
        ("twin", {"twin_one_layer_id", "twin_two_layer_id"}),
        ("twin_one*", {"twin_one_layer_id"}),
        ([], set()),
        ("group:Empty", set()),
    ],
)
def test_layers_are_named_by_name_short_name_id_and_group(names: Any, ids: set[str]) -> None:
    assert layers_of(names) == ids


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ({"layers": "parcel"}, "warning"),
        ({"layers": "group:Utility"}, "warning"),
        ({"layers": ["*", "!parcel"]}, "error"),
        ({"layers": ["*", "!group:Utility"]}, "error"),
        ({"effect": "deny", "layers": "parcel"}, "error"),
        ({"effect": "deny", "layers": "group:Utility"}, "error"),
        ({"effect": "deny", "layers": ["*", "!parcel"]}, "error"),
    ],
)
def test_an_unknown_layer_is_an_error_where_it_takes_away(
    rule: dict[str, Any], severity: str
) -> None:
    assert [text.split()[0] for text in told(joined(rule))] == [severity]


def test_an_unknown_layer_with_a_wildcard_is_no_problem() -> None:
    assert told(joined({"effect": "deny", "layers": ["secret_*", "!x_*"]})) == []


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    assert told(joined({"layers": "parcel"})) == [
        (
            'warning access_rules[0].layers: "parcel": the project has no such layer, '
            'did you mean "parcels"?'
        )
    ]


def test_the_operators_rules_may_name_layers_that_a_project_lacks() -> None:
    operator = {"access_rules": [{"effect": "deny", "layers": ["salaries", "!x"]}]}
    assert told(joined({"layers": "*"}, operator=operator)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"effect": "deny", "layers": "parcels", "attributes": "ownr"},
        {"layers": "parcels", "attributes": ["*", "!ownr"]},
        {"effect": "deny", "layers": "parcels", "attributes": ["owner", "ownr"]},
    ],
)
def test_an_attribute_that_is_taken_away_and_missing_closes_the_layers(rule: Any) -> None:
    found = decide({"access_rules": [{"layers": "*"}, rule]}, subject("root"), "parcels")
    assert (found.read, found.is_listed, found.reason != "") == (False, False, True)


def test_the_layers_of_other_rules_stay_open() -> None:
    rules = [{"layers": "*"}, {"effect": "deny", "layers": "parcels", "attributes": "ownr"}]
    assert decide({"access_rules": rules}, subject("bob"), "salaries").read


def test_an_attribute_of_one_of_the_layers_is_enough() -> None:
    found = joined({"effect": "deny", "layers": "*", "attributes": "owner"})
    assert told(found) == []
    assert not any(r.is_broken for rules in found.layer_rules.values() for r in rules)


def test_the_operators_attributes_may_be_missing_where_no_layer_is_named() -> None:
    operator = {"access_rules": [{"effect": "deny", "layers": "*", "attributes": "iban"}]}
    found = joined({"layers": "*"}, operator=operator)
    assert not any(r.is_broken for rules in found.layer_rules.values() for r in rules)


@pytest.mark.parametrize(
    "rule",
    [
        {"layers": "parcels", "attributes": "ownr"},
        {"layers": "parcels", "actions": "update", "readonly": "ownr"},
        {"layers": "parcels", "styles": "red"},
        {"layers": "parcels", "styles": ["*", "!red"]},
        {"layers": "parcels", "templates": ["*", "!A4"]},
        {"effect": "deny", "templates": "A4"},
        {"layers": "parcels", "filter": "missing = 1"},
    ],
)
def test_any_other_unknown_name_is_a_warning(rule: dict[str, Any]) -> None:
    assert [text.split()[0] for text in told(joined(rule))] == ["warning"]


def test_a_filter_that_does_not_parse_is_an_error() -> None:
    assert told(joined({"layers": "parcels", "filter": "owner ="}))[0].startswith(
        "error access_rules[0].filter: does not parse"
    )


def test_a_deny_filter_that_cannot_be_evaluated_covers_everything() -> None:
    rules = [{"layers": "*"}, {"effect": "deny", "layers": "*", "filter": "owner = 'x'"}]
    for layer in ("ortho", "salaries"):
        assert not decide({"access_rules": rules}, subject("bob"), layer).read


def test_a_deny_of_attributes_by_a_filter_that_cannot_be_evaluated_closes_them() -> None:
    deny = {"effect": "deny", "layers": "parcels", "attributes": "owner", "filter": "x = 1"}
    found = decide({"access_rules": [{"layers": "*"}, deny]}, subject("bob"), "parcels")
    assert found.hidden == {"owner"}


def test_a_check_that_cannot_be_evaluated_opens_nothing() -> None:
    rule = {"layers": "parcels", "actions": "insert", "check": "missing = 1"}
    assert not decide({"access_rules": [rule]}, subject("bob"), "parcels").insert.is_allowed


def test_warnings_about_one_rule_are_bounded() -> None:
    rasters = [replace(vector(f"r{i}"), kind=LayerKind.RASTER) for i in range(30)]
    found = joined({"layers": "*", "filter": "a = 1"}, catalogue=catalogue_of(*rasters))
    assert len(found.problems) == MAX_WARNINGS


def test_a_thousand_unknown_names_are_told_in_bounded_time() -> None:
    layers = [vector(f"some layer with a name {i}") for i in range(1000)]
    rules = [{"layers": f"some other layer {i}"} for i in range(1000)]
    began = time.process_time()
    found = joined(*rules, catalogue=catalogue_of(*layers))
    assert len(found.problems) == 1000
    assert time.process_time() - began < 12


def test_a_thousand_rules_on_a_thousand_layers_are_joined_in_bounded_time() -> None:
    layers = [vector(f"layer{i}", *(f"a{n}" for n in range(12))) for i in range(1000)]
    named = [{"layers": [f"layer{i}"], "filter": f"a1 = {i}"} for i in range(900)]
    wide = [{"roles": f"r{i}", "layers": "*", "attributes": ["*", "!a3"]} for i in range(30)]
    began = time.process_time()
    found = joined(*named, *wide, catalogue=catalogue_of(*layers))
    assert sum(map(len, found.layer_rules.values())) == 30_900
    assert time.process_time() - began < 12


def test_the_project_of_the_policies_binds_without_a_word() -> None:
    assert joined({"layers": "*"}, catalogue=project_of_policies()).problems == ()
