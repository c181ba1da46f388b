"""A small engine for the expressions of the tests: three-valued, without QGIS.

It knows comparisons, ``IN``, ``IS``, ``AND``, ``OR``, ``NOT``, literals and columns, and plays the
part of :class:`QgisExpressionEngine` for the pure core; tests/server compares the two.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from itertools import product
from typing import Any, Callable, Optional

from access_filter_plugin.access_control.binding import ParsedExpression
from access_filter_plugin.access_control.decision import RowFilter
from access_filter_plugin.access_control.expression import ExpressionError, Token, tokenize

Row = Mapping[str, Any]
Truth = Optional[bool]
Node = tuple[Any, ...]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}


class Parser:
    """Tokens → a tree of tuples: ("and", a, b), ("column", name), ("literal", value)."""

    def __init__(self, text: str) -> None:
        self._tokens = [*tokenize(text), Token("end", "")]
        self._at = 0

    def parse(self) -> Node:
        tree = self._or()
        if self._tokens[self._at].kind != "end":
            raise ExpressionError(f"unexpected {self._tokens[self._at].text}")
        return tree

    def _take(self, *words: str) -> Optional[str]:
        word = self._tokens[self._at].text.upper()
        if word in words and self._tokens[self._at].kind in {"word", "symbol"}:
            self._at += 1
            return word
        return None

    def _or(self) -> Node:
        left = self._and()
        while self._take("OR"):
            left = ("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._not()
        while self._take("AND"):
            left = ("and", left, self._not())
        return left

    def _not(self) -> Node:
        return ("not", self._not()) if self._take("NOT") else self._comparison()

    def _comparison(self) -> Node:
        left = self._value()
        sign = self._take(*COMPARE)
        if sign:
            return ("compare", sign, left, self._value())
        if self._take("IS"):
            negated = self._take("NOT")
            node: Node = ("is", left, self._value())
            return ("not", node) if negated else node
        negated = self._take("NOT")
        if self._take("IN"):
            node = ("in", left, *self._list())
            return ("not", node) if negated else node
        if negated:
            raise ExpressionError("IN expected after NOT")
        return left

    def _list(self) -> list[Node]:
        if not self._take("("):
            raise ExpressionError("( expected")
        items = [self._value()]
        while self._take(","):
            items.append(self._value())
        if not self._take(")"):
            raise ExpressionError(") expected")
        return items

    def _value(self) -> Node:
        if self._take("("):
            inner = self._or()
            if not self._take(")"):
                raise ExpressionError(") expected")
            return inner
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "string":
            return ("literal", token.text[1:-1].replace("''", "'").replace("\\\\", "\\"))
        if token.kind == "number":
            return ("literal", float(token.text))
        if token.kind == "column":
            return ("column", token.text[1:-1].replace('""', '"'))
        if token.kind == "variable":
            return ("variable", token.text[1:])
        if token.kind == "word" and token.text.upper() in CONSTANTS:
            return ("literal", CONSTANTS[token.text.upper()])
        if token.kind == "word":
            return ("column", token.text)
        raise ExpressionError(f"unexpected {token.text or 'end'}")


def columns(node: Node) -> frozenset[str]:
    """Return the columns of a tree."""
    if node[0] == "column":
        return frozenset({node[1]})
    return frozenset().union(*(columns(part) for part in node if isinstance(part, tuple)))


def value(node: Node, row: Row) -> Any:
    """Return the value of a tree on a row; None is NULL, and a column not there is an error."""
    kind = node[0]
    if kind == "literal":
        return node[1]
    if kind == "column":
        return row[node[1]]
    if kind == "not":
        inner = value(node[1], row)
        return None if inner is None else not inner
    if kind in {"and", "or"}:
        return _joined(kind, value(node[1], row), value(node[2], row))
    if kind == "is":
        return _same(value(node[1], row), value(node[2], row))
    left = value(node[2] if kind == "compare" else node[1], row)
    if kind == "compare":
        return _compared(node[1], left, value(node[3], row))
    found = [_compared("=", left, value(item, row)) for item in node[2:]]
    return True if True in found else (None if None in found else False)


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return bool(left == right)


def _compared(sign: str, left: Any, right: Any) -> Truth:
    if left is None or right is None:
        return None
    if isinstance(left, str) != isinstance(right, str):
        left, right = str(left), str(right)
    return bool(COMPARE[sign](left, right))


def _joined(kind: str, left: Truth, right: Truth) -> Truth:
    decisive = kind == "or"
    if left is decisive or right is decisive:
        return decisive
    return None if left is None or right is None else not decisive


def possible(node: Node) -> set[Truth]:
    """Return the truth values that a tree may have on some row, decided without data."""
    kind = node[0]
    if not columns(node):
        return {_truth(value(node, {}))}
    if kind == "not":
        return {None if inner is None else not inner for inner in possible(node[1])}
    if kind in {"and", "or"}:
        pairs = product(possible(node[1]), possible(node[2]))
        return {_joined(kind, left, right) for left, right in pairs}
    if kind == "compare" and ("literal", None) in node[2:]:
        return {None}
    if kind == "in" and set(node[2:]) == {("literal", None)}:
        return {None}
    return {True, False, None}


def _truth(found: Any) -> Truth:
    return None if found is None or isinstance(found, str) else bool(found)


class SmallEngine:
    """``binding.ExpressionEngine`` for tests."""

    def parse(self, text: str) -> ParsedExpression:
        """Return canonical text and columns."""
        canonical = " ".join(token.text for token in tokenize(text))
        return ParsedExpression(canonical, columns(Parser(text).parse()))

    def never_true(self, text: str) -> bool:
        """Return whether an expression is true on no row, whatever its values."""
        return True not in possible(Parser(text).parse())


def is_true(text: Optional[str], row: Row) -> bool:
    """Return whether an expression, perhaps absent, is true on a row."""
    return text is None or value(Parser(text).parse(), row) is True


def visible(rows: RowFilter, row: Row) -> bool:
    """Return whether a row filter lets a row through."""
    return is_true(rows.expression(), row)
