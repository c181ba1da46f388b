"""Roles that a project defines: nested, without cycles, never weakening the operator's."""

from __future__ import annotations

import time
from typing import Any

import pytest

from access_filter_plugin.access_control.matching import Caller
from access_filter_plugin.access_control.policy import Policy
from access_filter_plugin.access_control.role_parser import (
    cyclic_roles,
    effective_roles,
    parse_roles,
)
from access_filter_plugin.strict_json import Problem
from access_filter_plugin.subject import Subject


def read(value: Any, *, lower: bool = False) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    roles = parse_roles("access_roles", value, problems, lower_case_users=lower)
    return roles, [str(p) for p in problems]


def test_a_member_is_a_user_or_a_role() -> None:
    roles, problems = read({"staff": ["alice", "role:editor"]})
    assert problems == []
    assert effective_roles("alice", [], roles) == {"staff"}
    assert effective_roles("bob", ["editor"], roles) == {"editor", "staff"}


def test_roles_nest_to_any_depth() -> None:
    roles = {f"r{i}": frozenset({f"role:r{i + 1}"}) for i in range(5000)}
    found = effective_roles("alice", ["r5000"], roles)
    assert len(found) == 5001
    assert cyclic_roles(roles) == []


def test_a_cycle_names_the_roles_on_it_alone() -> None:
    _, problems = read({"a": "role:b", "b": "role:c", "c": "role:b", "d": "role:a"})
    assert problems == [
        "access_roles.b: is a member of itself, through other roles",
        "access_roles.c: is a member of itself, through other roles",
    ]


def test_a_role_that_is_its_own_member_is_a_cycle() -> None:
    assert read({"a": ["role:a"]})[1] == [
        "access_roles.a: is a member of itself, through other roles"
    ]


def test_a_cycle_of_thousands_is_found_in_a_moment() -> None:
    roles = {f"r{i}": frozenset({f"role:r{(i + 1) % 5000}"}) for i in range(5000)}
    began = time.process_time()
    assert len(cyclic_roles(roles)) == 5000
    assert time.process_time() - began < 8


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "staff",
        {"staff": 3},
        {"staff": [3]},
        {"staff": [""]},
        {"staff": ["role:"]},
        {"": ["alice"]},
        {"anonymous": ["alice"]},
        {"authenticated": ["alice"]},
        {"staff": ["role:authenticated"]},
    ],
)
def test_what_is_not_roles_is_a_problem(value: Any) -> None:
    assert read(value)[1]


def test_a_user_named_like_a_role_member_gains_nothing() -> None:
    roles, _ = read({"staff": ["role:editor"]})
    assert effective_roles("role:editor", [], roles) == frozenset()


def test_members_are_compared_in_lower_case_where_users_are() -> None:
    roles, _ = read({"staff": ["Bob", "role:Editor"]}, lower=True)
    assert effective_roles("bob", [], roles) == {"staff"}
    assert effective_roles("eve", ["editor"], roles) == {"editor"}


def test_anonymous_is_in_no_role_that_a_project_defines() -> None:
    policy = Policy(roles={"staff": frozenset({"", "None"})})
    assert Caller.of(Subject(), policy).roles == frozenset()


def test_the_operators_rules_do_not_see_a_projects_roles() -> None:
    policy = Policy(
        roles={"hr": frozenset({"bob"}), "ops": frozenset({"bob"})},
        operator_roles={"ops": frozenset({"bob"})},
    )
    caller = Caller.of(Subject("bob", frozenset({"viewer"})), policy)
    assert caller.roles == {"viewer", "hr", "ops"}
    assert caller.operator_roles == {"viewer", "ops"}
