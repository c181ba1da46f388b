"""Which layers a GetFeatureInfo request asks about, remembered with the decisions.

A map client asks about the same layers at every click; only the place is another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..value_class import value_class
from .caller import Caller
from .map_request import query_layers
from .qgis_layers import named_plans
from .qgis_one_more import OneMore, plan_one_more
from .qgis_plan import LayerPlan

#: Every parameter that decides about the layers and about one feature more.
_DECIDING = (
    "SERVICE",
    "QUERY_LAYERS",
    "LAYERS",
    "LAYER",
    "STYLES",
    "STYLE",
    "FEATURE_COUNT",
    "SLD",
    "SLD_BODY",
)
_MAX_TEXT = 1000
_MAX_KEPT = 20
_KEPT = "asked"


@value_class
class Asked:
    """The layers of one request."""

    plans: Sequence[LayerPlan]
    """Each once, in the order asked for, with groups expanded."""
    more: Optional[OneMore]
    """What to ask of QGIS instead, or None where one feature more could change the others."""


def asked(
    project: Any, plans: Mapping[str, LayerPlan], parameters: Mapping[str, str], caller: Caller
) -> Asked:
    """Return what a request asks about; what the caller has kept must be of these plans."""
    key = tuple(parameters.get(name) for name in _DECIDING)
    if sum(len(text) for text in key if text) > _MAX_TEXT:
        return _read(project, plans, parameters, caller)
    known: dict[object, Asked] = caller.kept.setdefault(_KEPT, {})
    found = known.get(key)
    if found is None:
        if len(known) >= _MAX_KEPT:
            known.clear()
        found = known[key] = _read(project, plans, parameters, caller)
    return found


def _read(
    project: Any, plans: Mapping[str, LayerPlan], parameters: Mapping[str, str], caller: Caller
) -> Asked:
    named = list(named_plans(project, plans, query_layers(parameters)))
    each = {plan.layer_id: plan for plan in named}
    return Asked(tuple(each.values()), plan_one_more(named, parameters, caller))
