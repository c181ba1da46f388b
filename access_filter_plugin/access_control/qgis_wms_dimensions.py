"""Dimensions that would filter a map by what is hidden, taken away for one request.

QGIS applies a dimension's default to every map, and finds a default such as "the greatest value" by
looking at all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from qgis.core import QgsMapLayerServerProperties

from .catalogue import LayerKind
from .decision import LayerDecision
from .project_access import OperationAccess

#: Dimensions that have a parameter of their own name as well.
_PREDEFINED = ("TIME", "DATE", "ELEVATION")
Register = Callable[[Callable[[], None]], None]

_Dimension = QgsMapLayerServerProperties.WmsDimensionInfo
_FROM_ROWS = (_Dimension.MinValue, _Dimension.MaxValue)


def dimension_parameters(name: str) -> tuple[str, ...]:
    """Return the parameters by which QGIS takes a value of a dimension."""
    upper = name.upper()
    return (f"DIM_{upper}", upper) if upper in _PREDEFINED else (f"DIM_{upper}",)


def leave_out_dimensions(
    parameters: Mapping[str, str], access: OperationAccess, state: Any, undo: Register
) -> None:
    """Take away the dimensions that a map must not be filtered by; parameters as QGIS gets them."""
    for layer_id, info in access.catalogue.layers.items():
        decision = access.decision(layer_id)
        if info.kind is not LayerKind.VECTOR or not decision.read:
            continue
        if decision.rows.is_everything and not decision.hidden:
            continue
        properties = state.layers[layer_id].serverProperties()
        before = list(properties.wmsDimensions())
        kept = [d for d in before if _may_filter(d, decision, parameters)]
        if len(kept) < len(before):
            undo(_setter(properties, before))
            _setter(properties, kept)()


def _may_filter(dimension: Any, decision: LayerDecision, parameters: Mapping[str, str]) -> bool:
    fields = {dimension.fieldName, dimension.endFieldName} - {""}
    if not fields <= decision.attributes:
        return False
    if decision.rows.is_everything or dimension.defaultDisplayType not in _FROM_ROWS:
        return True
    return any(parameters.get(name) for name in dimension_parameters(dimension.name))


def _setter(properties: Any, dimensions: list[Any]) -> Callable[[], None]:
    def put() -> None:
        for dimension in list(properties.wmsDimensions()):
            properties.removeWmsDimension(dimension.name)
        for dimension in dimensions:
            properties.addWmsDimension(dimension)

    return put
