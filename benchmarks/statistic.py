"""Medians, and between what bounds they would lie in other runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import chain
from typing import Any

Result = dict[str, Any]


def interval(values: Sequence[float]) -> list[float]:
    """Return the bounds of a median at 95 %, by the places of the sorted values."""
    ordered = sorted(values)
    place = max(0, math.floor((len(ordered) - 1.96 * math.sqrt(len(ordered))) / 2))
    return [round(ordered[place], 4), round(ordered[-1 - place], 4)]


def between(crews: Sequence[Sequence[float]]) -> list[float]:
    """Return the bounds of the median of all crews, as wide as the crews' own medians are apart."""
    ends = [*interval(list(chain(*crews))), *map(statistics.median, crews)]
    return [round(min(ends), 4), round(max(ends), 4)]


def figure(name: str, unit: str, values: Sequence[float], bound: Any, **more: Any) -> Result:
    """Return a row that is no ratio: the median of some values against a bound in their unit."""
    value = statistics.median(values)
    return {
        "name": name,
        "unit": unit,
        "value": round(value, 2),
        "spread": interval(values),
        "bound": bound,
        "met": None if bound is None else value <= bound,
        **more,
    }
