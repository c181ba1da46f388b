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
    QgsFeatureRequest,
)

from .binding import ParsedExpression
from .expression import ExpressionError, tokenize, variables
from .qgis_truth import COMPUTING, doubt_of

ALL_COLUMNS = QgsFeatureRequest.ALL_ATTRIBUTES
"""What referencedColumns holds when an expression may read any column."""

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
    *COMPUTING,
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
            # QGIS begins its sentence with a line break; a problem is one line.
            raise ExpressionError(" ".join(expression.parserErrorString().split()) or "it is empty")
        columns = set(expression.referencedColumns())
        reads_all = ALL_COLUMNS in columns
        canonical = " ".join(token.text for token in tokenize(text))
        again = QgsExpression(canonical)
        if again.hasParserError() or again.dump() != expression.dump():
            raise ExpressionError("it has another meaning without its comments")
        if frozenset(again.referencedVariables()) != variables(canonical):
            raise ExpressionError("QGIS finds other variables in it")  # than will be replaced
        own = frozenset(columns - {ALL_COLUMNS})
        return ParsedExpression(canonical, own, reads_all, doubt_of(again))

    def never_true(self, text: str) -> bool:
        """Return whether an expression is false or NULL whatever the data."""
        expression = QgsExpression(text)
        if expression.hasParserError():
            return True
        value = _Fold().value(expression.rootNode())
        return value is NOT_TRUE or (value is not UNKNOWN and not _is_true(value))


class _Fold:
    """Computes what an expression is whatever the data, node by node.

    Nodes are evaluated as they are: their dump() may mean something else (``(NOT a) IS NULL``).
    """

    def value(self, node: Optional[QgsExpressionNode]) -> Any:
        """Return a node's constant value (None is NULL), or UNKNOWN, or NOT_TRUE."""
        if isinstance(node, QgsExpressionNodeLiteral):
            value = node.value()
            return None if value is None or value == NULL else value
        if isinstance(node, QgsExpressionNodeBinaryOperator):
            return self._binary(node)
        if isinstance(node, QgsExpressionNodeUnaryOperator):
            return self._unary(node)
        if isinstance(node, QgsExpressionNodeInOperator):
            return self._in(node)
        return UNKNOWN

    def _binary(self, node: QgsExpressionNodeBinaryOperator) -> Any:
        left, right = self.value(node.opLeft()), self.value(node.opRight())
        operator = node.op()
        if operator == _Binary.boAnd:
            return _fold_and(left, right)
        if operator == _Binary.boOr:
            return _fold_or(left, right)
        if operator in _STRICT and (left is None or right is None):
            return None
        return UNKNOWN if _depends_on_data(left, right) else self._evaluated(node)

    def _unary(self, node: QgsExpressionNodeUnaryOperator) -> Any:
        value = self.value(node.operand())
        if value is None:
            return None
        return UNKNOWN if _depends_on_data(value) else self._evaluated(node)

    def _in(self, node: QgsExpressionNodeInOperator) -> Any:
        tested = self.value(node.node())
        if tested is None:
            return None
        values = [self.value(item) for item in node.list().list()]
        if values and all(value is None for value in values):
            return None
        return UNKNOWN if _depends_on_data(tested, *values) else self._evaluated(node)

    def _evaluated(self, node: QgsExpressionNode) -> Any:
        errors = QgsExpression("NULL")
        value = node.eval(errors, None)
        if errors.hasEvalError():
            return UNKNOWN  # an error is neither true nor false
        return None if value is None or value == NULL else value


def _is_true(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return float(value) != 0
        except ValueError:
            return False
    return bool(value)


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
