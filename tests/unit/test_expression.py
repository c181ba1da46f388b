"""Expressions at the token level: placeholders become literals and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access_filter_plugin.access_control.expression import (
    ExpressionError,
    bind_subject,
    first_arguments,
    indirect_functions,
    is_balanced,
    quoted_column,
    quoted_string,
    tokenize,
    variables,
)
from access_filter_plugin.subject import ANONYMOUS, Subject

ALICE = Subject("alice")


def test_the_user_becomes_a_quoted_literal() -> None:
    assert bind_subject("owner = @access_user", ALICE, []) == "owner = 'alice'"


def test_anonymous_is_null() -> None:
    assert bind_subject("owner = @access_user", ANONYMOUS, []) == "owner = NULL"


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("O'Brien", "'O''Brien'"),
        ("back\\slash", "'back\\\\slash'"),
        ("\\'", "'\\\\'''"),
        ("x') or ('1'='1", "'x'') or (''1''=''1'"),
        ("", "''"),
        ("Zoë", "'Zoë'"),
        ("@access_roles", "'@access_roles'"),
        ("-- x", "'-- x'"),
    ],
)
def test_a_users_name_changes_nothing_but_the_value(name: str, literal: str) -> None:
    assert bind_subject("@access_user", Subject(name), []) == literal


def test_roles_in_a_list_of_their_own_become_literals() -> None:
    text = '"x" IN (@access_roles)'
    assert bind_subject(text, ALICE, ["b", "a"]) == "\"x\" IN ( 'a', 'b' )"


def test_no_roles_in_a_list_are_null() -> None:
    assert bind_subject('"x" NOT IN (@access_roles)', ALICE, []) == '"x" NOT IN ( NULL )'


@pytest.mark.parametrize(
    "text", ["array_contains(@access_roles, x)", "x IN ('a', @access_roles)", "(@access_roles)"]
)
def test_roles_elsewhere_become_an_array(text: str) -> None:
    assert "array('a')" in bind_subject(text, ALICE, ["a"])


def test_whether_anonymous_becomes_a_constant() -> None:
    assert bind_subject("@access_is_anonymous", ALICE, []) == "FALSE"
    assert bind_subject("@access_is_anonymous", ANONYMOUS, []) == "TRUE"


@pytest.mark.parametrize(
    "text", ["'@access_user'", '"@access_user"', "'a''@access_user'", "'\\'@access_user'"]
)
def test_placeholders_in_strings_and_columns_stay(text: str) -> None:
    assert bind_subject(text, ALICE, []) == text


@pytest.mark.parametrize(
    "text", ["1 -- @access_user", "1 /* @access_user */", "1 --@access_user\n"]
)
def test_placeholders_in_comments_go_with_the_comment(text: str) -> None:
    assert bind_subject(text, ALICE, []) == "1"


@pytest.mark.parametrize("text", ["@ACCESS_USER", "@access_users", "@layer"])
def test_any_other_variable_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        bind_subject(text, ALICE, [])


@pytest.mark.parametrize("subject", [Subject("a\0b"), Subject("a", frozenset({"\0"}))])
def test_a_nul_in_a_name_is_refused(subject: Subject) -> None:
    with pytest.raises(ExpressionError):
        bind_subject("x = @access_user", subject, subject.roles)


@pytest.mark.parametrize("text", ["'open", '"open', "/* open", "a ; b", "a # b", "a = \x00", "`a`"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        tokenize(text)


def test_variables_are_found_outside_strings_only() -> None:
    assert variables("@a = '@b' AND \"@c\" = @d -- @e") == {"a", "d"}


@pytest.mark.parametrize("text", ["VAR ('x')", "eval_template('x')", "Env('HOME')"])
def test_functions_that_read_by_name_are_found(text: str) -> None:
    assert indirect_functions(text)


def test_a_column_named_like_a_function_is_none() -> None:
    assert not indirect_functions('"var" = 1 OR env = 2')


@pytest.mark.parametrize(
    ("text", "result"),
    [("(a)", True), ("a) OR (b", False), ("((a)", False), ("')' = a", True), ('"(" = a', True)],
)
def test_balance_counts_outside_strings(text: str, *, result: bool) -> None:
    assert is_balanced(text) is result


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("aggregate('owners', 'sum', x)", [("aggregate", "owners")]),
        ("aggregate(layer:='it''s', aggregate:='sum')", [("aggregate", "it's")]),
        ("get_feature('a' || 'b', 1)", [("get_feature", None)]),
        ("get_feature(@layer, 1)", [("get_feature", None)]),
        ('f("owners")', [("f", None)]),
        ("f()", [("f", None)]),
        ("f(g('x\\'y'))", [("f", None), ("g", "x'y")]),
        ("'f(' = x", []),
    ],
)
def test_first_arguments_are_whole_strings_or_nothing(
    text: str, calls: list[tuple[str, str]]
) -> None:
    assert first_arguments(text) == calls


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
def test_any_name_is_one_string_token(name: str) -> None:
    assert [token.kind for token in tokenize(quoted_string(name))] == ["string"]
    assert [token.kind for token in tokenize(quoted_column(name))] == ["column"]


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_no_text_makes_the_tokenizer_raise_anything_but_its_own_error(text: str) -> None:
    try:
        tokenize(text)
    except ExpressionError:
        return
