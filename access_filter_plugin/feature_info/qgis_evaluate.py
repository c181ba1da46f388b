"""Evaluates the author's expressions on features, for one layer and one caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextScope,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsVectorLayer,
)

from .qgis_expressions import AuthoredExpression, ExpressionFailedError
from .qgis_values import is_null


class Evaluator:
    """The expression context of a layer, made when it is first needed (it costs 50 µs)."""

    def __init__(self, layer: QgsVectorLayer, variables: Mapping[str, Any]) -> None:
        self._layer = layer
        self._variables = variables
        self._context: Optional[QgsExpressionContext] = None
        self._prepared: dict[str, QgsExpression] = {}

    @property
    def context(self) -> QgsExpressionContext:
        """The context, with the caller's variables before the project's of the same name."""
        if self._context is None:
            scopes = QgsExpressionContextUtils.globalProjectLayerScopes(self._layer)
            self._context = QgsExpressionContext(scopes)
            self._context.setFields(self._layer.fields())
            scope = QgsExpressionContextScope("access_filter")
            for name, value in self._variables.items():
                scope.setVariable(name, list(value) if isinstance(value, tuple) else value)
            self._context.appendScope(scope)
        return self._context

    def value(self, text: str, feature: QgsFeature) -> Any:
        """Return the value of an expression; raise ExpressionFailedError where there is none."""
        expression = self._prepared.get(text)
        if expression is None:
            expression = self._prepared[text] = QgsExpression(text)
            expression.prepare(self.context)
        self.context.setFeature(feature)
        value = expression.evaluate(self.context)
        if expression.hasEvalError():
            raise ExpressionFailedError(f"{text}: {expression.evalErrorString()}")
        return value

    def is_true(self, expressions: Iterable[AuthoredExpression], feature: QgsFeature) -> bool:
        """Return whether all of the expressions are true on a feature."""
        for expression in expressions:
            value = self.value(expression.text, feature)
            if is_null(value) or not value:
                return False
        return True

    def filled(self, template: str, feature: QgsFeature) -> str:
        """Return a text with its ``[% %]`` replaced."""
        self.context.setFeature(feature)
        return str(QgsExpression.replaceExpressionText(template, self.context))
