"""Row expressions on features: prepared once, asked for many features."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
)


class RowTest:
    """One expression of one layer; NULL, an error and anything but a true number are false."""

    def __init__(self, layer: Any, text: Optional[str]) -> None:
        self._expression: Optional[QgsExpression] = None
        if text is not None:
            self._context = expression_context(layer)
            self._context.setFields(layer.fields())
            self._expression = QgsExpression(text)
            self._expression.prepare(self._context)

    def accepts(self, feature: Any) -> bool:
        """Return whether the expression is true on a feature."""
        if self._expression is None:
            return True
        self._context.setFeature(feature)
        value = self._expression.evaluate(self._context)
        if self._expression.hasEvalError():
            return False
        return isinstance(value, (bool, int, float)) and bool(value)


class DerivedFields:
    """What a layer adds to its rows by itself: nobody can write it, and rules may read it."""

    def __init__(self, layer: Any) -> None:
        self._context = expression_context(layer)
        self._context.setFields(layer.fields())
        self._computed: list[tuple[int, QgsExpression]] = []
        self._joined: list[int] = []
        stored = layer.dataProvider().fields().count()
        for index in range(stored, layer.fields().count()):
            text = layer.expressionField(index)
            if text:
                self._computed.append((index, QgsExpression(text)))
            else:
                self._joined.append(index)

    def renew(self, feature: Any) -> None:
        """Compute again what changed values change; a joined value is unknown before it is read."""
        for index in self._joined:
            feature.setAttribute(index, None)
        for index, expression in self._computed:
            self._context.setFeature(feature)
            feature.setAttribute(index, expression.evaluate(self._context))


def expression_context(layer: Any) -> QgsExpressionContext:
    """Return the context in which QGIS Server evaluates expressions of a layer."""
    return QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))


def filtered_request(layer: Any, *texts: Optional[str]) -> QgsFeatureRequest:
    """Return a request for the rows on which all of these expressions are true."""
    request = QgsFeatureRequest()
    request.setExpressionContext(expression_context(layer))
    parts = [text for text in texts if text is not None]
    if parts:
        request.setFilterExpression(" AND ".join(f"({text})" for text in parts))
    return request
