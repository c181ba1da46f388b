"""Values as JSON can carry them, and what counts as empty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Optional

from .settings import DROP_EMPTY, DROP_NULL

#: Beyond this a JavaScript number loses digits.
MAX_EXACT_INTEGER = 2**53
#: What the fastest JSON writers can write as a number.
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1


def json_value(value: Any) -> Any:
    """Return a value as JSON can carry it: NaN and infinity are null, and so all the way down.

    Whatever is not one of JSON's kinds becomes its text, an integer of more than 64 bits too.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if _MIN_INTEGER <= value <= _MAX_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(item) for item in value]
    return str(value)


def exact_text(value: Any) -> Optional[str]:
    """Return the digits of an integer that a JavaScript number would round, else None."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_integer and abs(value) > MAX_EXACT_INTEGER else None


def plain_text(value: Any) -> Optional[str]:
    """Return a JSON value as text, as QGIS turns values into text; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_text(item) or "" for item in value)
    return str(value)


def is_empty(value: Any) -> bool:
    """Return whether nothing is there: null, no text, no entries; 0 and false are something."""
    if value is None:
        return True
    return isinstance(value, (str, list, tuple, dict)) and len(value) == 0


def is_dropped(value: Any, mode: str) -> bool:
    """Return whether the setting ``empty`` leaves a value out."""
    if mode == DROP_NULL:
        return value is None
    return mode == DROP_EMPTY and is_empty(value)


def without_empty(values: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return the entries that the setting ``empty`` keeps."""
    return {key: value for key, value in values.items() if not is_dropped(value, mode)}
