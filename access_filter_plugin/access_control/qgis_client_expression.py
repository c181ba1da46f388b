"""Expressions that a client sends: parsed, held to visible attributes and harmless functions."""

from __future__ import annotations

from functools import lru_cache

from qgis.core import QgsExpression

from .expression import ExpressionError, is_balanced, tokenize

#: Functions that only compute from their arguments: no layers, files, variables or environment.
HARMLESS_FUNCTIONS = frozenset(
    {
        "abs", "ceil", "floor", "round", "sqrt", "min", "max",
        "coalesce", "nullif", "if", "try",
        "lower", "upper", "title", "trim", "length", "substr", "left", "right", "replace",
        "concat", "strpos", "lpad", "rpad", "to_string", "to_int", "to_real", "to_date",
        "to_datetime", "to_time", "year", "month", "day", "hour", "minute", "second", "age",
        "make_date", "make_datetime", "array", "array_contains",
        "intersects", "within", "contains", "disjoint", "overlaps", "touches", "crosses",
        "intersects_bbox", "distance", "buffer", "centroid", "area", "geom_from_wkt",
        "geom_from_gml", "make_point", "make_polygon", "make_line", "bbox", "transform",
        "x", "y", "x_min", "x_max", "y_min", "y_max", "$geometry", "$id", "$area", "$length",
        "$x", "$y", "@geometry",
    }
)  # fmt: skip


MAX_KEPT = 2000
"""Expressions of up to so many characters are remembered: clients send the same ones again."""


def canonical_expression(text: str, attributes: frozenset[str]) -> str:
    """Return a client's expression as it was understood; raise ExpressionError naming what is not.

    It may name only these attributes, exactly (QGIS would look a name up in any case), and only
    harmless functions; variables are not for clients.
    """
    return (_remembered if len(text) <= MAX_KEPT else _canonical)(text, attributes)


def _canonical(text: str, attributes: frozenset[str]) -> str:
    if not is_balanced(text):
        raise ExpressionError("its parentheses are not balanced")
    canonical = " ".join(token.text for token in tokenize(text))
    expression = QgsExpression(text)
    again = QgsExpression(canonical)
    if expression.hasParserError() or again.hasParserError():
        raise ExpressionError("it does not parse")
    if expression.dump() != again.dump():
        raise ExpressionError("it has another meaning without its comments")
    _check_names(again, attributes)
    return canonical


_remembered = lru_cache(maxsize=500)(_canonical)


def _check_names(expression: QgsExpression, attributes: frozenset[str]) -> None:
    if any(token.kind == "variable" for token in tokenize(expression.expression())):
        raise ExpressionError("it uses a variable")
    for name in sorted(expression.referencedFunctions()):
        if name.lower() not in HARMLESS_FUNCTIONS:
            raise ExpressionError(f"it uses the function {name}")
    for name in sorted(expression.referencedColumns()):
        if name not in attributes:
            raise ExpressionError("it uses an attribute that does not exist")
