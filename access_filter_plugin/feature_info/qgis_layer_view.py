"""What a caller sees of one layer's plan: the additions open to him, and what must be read for them.

It depends on decisions, but on no request and on no data, so callers with equal decisions share it.
"""

from __future__ import annotations

from typing import Optional

from . import settings as words
from .caller import Caller
from .qgis_expressions import AuthoredExpression, column_indexes
from .qgis_plan import LayerPlan, MaptipPlan
from .qgis_records import RecordView, record_view
from .qgis_related import key_attributes

DRAWN_ANEW = (words.WGS84, words.BBOX, words.CENTROID)


class LayerView:
    """One layer for one caller."""

    def __init__(self, plan: LayerPlan, caller: Caller) -> None:
        self.plan = plan
        self.sight = caller.sight(plan.layer_id)
        self.record: Optional[RecordView] = None
        if plan.record is not None:
            self.record = record_view(plan.record, caller)
        self.links = {
            name: link
            for name, link in plan.links.items()
            if all(expression.is_open_to(caller) for expression in link.expressions)
        }
        self.maptip = self._open_maptip(caller)
        self.attachments = [item for item in plan.attachments if self.sight.shows(item.attribute)]
        self.has_additions = bool(
            self.links or self.attachments or plan.settings.static or self.maptip
        )
        self.attributes = self._attributes()
        """The attributes that must be read, but for those of the legend."""
        self.needs_geometry = plan.settings.geometry in DRAWN_ANEW or (
            self.record is not None and self.record.needs_geometry
        )
        self.needs_geometry |= any(item.needs_geometry for item in self._expressions())
        self.values = self._values()
        """The fields of which the values are all that is needed; None where features are."""

    def _open_maptip(self, caller: Caller) -> Optional[MaptipPlan]:
        maptip = self.plan.maptip
        if maptip is None or all(item.is_open_to(caller) for item in maptip.expressions):
            return maptip
        return None

    def _expressions(self) -> list[AuthoredExpression]:
        found = [item for link in self.links.values() for item in link.expressions]
        return found + list(self.maptip.expressions if self.maptip is not None else ())

    def _attributes(self) -> frozenset[int]:
        found = key_attributes(self.plan.related.values())
        for expression in self._expressions():
            found |= column_indexes(self.plan.layer, expression.columns)
        found |= {item.index for item in self.attachments}
        return frozenset(found) if self.record is None else self.record.attributes | found

    def _values(self) -> Optional[tuple[int, ...]]:
        plan, record = self.plan, self.record
        if record is None or record.needs_rows or self.needs_geometry or plan.related:
            return None
        if self.links or self.attachments or self.maptip is not None:
            return None
        told = plan.stock_values is not None and plan.stock_values.tell(record.attributes)
        return tuple(sorted(record.attributes)) if told else None


def layer_view(plan: LayerPlan, caller: Caller) -> LayerView:
    """Return what a caller sees of a layer, worked out the first time."""
    known: Optional[LayerView] = caller.kept.get(id(plan))
    if known is None or known.plan is not plan:
        known = caller.kept[id(plan)] = LayerView(plan, caller)
    return known
