"""Reads related records: one request for each relation, for all parents together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Optional

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer

from ..value_class import mutable_class
from .caller import Caller
from .qgis_expressions import column_indexes
from .qgis_features import both, in_list, request_for
from .qgis_plan import RelationPlan
from .qgis_records import RecordReader
from .qgis_values import to_text

#: Rows read of one relation at most; beyond, the answer says "truncated" and tells no count.
MAX_ROWS = 100_000

Key = tuple[Optional[str], ...]


@mutable_class
class _Bucket:
    """The records found for one parent."""

    count: int = 0
    features: list[QgsFeature] = field(default_factory=list)


def read_related(
    plans: Mapping[str, RelationPlan],
    parent_layer: QgsVectorLayer,
    parents: Sequence[QgsFeature],
    caller: Caller,
    empty: str,
) -> list[dict[str, Any]]:
    """Return, for each parent, what the caller sees of its related records, relation by relation.

    A relation that the caller may not follow is left out: a layer on the way is closed, or an
    attribute that the relation compares is hidden.
    """
    answers: list[dict[str, Any]] = [{} for _ in parents]
    for name, plan in plans.items():
        if not _is_open(plan, parent_layer, caller):
            continue
        for answer, entry in zip(answers, RelationReader(plan, caller, empty).read(parents)):
            answer[name] = entry
    return answers


def key_attributes(plans: Iterable[RelationPlan]) -> set[int]:
    """Return the attributes of the parent that its relations compare."""
    return {index for plan in plans for index in plan.parent_key}


def _is_open(plan: RelationPlan, parent_layer: QgsVectorLayer, caller: Caller) -> bool:
    compared = [(parent_layer, plan.parent_key), (plan.record.layer, plan.record_key)]
    if plan.via is not None:
        compared.append((plan.via.layer, plan.via.to_parent + plan.via.to_record))
    for layer, indexes in compared:
        sight = caller.sight(layer.id())
        names = {layer.fields().at(index).name() for index in indexes}
        if not sight.read or not sight.shows_all(names):
            return False
    return True


class RelationReader:
    """Reads the records of one relation for one caller."""

    def __init__(self, plan: RelationPlan, caller: Caller, empty: str) -> None:
        self._plan = plan
        self._caller = caller
        self._empty = empty
        self._reader = RecordReader(plan.record, caller, empty)
        self._rows_left = MAX_ROWS

    def read(self, parents: Sequence[QgsFeature]) -> list[dict[str, Any]]:
        """Return the entry of ``related`` for each parent."""
        keys = [_key(parent, self._plan.parent_key) for parent in parents]
        wanted = {key for key in keys if None not in key}
        buckets = self._buckets(wanted) if wanted else {}
        found = [buckets.get(key, _Bucket()) for key in keys]
        records = self._records([item for bucket in buckets.values() for item in bucket.features])
        return [self._entry(bucket, records) for bucket in found]

    def _entry(self, bucket: _Bucket, records: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
        settings = self._plan.settings
        entry: dict[str, Any] = {}
        is_complete = self._rows_left > 0
        if settings.count and is_complete:
            entry["count"] = bucket.count
        entry["truncated"] = not is_complete or bucket.count > len(bucket.features)
        entry["features"] = [records[feature.id()] for feature in bucket.features]
        return entry

    def _buckets(self, wanted: set[Key]) -> dict[Key, _Bucket]:
        plan = self._plan
        if plan.via is None:
            return self._fill(wanted, plan.record_key, {key: [key] for key in wanted})
        parents_of = self._parents_by_record(wanted)
        return self._fill(set(parents_of), plan.record_key, parents_of) if parents_of else {}

    def _parents_by_record(self, wanted: set[Key]) -> dict[Key, list[Key]]:
        """Return record key → keys of its parents, through the table between them."""
        via = self._plan.via
        if via is None:
            return {}
        request = request_for(via.layer, via.to_parent + via.to_record, geometry=False)
        rows = self._caller.sight(via.layer.id()).rows
        request.setFilterExpression(both(_keys_filter(via.layer, via.to_parent, wanted), rows))
        found: dict[Key, list[Key]] = {}
        for row in self._limited(via.layer, request):
            parent, record = _key(row, via.to_parent), _key(row, via.to_record)
            parents = found.setdefault(record, [])
            if parent in wanted and None not in record and parent not in parents:
                parents.append(parent)
        return {record: parents for record, parents in found.items() if parents}

    def _fill(
        self, wanted: set[Key], columns: tuple[int, ...], parents_of: Mapping[Key, list[Key]]
    ) -> dict[Key, _Bucket]:
        plan = self._plan
        layer = plan.record.layer
        request = request_for(
            layer, self._attributes(columns), geometry=self._reader.view.needs_geometry
        )
        request.setFilterExpression(
            both(_keys_filter(layer, columns, wanted), self._reader.view.sight.rows)
        )
        self._set_order(request)
        buckets: dict[Key, _Bucket] = {}
        for row in self._limited(layer, request):
            for parent in parents_of.get(_key(row, columns), ()):
                bucket = buckets.setdefault(parent, _Bucket())
                bucket.count += 1
                if len(bucket.features) < plan.settings.limit:
                    bucket.features.append(row)
        return buckets

    def _attributes(self, columns: tuple[int, ...]) -> set[int]:
        layer = self._plan.record.layer
        found = {*self._reader.view.attributes, *columns, *self._plan.record.keys.indexes}
        for order in self._plan.order:
            found |= column_indexes(layer, order.expression.columns)
        return found | key_attributes(self._plan.related.values())

    def _set_order(self, request: QgsFeatureRequest) -> None:
        clauses = [
            QgsFeatureRequest.OrderByClause(order.expression.text, order.ascending)
            for order in self._plan.order
            if order.expression.is_open_to(self._caller)
        ]
        if clauses:
            request.setOrderBy(QgsFeatureRequest.OrderBy(clauses))

    def _limited(self, layer: QgsVectorLayer, request: QgsFeatureRequest) -> Iterable[QgsFeature]:
        for feature in layer.getFeatures(request):
            self._rows_left -= 1
            if self._rows_left <= 0:
                return
            yield feature

    def _records(self, features: Sequence[QgsFeature]) -> dict[int, dict[str, Any]]:
        """Return feature id → record, each made once however many parents it has."""
        unique = list({feature.id(): feature for feature in features}.values())
        plan, caller = self._plan, self._caller
        read = self._reader.read(unique)
        nested = read_related(plan.related, plan.record.layer, unique, caller, self._empty)
        found = {}
        for feature, record, related in zip(unique, read, nested):
            identifier = f"{plan.record.wms_name}.{plan.record.keys.key(feature)}"
            entry: dict[str, Any] = {
                "id": identifier,
                "title": record.title or identifier,
                "fields": record.fields,
            }
            if record.computed:
                entry["computed"] = record.computed
            if related:
                entry["related"] = related
            found[feature.id()] = entry
        return found


def _key(feature: QgsFeature, indexes: Iterable[int]) -> Key:
    """Return the values of some columns as texts: the two sides may differ in type."""
    return tuple(to_text(feature.attribute(index)) for index in indexes)


def _keys_filter(layer: QgsVectorLayer, columns: tuple[int, ...], keys: set[Key]) -> str:
    """Return an expression that holds for rows of these keys, and perhaps for a few others."""
    return both(
        *(in_list(layer, index, (key[i] for key in keys)) for i, index in enumerate(columns))
    )
