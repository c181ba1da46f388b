"""Expressions that belong to no layer: texts of layouts and annotations."""

from __future__ import annotations

import re

from qgis.core import QgsExpression

from ..late_pattern import late_pattern
from .qgis_functions import (
    LABEL_FUNCTIONS,
    LAYER_FUNCTIONS,
    RELATION_FUNCTIONS,
    canonical_name,
    unknown_functions,
)

_TEMPLATE = late_pattern(r"\[%(.*?)%\]", re.DOTALL)


def templates(text: str) -> list[str]:
    """Return the expressions that stand in a text as ``[% … %]``."""
    return _TEMPLATE.findall(text)


def reads_layers(text: str) -> bool:
    """Return whether an expression reads some layer, or may do so."""
    expression = QgsExpression(text)
    if expression.hasParserError():
        return False  # it evaluates to NULL
    functions = frozenset(canonical_name(name) for name in expression.referencedFunctions())
    named = LAYER_FUNCTIONS | RELATION_FUNCTIONS | LABEL_FUNCTIONS
    return bool(functions & named or unknown_functions(functions))
