"""Whether a loaded project may use the caller's expression variables; see :mod:`.project_text`."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsExpression, QgsExpressionFunction

from ..strict_json import StrictJsonError
from .project_text import may_use_variables, names_variables, read_project_text
from .qgis_documents import others_are_registered

_RULES = "access_rules"
_PART = "access_control.uses_variables"


def uses_variables(state: Any) -> bool:
    """Return False only where it is certain that nothing evaluates the caller's variables.

    What was found holds for a generation of the project, whatever the operator's rules become.
    """
    known = state.parts.get(_PART)
    if known is None:
        known = state.parts[_PART] = _uses_variables(state)
    return bool(known)


def _uses_variables(state: Any) -> bool:
    text = read_project_text(state.path, state.not_before)
    if text is None or not _is_text_of(text, state):
        return True
    if others_are_registered() or _has_functions_of_others():
        return True  # they may ask for any variable
    return may_use_variables(text) or _own_variables_do(state)


def _is_text_of(text: bytes, state: Any) -> bool:
    """Return whether a text is that of the loaded project, by its layers and its time."""
    saved = state.project.lastSaveDateTime()
    if not saved.isValid():
        return False
    # By its format: the first use of the namespace Qt makes objects of all that is in it, 1 MB.
    stamp = f'saveDateTime="{saved.toString("yyyy-MM-ddTHH:mm:ss")}"'
    return stamp.encode() in text and all(layer_id.encode() in text for layer_id in state.layers)


def _own_variables_do(state: Any) -> bool:
    try:
        return any(
            names_variables(state.files.text(name, value))
            for name, value in state.variables.items()
            if name != _RULES
        )
    except StrictJsonError:
        return True


def _has_functions_of_others() -> bool:
    return any(
        type(function) is not QgsExpressionFunction for function in QgsExpression.Functions()
    )
