"""Numbers of raster bands, which QGIS writes as texts of six digits."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Optional, Union

#: How far the stock text may lie from the value it was made of.
_TEXT_ERROR = 1e-5

#: A number that is written in so few characters was meant like that.
SHORT_TEXT = 13

Number = Union[int, float]


def number_of(text: Any) -> Optional[float]:
    """Return the number that a stock property says, None for no data."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def exact_number(
    stock: Optional[float], read: Optional[float], *, integer: bool, single: bool
) -> Optional[Number]:
    """Return a band's value with all of its digits.

    ``read`` is the value read again at the same place; it counts only where it agrees with the
    stock answer. A single-precision value gets the shortest digits that mean it.
    """
    value = stock
    if stock is not None and read is not None and _is_near(stock, read):
        value = read
    if value is None:
        return None
    if integer and value.is_integer():
        return int(value)
    return _shortest(value) if single else value


def _is_near(stock: float, read: float) -> bool:
    return math.isfinite(read) and math.isclose(stock, read, rel_tol=_TEXT_ERROR)


def _shortest(value: float) -> float:
    if len(repr(value)) <= SHORT_TEXT:
        return value  # 1234567.875 is no rounding noise
    try:
        packed = struct.pack("<f", value)
        for digits in range(6, 10):
            candidate = float(f"{value:.{digits}g}")
            if struct.pack("<f", candidate) == packed:
                return candidate
    except OverflowError:
        return value
    return value


def class_label(
    value: Optional[float], classes: Sequence[tuple[float, str]], *, discrete: bool
) -> Optional[str]:
    """Return the text of a value's class: the equal one, or of ranges the first to reach it."""
    if value is None:
        return None
    for limit, label in classes:
        if value == limit or (discrete and value <= limit):
            return label or None
    return None
