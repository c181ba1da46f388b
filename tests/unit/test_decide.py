"""How rules combine, where the decision table does not look."""

from __future__ import annotations

from typing import Any

import pytest

from access_filter_plugin.access_control.decision import LayerDecision, RowFilter
from access_filter_plugin.access_control.expression import tokenize
from access_filter_plugin.access_control.policy import Action
from access_filter_plugin.subject import Subject
from tests.unit.deciding import access, decide, row, subject
from tests.unit.small_expressions import visible

BOB = subject("bob")
READ = {"layers": "parcels"}


def decided(*rules: dict[str, Any], who: Subject = BOB, layer: str = "parcels") -> LayerDecision:
    return decide({"access_rules": list(rules)}, who, layer)


def test_a_row_filter_of_nothing_is_false() -> None:
    assert RowFilter().expression() == "FALSE"


def test_a_row_filter_of_everything_is_none() -> None:
    assert RowFilter(None).expression() is None


def test_filters_are_joined_each_in_its_own_parentheses() -> None:
    found = RowFilter(("a = 1", "b = 2 OR c = 3"), ("d = 4", "e = 5"))
    assert found.expression() == "((a = 1) OR (b = 2 OR c = 3)) AND NOT (d = 4) AND NOT (e = 5)"


def test_an_action_without_its_own_right_is_none() -> None:
    decision = decided(READ)
    assert not decision.edit(Action.READ).is_allowed
    assert decision.edit(Action.DELETE) is decision.delete


@pytest.mark.parametrize("action", ["update", "delete"])
def test_editing_needs_reading(action: str) -> None:
    decision = decided({"layers": "parcels", "actions": action})
    assert not decision.edit(Action(action)).is_allowed


def test_a_deny_of_reading_denies_changing_and_labels_but_not_inserting() -> None:
    everything = {"layers": "parcels", "actions": [a.value for a in Action]}
    decision = decided(everything, {"effect": "deny", "layers": "parcels", "actions": "read"})
    assert [decision.update.is_allowed, decision.delete.is_allowed, decision.lookup] == [False] * 3
    assert decision.insert.is_allowed


def test_a_deny_of_updating_leaves_reading() -> None:
    rule = {"layers": "parcels", "actions": ["read", "update"]}
    deny = {"effect": "deny", "layers": "parcels", "actions": "update", "filter": "zone = 1"}
    decision = decided(rule, deny)
    assert decision.rows.is_everything
    assert [visible(decision.update.row_filter(), row("parcels", i)) for i in (1, 2)] == [
        False,
        True,
    ]


def test_a_transition_keeps_the_filter_as_the_check_by_default() -> None:
    rule = {"layers": "parcels", "actions": ["read", "update"], "filter": "owner = @access_user"}
    transition = decided(rule).update.transitions[0]
    assert transition.check == transition.filter == "owner = 'bob'"


def test_an_edit_rule_opens_a_hidden_attribute_only_by_name() -> None:
    read = {"layers": "parcels", "attributes": "name"}
    wide = {"layers": "parcels", "actions": "update"}
    named = {"layers": "parcels", "actions": "update", "attributes": "zone"}
    assert decided(read, wide).update.writable == {"name", "$geometry"}
    assert "zone" in decided(read, named).update.writable


def test_denying_all_rows_widens_no_insert() -> None:
    read = {"layers": "parcels", "attributes": "name"}
    insert = {"layers": "parcels", "actions": "insert"}
    deny = {"effect": "deny", "layers": "parcels", "actions": "read"}
    assert decided(read, insert, deny).insert.writable == {"name", "$geometry"}


def test_an_insert_alone_writes_what_its_rule_opens() -> None:
    insert = {"layers": "parcels", "actions": "insert", "attributes": ["*", "!owner"]}
    assert "owner" not in decided(insert).insert.writable
    assert "zone" in decided(insert).insert.writable


def test_a_rule_without_a_filter_shows_its_attributes_on_all_rows() -> None:
    some = {"layers": "parcels", "filter": "zone = 1", "attributes": "name"}
    every = {"layers": "parcels", "attributes": ["status", "zone"]}
    assert decided(some, every).attributes == {"status", "zone"}


def test_a_raster_has_no_edits() -> None:
    decision = decided({"layers": "*", "actions": "*"}, layer="ortho")
    assert decision.read
    assert not decision.insert.is_allowed


def test_a_partial_deny_with_an_empty_list_takes_nothing() -> None:
    deny = {"effect": "deny", "layers": "parcels", "attributes": []}
    assert decided(READ, deny).is_fully_readable


def test_an_unknown_address_opens_nothing_and_is_covered() -> None:
    nowhere = subject("bob", address="")
    here = {"layers": "parcels", "addresses": "0.0.0.0/0"}
    assert not decided(here, who=nowhere).read
    assert not decided(READ, {**here, "effect": "deny"}, who=nowhere).read


@pytest.mark.parametrize(
    ("blocks", "address", "is_open"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "10.1.2.3", False),
        ("!10.0.0.0/8", "2001:db8::1", True),
        (["10.0.0.0/8", "!10.1.0.0/16"], "10.1.2.3", False),
        ([], "10.1.2.3", False),
    ],
)
def test_addresses_are_blocks_with_exceptions(blocks: Any, address: str, *, is_open: bool) -> None:
    rule = {"layers": "parcels", "addresses": blocks}
    assert decided(rule, who=subject("bob", address=address)).read is is_open


def test_the_variables_of_the_request_are_the_callers() -> None:
    variables = {"access_rules": [], "access_roles": {"team": ["bob"]}}
    assert access(variables, BOB).expression_variables() == {
        "access_user": "bob",
        "access_roles": ["team", "viewer"],
        "access_is_anonymous": False,
    }
    assert access(variables, subject("anon")).expression_variables() == {
        "access_user": None,
        "access_roles": [],
        "access_is_anonymous": True,
    }


def test_roles_in_the_operators_filter_are_not_the_projects() -> None:
    variables = {"access_rules": [READ], "access_roles": {"hr": ["bob"]}}
    operator = {
        "access_rules": [
            {"effect": "deny", "layers": "parcels", "filter": "NOT 'hr' IN (@access_roles)"}
        ]
    }
    from access_filter_plugin.access_control.project_access import ProjectAccess
    from tests.unit.deciding import bound

    project = ProjectAccess(bound(variables, operator=operator))
    decision = project.access(BOB, "WMS", "GetMap").decision("parcels_layer_id")
    assert not visible(decision.rows, row("parcels", 1))


def depth(text: str) -> int:
    """Return how many operators stand side by side or within one another, at most."""
    levels, deepest = [0], 0
    for token in tokenize(text):
        if token.text == "(":
            levels.append(0)
        elif token.text == ")":
            levels.pop()
        elif token.text in {"AND", "OR"}:
            levels[-1] += 1
        deepest = max(deepest, sum(levels) + len(levels))
    return deepest


def test_a_thousand_filters_are_joined_as_a_flat_tree() -> None:
    many = tuple(f"zone = {i}" for i in range(1000))
    assert depth(RowFilter(many, many).expression() or "") < 50


def test_filters_joined_as_a_tree_mean_the_same() -> None:
    many = tuple(f"zone = {i}" for i in range(1000))
    assert visible(RowFilter(many, many[3:]), row("parcels", 1))
    assert not visible(RowFilter(many, many[:3]), row("parcels", 1))
    assert not visible(RowFilter(many[3:]), row("parcels", 1))
