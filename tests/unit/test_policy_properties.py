"""What holds of every policy, tried on policies that hypothesis makes up."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.access_control.decision import EditRight, LayerDecision
from access_filter_plugin.access_control.parser import parse_operator, parse_project
from access_filter_plugin.access_control.project_access import OperationAccess
from access_filter_plugin.access_control.rule_parser import KEYS
from access_filter_plugin.strict_json import StrictJsonError
from access_filter_plugin.subject import Subject
from tests.unit.deciding import (
    access,
    catalogue_of,
    project_of_policies,
    row,
    texts,
    vector,
)
from tests.unit.policies import ROWS
from tests.unit.small_expressions import is_true, visible

Opened = frozenset[tuple[Any, ...]]
Rule = dict[str, Any]

FILTERS = (
    "status = 'draft'",
    "public = 1",
    "owner = @access_user",
    "owner <> @access_user",
    "zone IN (1, 3) AND status IS NOT NULL",
    "NOT @access_is_anonymous",
    "FALSE",
    "TRUE",
)
ROLES = ("viewer", "editor", "admin", "anonymous", "authenticated")
NAMES = ("*", "name", "!name", "owner*", "!status", "$geometry", "zone")
LAYERS = ("*", "parcels", "salaries", "!owners", "ortho")
SUBJECTS = st.builds(
    lambda user, roles: Subject(user, roles if user else frozenset()),
    st.sampled_from((None, "alice", "bob")),
    st.frozensets(st.sampled_from(("viewer", "editor", "admin"))),
)
MODEST = settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "15")), deadline=None)
"""Few by default: the unit suite is to be run all the time. CI asks for more."""


def some(names: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(tuple(names)), min_size=1, max_size=2, unique=True)


def rule(effect: str, **instead: st.SearchStrategy[Any]) -> st.SearchStrategy[Rule]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "users": some(("alice", "bob", "!bob")),
        "roles": some((*ROLES, "!editor")),
        "filter": st.sampled_from(FILTERS),
        "attributes": some(NAMES),
        "actions": some(("read", "insert", "update", "delete", "lookup")),
        "styles": some(("default", "public", "!owners")),
        "templates": some(("Official", "Dr*")),
        "requests": some(("GetMap", "GetFeature")),
        **instead,
    }
    if effect == "allow":
        optional |= {"check": st.sampled_from(FILTERS), "readonly": some(("name", "$geometry"))}
    fixed = {"effect": st.just(effect), "layers": some(LAYERS)}
    used = {name: found for name, found in optional.items() if name != "none"}
    return st.fixed_dictionaries(fixed, optional=used)


def without_broken(items: list[Rule]) -> list[Rule]:
    """Keep what takes away a layer's attribute from closing it: that is a rule of its own."""
    return [{**item, "layers": ["*"]} if "attributes" in item else item for item in items]


POLICIES = st.lists(st.one_of(rule("allow"), rule("deny")), max_size=5).map(without_broken)
DEFAULTS = st.sampled_from(("allow", "deny"))


def look(items: list[Rule], default: str, who: Subject) -> OperationAccess:
    variables = {
        "access_rules": [{"id": f"rule {i}", **item} for i, item in enumerate(items)],
        "access_default": default,
    }
    return access(variables, who)


def opened(found: OperationAccess) -> Opened:
    """Return everything that is open: cells, rows, edits, styles, layouts and labels."""
    things: set[tuple[Any, ...]] = {
        ("layout", name) for name in ("Official", "Draft") if found.allows_template(name)
    }
    for name in (*ROWS, "ortho"):
        things |= opened_of(name, found.decision(f"{name}_layer_id"))
    return frozenset(things)


def opened_of(layer: str, decision: LayerDecision) -> set[tuple[Any, ...]]:
    things = {("style", layer, style) for style in decision.styles}
    if decision.read:
        things.add(("layer", layer))
    for number in ROWS.get(layer, {}):
        here = row(layer, number)
        if decision.read and visible(decision.rows, here):
            things.add(("row", layer, number))
            things |= {("cell", layer, number, name) for name in decision.attributes}
        if decision.lookup and visible(decision.lookup_rows, here):
            things |= {("label", layer, number, name) for name in decision.lookup_attributes}
        for action in ("insert", "update", "delete"):
            things |= edits(layer, number, action, decision)
    return things


def edits(layer: str, number: int, action: str, decision: LayerDecision) -> set[tuple[Any, ...]]:
    """Return what may be done to a row, and to which rows an edit may lead."""
    right: EditRight = getattr(decision, action)
    here = row(layer, number)
    if not right.is_allowed or any(is_true(f"NOT ({d})", here) is False for d in right.deny):
        return set()
    found: set[tuple[Any, ...]] = set()
    if action == "insert" or visible(decision.rows, here):
        found |= {(action, layer, number, "writes", name) for name in right.writable}
    for way in right.transitions:
        if action != "insert" and is_true(way.filter, here) and visible(decision.rows, here):
            found.add((action, layer, number))
        if is_true(way.check, here):
            found.add((action, layer, number, "leads here"))
    return found


@MODEST
@given(POLICIES, rule("deny"), DEFAULTS, SUBJECTS)
def test_adding_a_deny_rule_opens_nothing(
    items: list[Rule], deny: Rule, default: str, who: Subject
) -> None:
    before = opened(look(items, default, who))
    after = opened(look([*items, *without_broken([deny])], default, who))
    assert after <= before


@MODEST
@given(
    st.lists(
        st.one_of(
            rule("allow", roles=some(ROLES), attributes=st.just(["*"])),
            rule("deny", roles=st.just(["authenticated"]), attributes=st.just(["name"])),
        ),
        max_size=5,
    ).map(without_broken),
    DEFAULTS,
    st.frozensets(st.sampled_from(("viewer", "editor", "admin")), min_size=1),
    st.data(),
)
def test_removing_a_role_opens_nothing_where_roles_only_allow_whole_rows(
    items: list[Rule], default: str, roles: frozenset[str], data: st.DataObject
) -> None:
    fewer = roles - {data.draw(st.sampled_from(sorted(roles)))}
    items = [{k: v for k, v in item.items() if k != "readonly"} for item in items]
    before = opened(look(items, default, Subject("alice", roles)))
    after = opened(look(items, default, Subject("alice", fewer)))
    assert after <= before


@MODEST
@given(POLICIES, DEFAULTS, SUBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_rules_changes_nothing(
    items: list[Rule], default: str, who: Subject, random: Any
) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert opened(look(shuffled, default, who)) == opened(look(items, default, who))


@MODEST
@given(POLICIES, DEFAULTS, SUBJECTS)
def test_the_rules_that_a_decision_names_make_it_alone(
    items: list[Rule], default: str, who: Subject
) -> None:
    found = look(items, default, who)
    decision = found.decision("parcels_layer_id")
    named = [item for i, item in enumerate(items) if f"rule {i}" in decision.rules]
    alone = look(named, default if "access_default" in decision.rules else "deny", who)
    assert opened_of("parcels", alone.decision("parcels_layer_id")) == opened_of(
        "parcels", decision
    )


@MODEST
@given(POLICIES, DEFAULTS, SUBJECTS)
def test_equal_signatures_mean_equal_decisions(
    items: list[Rule], default: str, who: Subject
) -> None:
    mine = look(items, default, who)
    others = look(items, default, Subject("carl"))
    if mine.signature == others.signature:
        assert opened(mine) == opened(others)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NEARLY_A_RULE = st.dictionaries(
    st.sampled_from((*KEYS, "lyers")),
    JSON | st.sampled_from(("2026-01-01", "10.0.0.0/8", "!x", "a = 1", "$geometry", "group:*")),
)


def never_raises(variables: dict[str, str]) -> None:
    def text_of(name: str, value: str) -> str:
        if value.startswith("file:"):
            raise StrictJsonError([])
        return value

    found = parse_project(variables, text_of)
    assert found.is_on is any(name.lower().startswith("access_") for name in variables)


@MODEST
@given(
    st.dictionaries(st.sampled_from(("access_rules", "access_roles", "access_default")), st.text())
)
def test_no_text_makes_the_parser_raise(variables: dict[str, str]) -> None:
    never_raises(variables)


@MODEST
@given(st.text(max_size=12).map(lambda text: "access_rule_" + text), NEARLY_A_RULE)
def test_no_rule_makes_the_parser_raise(name: str, item: dict[str, Any]) -> None:
    never_raises(texts({name: item, "access_roles": item}))


@MODEST
@given(st.text() | JSON.map(lambda value: texts({"x": value})["x"]))
def test_no_text_makes_the_operators_parser_raise(text: str) -> None:
    assert parse_operator(text).is_on


@MODEST
@given(POLICIES, DEFAULTS, SUBJECTS)
def test_no_policy_opens_an_attribute_that_does_not_exist(
    items: list[Rule], default: str, who: Subject
) -> None:
    for layer in project_of_policies().layers.values():
        decision = look(items, default, who).decision(layer.id)
        assert decision.attributes | decision.hidden == frozenset(layer.attributes)
        assert not decision.attributes & decision.hidden


def test_an_empty_project_has_no_decisions() -> None:
    empty = catalogue_of()
    found = access({"access_rules": [{"layers": "*"}]}, Subject("alice"), catalogue=empty)
    assert not found.decisions()
    assert not found.decision("unknown").read


def test_a_layer_without_attributes_is_decided_on() -> None:
    bare = catalogue_of(vector("bare"))
    found = access({"access_rules": [{"layers": "*"}]}, Subject("alice"), catalogue=bare)
    assert found.decision("bare_layer_id").read
