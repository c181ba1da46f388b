"""Asks QGIS for one feature more than the client wants, to know whether there are more.

The surplus is cut off before anybody sees it. Where QGIS would count features that it then does not
draw, one more could change which features are returned; there the place is searched again afterwards
(:mod:`qgis_search`), which costs as much as QGIS's own search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..value_class import value_class
from .caller import Caller
from .map_request import has_own_styles, strict_feature_count, styles_by_layer
from .qgis_plan import VECTOR, LayerPlan

FEATURE_COUNT = "FEATURE_COUNT"


@value_class
class OneMore:
    """What was asked of QGIS instead of what the client asked."""

    count: int
    """How many features of a layer the client wants."""
    plans: tuple[LayerPlan, ...]

    def cut(
        self, features: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], frozenset[str]]:
        """Return the features the client wants, and the layers that have more of them."""
        prefixes = [(plan.wms_name + ".", plan.layer_id) for plan in self.plans]
        kept: list[Mapping[str, Any]] = []
        counts: dict[str, int] = {}
        for feature in features:
            layer_id = _layer_of(str(feature.get("id")), prefixes)
            if layer_id is not None:
                counts[layer_id] = counts.get(layer_id, 0) + 1
            if layer_id is None or counts[layer_id] <= self.count:
                kept.append(feature)
        return kept, frozenset(key for key, count in counts.items() if count > self.count)


def _layer_of(identifier: str, prefixes: Sequence[tuple[str, str]]) -> Optional[str]:
    """Return the layer whose prefix an id has; they are such that no id has two."""
    for prefix, layer_id in prefixes:
        if identifier.startswith(prefix):
            return layer_id
    return None


def plan_one_more(
    named: Sequence[LayerPlan], parameters: Mapping[str, str], caller: Caller
) -> Optional[OneMore]:
    """Return what to ask for, or None where one more feature could change the others.

    ``named`` has a layer as often as it was asked for.
    """
    count = strict_feature_count(parameters)
    if count is None or has_own_styles(parameters) or styles_by_layer(parameters):
        return None
    vectors = tuple(plan for plan in named if plan.kind == VECTOR)
    if not vectors or not all(_draws_everything(plan, caller) for plan in vectors):
        return None
    return OneMore(count, vectors) if _ids_tell_the_layer(vectors, named) else None


def _ids_tell_the_layer(vectors: Sequence[LayerPlan], named: Sequence[LayerPlan]) -> bool:
    """Return whether each id can be of one layer only, and of one turn of that layer."""
    prefixes = sorted(plan.wms_name + "." for plan in vectors)
    if any(after.startswith(before) for before, after in zip(prefixes, prefixes[1:])):
        return False
    others = [plan.wms_name for plan in named if plan.kind != VECTOR]
    return not any(name.startswith(tuple(prefixes)) for name in others)


def _draws_everything(plan: LayerPlan, caller: Caller) -> bool:
    style = caller.sight(plan.layer_id).default_style
    legend = plan.legends.get(plan.style)
    return style in ("", plan.style) and legend is not None and legend.draws_everything
