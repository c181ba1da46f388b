"""Which layer a feature of the stock answer belongs to.

The stock answer tells it only by the id: the name the layer is published under, a dot, and the key.
Names contain dots, and two layers may share one; then the data decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from qgis.core import QgsLayerTreeGroup, QgsLayerTreeLayer, QgsProject
from qgis.server import QgsServerProjectUtils

from .caller import Caller
from .qgis_features import fetch_by_key
from .qgis_plan import RASTER, VECTOR, LayerPlan
from .qgis_values import to_json

_WITHOUT_LABELS = frozenset({"", "TextEdit", "Range", "UuidGenerator", "Hidden", "Color"})
_COMPARED = (str, int, bool, type(None))


def named_plans(
    project: QgsProject, plans: Mapping[str, LayerPlan], names: Sequence[str]
) -> Iterator[LayerPlan]:
    """Yield the layers of each name, groups expanded: a layer as often as it is asked for."""
    by_name: dict[str, list[LayerPlan]] = {}
    for plan in plans.values():
        by_name.setdefault(plan.wms_name, []).append(plan)
    for name in names:
        yield from by_name.get(name) or _members_of_group(project, plans, name)


def _members_of_group(
    project: QgsProject, plans: Mapping[str, LayerPlan], name: str
) -> list[LayerPlan]:
    """Return the layers of a group or of the whole tree; of a name of QGIS's making, any layer."""
    groups = dict(_groups(project.layerTreeRoot()))
    if name in groups:
        return list(_members(groups[name], plans))
    if name and name in (QgsServerProjectUtils.wmsRootName(project), project.title()):
        return list(_members(project.layerTreeRoot(), plans))
    return list(plans.values())


def _groups(root: QgsLayerTreeGroup) -> Iterator[tuple[str, QgsLayerTreeGroup]]:
    for child in root.children():
        if isinstance(child, QgsLayerTreeGroup):
            yield from _groups(child)
            yield child.name(), child
            short_name = str(child.customProperty("wmsShortName", "") or "")
            if short_name:
                yield short_name, child


def _members(group: QgsLayerTreeGroup, plans: Mapping[str, LayerPlan]) -> Iterator[LayerPlan]:
    for child in group.children():
        if isinstance(child, QgsLayerTreeGroup):
            yield from _members(child, plans)
        elif isinstance(child, QgsLayerTreeLayer) and child.layerId() in plans:
            yield plans[child.layerId()]


class Assignment:
    """Finds the layer of each feature of one answer."""

    def __init__(self, plans: Iterable[LayerPlan], caller: Caller) -> None:
        self._plans = [plan for plan in plans if caller.sight(plan.layer_id).read]
        self._caller = caller

    def layers(self, features: Sequence[Mapping[str, Any]]) -> list[Optional[LayerPlan]]:
        """Return the layer of each feature; None for one that cannot be told for certain."""
        candidates = [self._candidates(feature.get("id")) for feature in features]
        found = [options[0] if len(options) == 1 else None for options in candidates]
        unclear = [index for index, options in enumerate(candidates) if len(options) > 1]
        if unclear:
            self._decide(features, candidates, unclear, found)
        return found

    def _candidates(self, identifier: Any) -> list[LayerPlan]:
        if not isinstance(identifier, str):
            return []
        return [plan for plan in self._plans if fits_name(plan, identifier)]

    def _decide(
        self,
        features: Sequence[Mapping[str, Any]],
        candidates: Sequence[list[LayerPlan]],
        unclear: Sequence[int],
        found: list[Optional[LayerPlan]],
    ) -> None:
        """Let the data decide: the first layer that has this key with these values."""
        asked: dict[str, list[int]] = {}
        plans = {plan.layer_id: plan for index in unclear for plan in candidates[index]}
        for index in unclear:
            for plan in candidates[index]:
                asked.setdefault(plan.layer_id, []).append(index)
        for layer_id, indexes in asked.items():
            plan = plans[layer_id]
            for index in self._fitting(plan, features, indexes):
                if found[index] is None:
                    found[index] = plan

    def _fitting(
        self, plan: LayerPlan, features: Sequence[Mapping[str, Any]], indexes: Sequence[int]
    ) -> Iterator[int]:
        if plan.record is None:
            yield from indexes
            return
        keys = {index: key_in(plan, features[index]["id"]) for index in indexes}
        sight = self._caller.sight(plan.layer_id)
        compared = _compared_fields(plan)
        rows = fetch_by_key(
            plan.record.keys, list(keys.values()), sight.rows, compared.values(), geometry=False
        )
        for index, key in keys.items():
            row = rows.get(key)
            properties = features[index].get("properties") or {}
            if row is not None and _is_same(row, properties, plan, compared):
                yield index


def fits_name(plan: LayerPlan, identifier: str) -> bool:
    """Return whether an id could be one of this layer's."""
    if plan.kind == VECTOR:
        return identifier.startswith(plan.wms_name + ".")
    return plan.kind == RASTER and identifier == plan.wms_name


def key_in(plan: LayerPlan, identifier: str) -> str:
    """Return the part of an id that names the feature within its layer."""
    return identifier[len(plan.wms_name) + 1 :]


def _compared_fields(plan: LayerPlan) -> dict[str, int]:
    """Return the stock properties that are written as they are stored, with their field."""
    return {
        name: index
        for name, index in plan.display_names.items()
        if plan.layer.editorWidgetSetup(index).type() in _WITHOUT_LABELS
    }


def _is_same(
    row: Any, properties: Mapping[str, Any], plan: LayerPlan, compared: Mapping[str, int]
) -> bool:
    for name, value in properties.items():
        if name not in plan.display_names:
            return False
        if name in compared and isinstance(value, _COMPARED):
            stored = to_json(row.attribute(compared[name]))
            if isinstance(stored, _COMPARED) and stored != value:
                return False
    return True
