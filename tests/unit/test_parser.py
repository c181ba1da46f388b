"""From variables to a policy: absent, empty and invalid are three different things."""

from __future__ import annotations

import time
from typing import Any

import pytest

from access_filter_plugin.access_control.parser import (
    merge,
    natural_key,
    parse_operator,
    parse_project,
)
from access_filter_plugin.access_control.policy import Catalog, Effect
from access_filter_plugin.strict_json import Problem, Severity, StrictJsonError
from tests.unit.deciding import parsed


def problems(variables: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in parsed(variables).errors]


def test_without_access_variables_it_is_off() -> None:
    assert parsed({"feature_info": "on", "my_access_rules": "x"}).is_on is False


def test_one_access_variable_in_any_case_switches_it_on() -> None:
    assert parsed({"ACCESS_ANYTHING": "x"}).is_on


def test_an_empty_list_is_valid() -> None:
    found = parsed({"access_rules": []})
    assert (found.policy.rules, found.errors) == ((), ())


@pytest.mark.parametrize("name", ["access_rules", "access_rule_one"])
def test_an_empty_object_is_valid_and_allows_nothing(name: str) -> None:
    found = parsed({name: {}})
    assert (found.policy.rules, found.errors, found.is_on) == ((), (), True)


@pytest.mark.parametrize("text", ["", " ", "[", '[{"layers": "*"}', "nonsense", "NaN", "{}{}"])
def test_what_is_not_json_is_invalid(text: str) -> None:
    assert problems({"access_rules": text})


def test_a_cut_off_text_says_where_the_desktop_cuts() -> None:
    text = '[{"layers": "*"' + " " * 40000
    assert "cuts at 32767" in problems({"access_rules": text})[0]


def test_one_rule_may_stand_without_a_list() -> None:
    assert [r.path for r in parsed({"access_rules": {"layers": "*"}}).policy.rules] == [
        "access_rules"
    ]


def test_rule_variables_come_after_in_natural_order() -> None:
    one = {"layers": "*"}
    found = parsed({"access_rule_10": one, "access_rule_9": one, "access_rules": [one]})
    assert [r.id for r in found.policy.rules] == [
        "access_rules[0]",
        "access_rule_9",
        "access_rule_10",
    ]


def test_a_rule_variable_holds_one_rule() -> None:
    assert problems({"access_rule_a": [{"layers": "*"}]}) == [
        'access_rule_a: must be one rule (an object), is [{"layers": "*"}]'
    ]


def test_digits_of_other_scripts_are_no_numbers_in_natural_order() -> None:
    assert sorted(["a²", "a10", "a9", "a٣"], key=natural_key)[:2] == ["a9", "a10"]


def test_access_default_allow_is_a_rule_for_reading() -> None:
    rule = parsed({"access_default": "allow"}).policy.rules[0]
    assert (rule.id, rule.effect, len(rule.actions)) == ("access_default", Effect.ALLOW, 1)


@pytest.mark.parametrize("text", ['"allow"', " allow "])
def test_a_word_may_be_quoted_as_json(text: str) -> None:
    assert len(parsed({"access_default": text}).policy.rules) == 1


@pytest.mark.parametrize("text", ["", "Allow", "true", "[]"])
def test_any_other_word_is_invalid(text: str) -> None:
    assert problems({"access_default": text})


def test_the_catalog_is_hidden_unless_told_otherwise() -> None:
    assert parsed({"access_rules": []}).policy.catalog is Catalog.HIDE
    assert parsed({"access_catalog": "challenge"}).policy.catalog is Catalog.CHALLENGE


def test_every_problem_is_told_at_once_with_its_path() -> None:
    found = problems(
        {
            "access_rules": [{"layer": "x"}, {"layers": 3}],
            "access_default": "open",
            "access_roles": {"authenticated": []},
            "access_ruel": "",
        }
    )
    assert [text.split(":")[0] for text in found] == [
        "access_ruel",
        "access_rules[0].layer",
        "access_rules[0].layers",
        "access_rules[1].layers",
        "access_roles.authenticated",
        "access_default",
    ]


def test_an_unknown_key_names_the_nearest() -> None:
    assert problems({"access_rules": [{"layer": "x", "layers": "x"}]}) == [
        'access_rules[0].layer: unknown key, did you mean "layers"?'
    ]


def test_an_id_given_twice_is_a_warning() -> None:
    found = parsed({"access_rules": [{"id": "a", "layers": "*"}, {"id": "a", "layers": "*"}]})
    assert [(p.path, p.severity) for p in found.problems] == [
        ("access_rules[1].id", Severity.WARNING)
    ]


def test_a_file_that_cannot_be_read_is_invalid() -> None:
    def text_of(name: str, _value: str) -> str:
        raise StrictJsonError([Problem(name, "cannot be read")])

    found = parse_project({"access_rules": "file:x.json", "access_default": "file:y"}, text_of)
    assert [p.path for p in found.errors] == ["access_rules", "access_default"]


def test_a_thousand_rules_are_read_in_a_moment() -> None:
    rules = [{"layers": [f"layer {i}"], "filter": f"a = {i}"} for i in range(1000)]
    began = time.process_time()
    assert len(parsed({"access_rules": rules}).policy.rules) == 1000
    assert time.process_time() - began < 8


def test_a_megabyte_of_wrong_keys_is_told_in_bounded_time() -> None:
    rule = {f"key number {i}": i for i in range(30)}
    began = time.process_time()
    found = parsed({"access_rules": [rule] * 1000})
    assert len(found.errors) == 31000
    assert time.process_time() - began < 15


def test_a_text_nested_too_deeply_is_a_problem() -> None:
    assert problems({"access_rules": "[" * 100_000}) == [
        "access_rules: cannot be read as JSON (RecursionError)"
    ]


def test_the_operators_rules_come_first_and_for_every_project() -> None:
    operator = parse_operator('{"access_rules": [{"layers": "*"}]}')
    found = merge(parsed({}), operator)
    assert found.is_on
    assert found.policy.rules[0].is_operators


def test_without_an_operator_the_project_stands_alone() -> None:
    project = parsed({"access_rules": []})
    assert merge(project, None) is project


@pytest.mark.parametrize(
    "text", ["", "[]", '{"access_default": "allow"}', '{"access_rules": [{}]}', '{"x": 1}']
)
def test_an_invalid_operators_file_closes_every_project(text: str) -> None:
    assert merge(parsed({"access_rules": {"layers": "*"}}), parse_operator(text)).errors


def test_a_project_cannot_define_the_operators_role() -> None:
    operator = {"access_roles": {"hr": ["carl"]}}
    found = parsed({"access_roles": {"hr": ["bob"]}}, operator)
    assert [str(p) for p in found.errors] == [
        "access_roles.hr: the operator defines this role; choose another name"
    ]


def test_access_tests_are_none_of_the_rules() -> None:
    assert not parsed({"access_rules": [], "access_tests": "whatever"}).problems
