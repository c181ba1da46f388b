"""Conditions that are compared with TRUE or FALSE, which QGIS answers differently by version.

A condition is the number 1 or 0. Up to QGIS 3.40 that is compared with TRUE as text and never
equal to it, so a deny rule with ``("status" = 'draft') IS TRUE`` would cover no row; from 3.44 on it
is what one would expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from qgis.core import (
    QgsExpression,
    QgsExpressionNode,
    QgsExpressionNodeBinaryOperator,
    QgsExpressionNodeCondition,
    QgsExpressionNodeFunction,
    QgsExpressionNodeInOperator,
    QgsExpressionNodeLiteral,
    QgsExpressionNodeUnaryOperator,
)

_Binary = QgsExpressionNodeBinaryOperator
_EQUALITIES = (_Binary.boEQ, _Binary.boNE, _Binary.boIs, _Binary.boIsNot)
COMPUTING = (
    _Binary.boPlus,
    _Binary.boMinus,
    _Binary.boMul,
    _Binary.boDiv,
    _Binary.boIntDiv,
    _Binary.boMod,
    _Binary.boPow,
    _Binary.boConcat,
)
"""Operators whose result is no truth value."""
DOUBT = (
    "compares a condition with TRUE or FALSE, which no QGIS before 3.44 finds equal; "
    "write the condition alone, or NOT before it"
)


def doubt_of(expression: QgsExpression) -> str:
    """Return what is doubtful about a parsed expression, in words; empty for nothing."""
    return DOUBT if any(map(_compares_a_condition, _nodes(expression.rootNode()))) else ""


def _nodes(node: Optional[QgsExpressionNode]) -> Iterator[QgsExpressionNode]:
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if found is not None:
            yield found
            waiting += _children(found)


def _children(node: QgsExpressionNode) -> list[Optional[QgsExpressionNode]]:
    """Return what a node is made of; QGIS tells this to C++ only."""
    if isinstance(node, _Binary):
        return [node.opLeft(), node.opRight()]
    if isinstance(node, QgsExpressionNodeUnaryOperator):
        return [node.operand()]
    if isinstance(node, QgsExpressionNodeInOperator):
        return [node.node(), *node.list().list()]
    if isinstance(node, QgsExpressionNodeFunction):
        return list(node.args().list()) if node.args() is not None else []
    if isinstance(node, QgsExpressionNodeCondition):
        cases = [part for case in node.conditions() for part in (case.whenExp(), case.thenExp())]
        return [*cases, node.elseExp()]
    return []


def _compares_a_condition(node: QgsExpressionNode) -> bool:
    if not isinstance(node, _Binary) or node.op() not in _EQUALITIES:
        return False
    sides = (node.opLeft(), node.opRight())
    return any(map(_is_truth_value, sides)) and any(map(_is_condition, sides))


def _is_truth_value(node: QgsExpressionNode) -> bool:
    return isinstance(node, QgsExpressionNodeLiteral) and isinstance(node.value(), bool)


def _is_condition(node: QgsExpressionNode) -> bool:
    if isinstance(node, _Binary):
        return node.op() not in COMPUTING
    if isinstance(node, QgsExpressionNodeUnaryOperator):
        return bool(node.op() == QgsExpressionNodeUnaryOperator.uoNot)
    # BETWEEN gives a truth value, in every QGIS that has it.
    return isinstance(node, QgsExpressionNodeInOperator)
