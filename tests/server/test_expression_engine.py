"""Expressions on QGIS's own parser: canonical text, constants, values that stay values."""

from __future__ import annotations

from typing import Any

import pytest
from qgis.core import (
    NULL,
    Qgis,
    QgsAbstractFeatureIterator,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsVectorLayer,
)

from access_filter_plugin.access_control.decision import RowFilter
from access_filter_plugin.access_control.expression import (
    ExpressionError,
    bind_subject,
    quoted_column,
    quoted_string,
    variables,
)
from access_filter_plugin.access_control.qgis_expression import QgisExpressionEngine
from access_filter_plugin.subject import ANONYMOUS, Subject
from tests.support.projects import vector_layer, write_geopackage
from tests.unit.small_expressions import Parser, SmallEngine, value

pytestmark = pytest.mark.usefixtures("server")

ENGINE = QgisExpressionEngine()
NAMES = [
    "alice",
    "O'Brien",
    "back\\slash",
    "\\",
    "\\'",
    "\\\\'",
    "x') or ('1'='1",
    "x' OR 'a'='a",
    "",
    "Zoë Müller",
    "王",
    "line\nbreak\ttab\r",
    "@access_roles",
    "-- x",
    "/* x",
    '"',
    "%s {0} [% 1 %]",
    "\\n",
    "😀",
]


def evaluated(text: str) -> Any:
    expression = QgsExpression(text)
    assert not expression.hasParserError(), (text, expression.parserErrorString())
    found = expression.evaluate()
    assert not expression.hasEvalError(), expression.evalErrorString()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_its_own_value(name: str) -> None:
    bound = bind_subject(ENGINE.parse("@access_user").text, Subject(name), [])
    assert evaluated(bound) == name
    assert not QgsExpression(bound).referencedVariables()


@pytest.mark.parametrize("name", NAMES)
def test_names_in_lists_and_arrays_are_values(name: str) -> None:
    someone = Subject("alice", frozenset({name, "other"}))
    listed = ENGINE.parse("'other' IN (@access_roles)").text
    assert evaluated(bind_subject(listed, someone, someone.roles)) == 1
    array = ENGINE.parse("array_length(@access_roles)").text
    assert evaluated(bind_subject(array, someone, someone.roles)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_our_quotes_are_those_of_qgis(name: str) -> None:
    assert quoted_column(name) == QgsExpression.quotedColumnRef(name)
    assert evaluated(quoted_string(name)) == evaluated(QgsExpression.quotedString(name)) == name


def test_nobody_is_null_and_in_no_list() -> None:
    assert not evaluated(bind_subject("coalesce(@access_user, '') <> ''", ANONYMOUS, []))
    assert evaluated(bind_subject("'a' IN (@access_roles) IS NULL", ANONYMOUS, [])) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"a" = 1 -- public only',
        '"a" = 1 /* x */ AND "b" = 2',
        "'-- no comment' = \"a\"",
        '"-- no comment" = 1',
        "'it''s' = \"a\"",
        "'a\\'b' = \"a\"",
        '"in" = 1 OR "and" = 2',
        'NOT ("a" = 1) IS NULL',
        "CASE WHEN \"a\" = 1 THEN 'x' ELSE 'y' END = 'x'",
        '"a" BETWEEN 1 AND 2' if Qgis.versionInt() >= 32600 else '"a" >= 1',
        "array(1, 2)[0] = 1",
        'coalesce("a", 1.5e3) > -2 ^ 3 // 4 % 5',
        "\"a\" ~ '^x' AND \"b\" ILIKE '%y' AND \"c\" NOT LIKE 'z'",
        "regexp_match(string:=\"a\", regex:='x')",
    ],
)
def test_canonical_text_means_the_same(text: str) -> None:
    canonical = ENGINE.parse(text).text
    assert QgsExpression(canonical).dump() == QgsExpression(text).dump()
    assert "public only" not in canonical


def test_a_comment_in_one_filter_does_not_reach_the_next() -> None:
    one = ENGINE.parse('"a" = 1 -- ) OR TRUE').text
    two = ENGINE.parse('"b" = 2 /* ( */').text
    joined = RowFilter((one, two), (one,)).expression() or ""
    assert not QgsExpression(joined).hasParserError()
    assert QgsExpression(joined).referencedColumns() == {"a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a =",
        "a = 1)",
        "unknown_function(a)",
        "left('x')",
        "'open",
        "a b",
        "/* only",
        "-- only",
        "a; b",
    ],
)
def test_what_does_not_parse_is_an_expression_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        ENGINE.parse(text)


def test_columns_are_those_that_qgis_will_read() -> None:
    parsed = ENGINE.parse("\"A b\" = 1 AND c = 'd' AND $id > 0")
    assert (parsed.columns, parsed.reads_all) == ({"A b", "c"}, False)


def test_reading_whichever_column_is_told() -> None:
    parsed = ENGINE.parse("attributes()['a'] = 1")
    assert (parsed.columns, parsed.reads_all) == (frozenset(), True)


@pytest.mark.parametrize(
    ("text", "is_never_true"),
    [
        ("FALSE", True),
        ("NULL", True),
        ("0", True),
        ("'text'", True),
        ("1 = 2", True),
        ('"a" = NULL', True),
        ('NULL <> "a"', True),
        ('"a" IN (NULL)', True),
        ('"a" NOT IN (NULL)', True),
        ("NULL IN ('a')", True),
        ('"a" = 1 AND NULL', True),
        ('FALSE AND "a" = 1', True),
        ("'alice' IN ('bob')", True),
        ("NOT TRUE", True),
        ("1 / 0 = 1", True),
        ('("a" = 1 AND FALSE) OR "b" = NULL', True),
        ("(NOT NULL) IS NULL", False),
        ("TRUE", False),
        ("1", False),
        ('"a" = 1', False),
        ('"a" IS NULL', False),
        ('NULL OR "a" = 1', False),
        ('"a" IN (NULL, 1)', False),
        ('coalesce("a", TRUE)', False),
        ("'alice' IN ('alice', NULL)", False),
        ('"a" = NULL IS NULL', False),
        ("rand(0, 1) = 1", False),
    ],
)
def test_what_can_never_be_true_is_found_without_data(text: str, *, is_never_true: bool) -> None:
    assert ENGINE.never_true(text) is is_never_true


@pytest.mark.parametrize(
    ("deny", "covers_nothing"),
    [("FALSE", True), ("0", True), ("NOT TRUE", True), ("NULL", False), ("'text'", False),
     ('"a" = NULL', False), ('"a" = 1', False), ("TRUE", False)],
)  # fmt: skip
def test_a_deny_filter_covers_nothing_only_if_it_is_false(
    deny: str, *, covers_nothing: bool
) -> None:
    assert ENGINE.never_true(f"(NOT ({deny})) IS NOT 1") is covers_nothing


FILTERS = [
    "status = 'draft'",
    "NOT (status = 'draft')",
    "public = 1 AND owner = 'alice'",
    "status IS NULL OR zone IN (1, 3)",
    "owner IN ('bob', NULL)",
    "NOT owner IN ('bob', NULL)",
    "NULL",
    "status = NULL",
    "zone <> 1 OR NULL",
    "FALSE OR zone = 2",
    "NOT (NOT (status = 'draft')) IS NOT 1",
]


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> QgsVectorLayer:
    folder = tmp_path_factory.mktemp("data")
    write_geopackage(folder / "data.gpkg")
    return vector_layer(folder, "parcels")


def plain(found: Any) -> Any:
    return None if found is None or found == NULL else found


@pytest.mark.parametrize("text", FILTERS)
def test_the_small_engine_of_the_unit_tests_agrees_with_qgis(
    parcels: QgsVectorLayer, text: str
) -> None:
    small = Parser(text).parse()
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(parcels))
    for feature in parcels.getFeatures():
        context.setFeature(feature)
        found = QgsExpression(text).evaluate(context)
        names = [field.name() for field in parcels.fields()]
        expected = value(small, {name: plain(feature[name]) for name in names})
        assert plain(found) == expected
    assert SmallEngine().never_true(text) or not ENGINE.never_true(text)


def compiled(layer: QgsVectorLayer, text: str) -> bool:
    request = QgsFeatureRequest().setFilterExpression(text)
    iterator = layer.dataProvider().getFeatures(request)
    list(iterator)
    return bool(iterator.compileStatus() == QgsAbstractFeatureIterator.CompileStatus.Compiled)


@pytest.mark.parametrize(
    "text",
    [
        "owner = @access_user",
        "owner IN (@access_roles)",
        "owner = @access_user AND public = 1",
        "owner IN (@access_roles) OR status IS NULL",
    ],
)
def test_the_geopackage_provider_compiles_bound_filters(parcels: QgsVectorLayer, text: str) -> None:
    someone = Subject("O'Brien", frozenset({"x') or ('1'='1", "alice"}))
    bound = bind_subject(ENGINE.parse(text).text, someone, someone.roles)
    filters = RowFilter((bound, "public = 1"), ("status = 'draft'",)).expression() or ""
    assert compiled(parcels, bound)
    assert compiled(parcels, filters)


def test_the_variables_that_we_find_are_those_that_qgis_finds() -> None:
    for text in (
        "@a = '@b' -- @c",
        '"@a" = @é',
        "@a_1 IN (@b) /* @c */",
        "'\\'' = @x",
        "'''@y' = 1",
    ):
        assert QgsExpression(text).referencedVariables() == set(variables(text)), text


@pytest.mark.parametrize(
    "text",
    [
        '("zone" = 1) IS TRUE',
        'TRUE = ("zone" > 1)',
        '("zone" IN (1, 2)) IS NOT FALSE',
        '"a" = 1 OR (NOT "zone" = 1) <> false',
        'coalesce(("zone" IS NULL) = true, 1)',
        'CASE WHEN "a" = 1 THEN 2 ELSE ("a" = 2) IS TRUE END',
        "now() > 1 AND -((1 = 1) = FALSE)",
    ],
)
def test_a_condition_compared_with_a_truth_value_is_doubtful(text: str) -> None:
    assert "before 3.44" in ENGINE.parse(text).doubt


@pytest.mark.parametrize(
    "text",
    [
        '"public" = TRUE',
        '"public" IS NOT FALSE',
        'NOT ("zone" = 1)',
        '("zone" = 1) IS NOT 1',
        '("zone" + 1) = 2 AND TRUE',
        '@access_is_anonymous OR "zone" = 1',
    ],
)
def test_what_every_qgis_answers_alike_is_not(text: str) -> None:
    assert ENGINE.parse(text).doubt == ""
