"""QGIS expressions for the pure core: parsing, canonical text, and what can never be true.

Canonical text is the tokens without comments, shown by QGIS's own parser to mean the same as what
was written. Filters are joined from such texts only (facts E18). ``QgsExpression.dump()`` itself
would not do: it loses the quotes of columns named like a keyword.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    NULL,
    QgsExpression,
    QgsExpressionNode,
    QgsExpressionNodeBinaryOperator,
    QgsExpressionNodeInOperator,
    QgsExpressionNodeLiteral,
    QgsExpressionNodeUnaryOperator,
)

from .binding import ParsedExpression
from .expression import ExpressionError, tokenize

ALL_COLUMNS = "*"
"""``QgsFeatureRequest.ALL_ATTRIBUTES``: the expression may read any column."""

_Binary = QgsExpressionNodeBinaryOperator
#: Operators that are NULL as soon as one operand is.
_STRICT = (
    _Binary.boEQ,
    _Binary.boNE,
    _Binary.boLE,
    _Binary.boGE,
    _Binary.boLT,
    _Binary.boGT,
    _Binary.boRegexp,
    _Binary.boLike,
    _Binary.boNotLike,
    _Binary.boILike,
    _Binary.boNotILike,
    _Binary.boPlus,
    _Binary.boMinus,
    _Binary.boMul,
    _Binary.boDiv,
    _Binary.boIntDiv,
    _Binary.boMod,
    _Binary.boPow,
    _Binary.boConcat,
)


class _Unknown:
    """The value of what depends on data."""


UNKNOWN = _Unknown()
NOT_TRUE = _Unknown()
"""False or NULL, which of the two depends on data."""


class QgisExpressionEngine:
    """``binding.ExpressionEngine`` on QGIS's own parser."""

    def parse(self, text: str) -> ParsedExpression:
        """Return canonical text and columns; raise ExpressionError when it does not parse."""
        expression = QgsExpression(text)
        if expression.hasParserError() or not expression.isValid():
            raise ExpressionError(expression.parserErrorString() or "it is empty")
        columns = set(expression.referencedColumns())
        reads_all = ALL_COLUMNS in columns
        canonical = " ".join(token.text for token in tokenize(text))
        again = QgsExpression(canonical)
        if again.hasParserError() or again.dump() != expression.dump():
            raise ExpressionError("it has another meaning without its comments")
        return ParsedExpression(canonical, frozenset(columns - {ALL_COLUMNS}), reads_all)

    def never_true(self, text: str) -> bool:
        """Return whether an expression is false or NULL whatever the data."""
        expression = QgsExpression(text)
        if expression.hasParserError():
            return True
        value = fold(expression.rootNode())
        return value is NOT_TRUE or (value is not UNKNOWN and not _is_true(value))


def fold(node: Optional[QgsExpressionNode]) -> Any:
    """Return a node's constant value (None is NULL), or UNKNOWN, or NOT_TRUE."""
    if isinstance(node, QgsExpressionNodeLiteral):
        value = node.value()
        return None if value is None or value == NULL else value
    if isinstance(node, QgsExpressionNodeBinaryOperator):
        return _fold_binary(node)
    if isinstance(node, QgsExpressionNodeUnaryOperator):
        return _fold_not(node)
    if isinstance(node, QgsExpressionNodeInOperator):
        return _fold_in(node)
    return UNKNOWN


def _is_true(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return float(value) != 0
        except ValueError:
            return False
    return bool(value)


def _fold_binary(node: QgsExpressionNodeBinaryOperator) -> Any:
    left, right = fold(node.opLeft()), fold(node.opRight())
    operator = node.op()
    if operator == _Binary.boAnd:
        return _fold_and(left, right)
    if operator == _Binary.boOr:
        return _fold_or(left, right)
    if operator in _STRICT and (left is None or right is None):
        return None
    if _depends_on_data(left, right):
        return UNKNOWN
    return _evaluated(node)


def _depends_on_data(*values: Any) -> bool:
    return any(isinstance(value, _Unknown) for value in values)


def _truth(value: Any) -> Any:
    if value is None or isinstance(value, _Unknown):
        return value
    return _is_true(value)


def _fold_and(left: Any, right: Any) -> Any:
    sides = (_truth(left), _truth(right))
    if False in [side for side in sides if isinstance(side, bool)]:
        return False
    if _depends_on_data(*sides):
        return NOT_TRUE if None in sides or NOT_TRUE in sides else UNKNOWN
    return None if None in sides else True


def _fold_or(left: Any, right: Any) -> Any:
    sides = (_truth(left), _truth(right))
    if True in [side for side in sides if isinstance(side, bool)]:
        return True
    if _depends_on_data(*sides):
        return UNKNOWN if UNKNOWN in sides else NOT_TRUE
    return None if None in sides else False


def _fold_not(node: QgsExpressionNodeUnaryOperator) -> Any:
    value = fold(node.operand())
    if value is None:
        return None
    return UNKNOWN if isinstance(value, _Unknown) else _evaluated(node)


def _fold_in(node: QgsExpressionNodeInOperator) -> Any:
    if fold(node.node()) is None:
        return None
    values = [fold(item) for item in node.list().list()]
    if all(value is None for value in values):
        return None
    return UNKNOWN if _depends_on_data(fold(node.node()), *values) else _evaluated(node)


def _evaluated(node: QgsExpressionNode) -> Any:
    expression = QgsExpression(node.dump())
    value = expression.evaluate()
    if expression.hasEvalError():
        return None
    return None if value is None or value == NULL else value
