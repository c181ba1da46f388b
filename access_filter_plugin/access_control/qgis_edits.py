"""Edits as the ``allowToEdit`` hook sees them: it repeats what admission has already judged.

QGIS does not tell the hook which action it is about, and does not call it for a new row that leaves
the filter (facts E8, E9). So this is the second line; the first is the parsed transaction.
"""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
)

from .decision import LayerDecision, RowFilter

_NEW_FEATURE = -(2**62)
"""Feature ids of rows that are being inserted are below this (facts E9: −2^63)."""


def may_edit(layer: Any, feature: Any, decision: LayerDecision) -> bool:
    """Return whether some edit action of the decision covers this feature, stored or new."""
    if feature.id() < _NEW_FEATURE or not feature.isValid():
        right = decision.insert
        return right.is_allowed and _passes_a_check(layer, feature, right)
    rights = (decision.update, decision.delete)
    stored = _stored(layer, feature.id())
    if stored is None:
        return False
    return any(
        right.is_allowed
        and is_true(layer, stored, decision.rows)
        and is_true(layer, stored, right.row_filter())
        for right in rights
    )


def _passes_a_check(layer: Any, feature: Any, right: Any) -> bool:
    checks = [transition.check for transition in right.transitions]
    rows = RowFilter(None if None in checks else tuple(c for c in checks if c), right.deny)
    return is_true(layer, feature, rows)


def _stored(layer: Any, feature_id: int) -> Optional[Any]:
    request = QgsFeatureRequest(feature_id)
    return next(iter(layer.dataProvider().getFeatures(request)), None)


def is_true(layer: Any, feature: Any, rows: RowFilter) -> bool:
    """Return whether a row filter lets a feature through; NULL and errors do not."""
    text = rows.expression()
    if text is None:
        return True
    expression = QgsExpression(text)
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(feature)
    value = expression.evaluate(context)
    return not expression.hasEvalError() and isinstance(value, (bool, int)) and bool(value)
