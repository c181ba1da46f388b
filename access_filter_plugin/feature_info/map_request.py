"""The place and scale of a GetFeatureInfo request, read from its parameters.

Only what is needed to ask about the same place once more: is there more than was returned, at what
scale was it drawn. Where the parameters say it in another way (a tile of WMTS, a FILTER) there is
no map, and the callers do without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Optional

from ..late_pattern import late_pattern
from ..value_class import value_class

DEFAULT_FEATURE_COUNT = 1
_MAX_FEATURE_COUNT = 2**31 - 2
_SAME_PROPORTION = 0.0001
_SWITCHED_OFF = frozenset({"false", "0", "no", "off"})
#: As QGIS reads a number; Python would take "1_0" and digits of other scripts as well.
_NUMBER = late_pattern(r"\s*[+-]?[0-9]+\s*")
_OTHER_SEARCHES = ("FILTER", "FILTER_GEOM", "TIME", "ELEVATION")
_OWN_STYLES = ("SLD", "SLD_BODY")


@value_class
class MapRequest:
    """Size, extent and point of a map as a client gave them, axes not yet put right."""

    crs: str
    version: str
    box: tuple[float, float, float, float]
    width: int
    height: int
    i: int
    j: int
    tolerances: Mapping[str, int]
    """``point``, ``line``, ``polygon`` → pixels, where the client said so."""


def is_switched_off(parameters: Mapping[str, str]) -> bool:
    """Return whether the client asked for the stock answer (``ENRICH=false``)."""
    return parameters.get("ENRICH", "").strip().lower() in _SWITCHED_OFF


def feature_count(parameters: Mapping[str, str]) -> int:
    """Return how many features of a layer the client asked for at most."""
    return max(DEFAULT_FEATURE_COUNT, _integer(parameters.get("FEATURE_COUNT", "")) or 0)


def strict_feature_count(parameters: Mapping[str, str]) -> Optional[int]:
    """Return the number that QGIS will read from FEATURE_COUNT; None where it would refuse it."""
    text = parameters.get("FEATURE_COUNT", "")
    number = _integer(text) if text else DEFAULT_FEATURE_COUNT
    is_sane = number is not None and number < _MAX_FEATURE_COUNT and text.strip() == text
    return max(DEFAULT_FEATURE_COUNT, number) if number is not None and is_sane else None


def query_layers(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that were asked for, in their order: WMS's QUERY_LAYERS or WMTS's LAYER.

    A name that is given twice is in it twice: QGIS then tells its features twice.
    """
    text = parameters.get("QUERY_LAYERS") or parameters.get("LAYERS") or parameters.get("LAYER")
    return tuple(name for name in (text or "").split(",") if name)


def styles_by_layer(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return layer name → style name, for the layers whose style the client named.

    By WMTS QGIS draws the default style, whatever STYLE says.
    """
    if parameters.get("SERVICE", "").upper() == "WMTS":
        return {}
    layers = (parameters.get("LAYERS") or parameters.get("LAYER") or "").split(",")
    styles = (parameters.get("STYLES") or parameters.get("STYLE") or "").split(",")
    return {layer: style for layer, style in zip(layers, styles) if layer and style}


def has_own_styles(parameters: Mapping[str, str]) -> bool:
    """Return whether the client drew with symbols of its own, which the project does not know."""
    return any(parameters.get(name) for name in _OWN_STYLES)


def read_map_request(parameters: Mapping[str, str]) -> Optional[MapRequest]:
    """Return the map of a WMS request that asks by a pixel, or None."""
    if any(name in _OTHER_SEARCHES or name.startswith("DIM_") for name in parameters):
        return None
    box = _box(parameters.get("BBOX", ""))
    i = _integer(parameters.get("I") or parameters.get("X") or "")
    j = _integer(parameters.get("J") or parameters.get("Y") or "")
    width, height = _integer(parameters.get("WIDTH", "")), _integer(parameters.get("HEIGHT", ""))
    crs = parameters.get("CRS") or parameters.get("SRS") or ""
    if box is None or i is None or j is None or not width or not height or not crs:
        return None
    tolerances = {
        kind: value
        for kind in ("point", "line", "polygon")
        for value in [_integer(parameters.get(f"FI_{kind.upper()}_TOLERANCE", ""))]
        if value is not None
    }
    version = parameters.get("VERSION") or "1.3.0"
    return MapRequest(crs, version, box, width, height, i, j, tolerances)


def fitted(request: MapRequest, width: float, height: float) -> tuple[int, int, int, int]:
    """Return width and height of the map that QGIS draws, and the pixel on it.

    From WMS 1.3 on QGIS gives a map the proportions of its box (of this width and height), by the
    mean of its two pixel sizes, and moves the pixel asked for along; both are rounded down.
    """
    given = (request.width, request.height, request.i, request.j)
    proportion = request.width / request.height
    is_same = math.isclose(width / height, proportion, rel_tol=0.0, abs_tol=_SAME_PROPORTION)
    if request.version < "1.3" or is_same:
        return given
    cell = (width / request.width + height / request.height) / 2
    drawn_width, drawn_height = int(width / cell), int(height / cell)
    i = int(request.i * (drawn_width / request.width))
    j = int(request.j * (drawn_height / request.height))
    return drawn_width, drawn_height, i, j


def _integer(text: str) -> Optional[int]:
    return int(text) if _NUMBER.fullmatch(text) else None


def _box(text: str) -> Optional[tuple[float, float, float, float]]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        return None
    x_min, y_min, x_max, y_max = numbers
    return (x_min, y_min, x_max, y_max) if x_min < x_max and y_min < y_max else None


def crs_name(parameters: Mapping[str, str]) -> str:
    """Return the reference system of the answer's geometries, as the client named it."""
    names = ("CRS", "SRS", "TILEMATRIXSET")
    return next((parameters[name] for name in names if parameters.get(name)), "")
