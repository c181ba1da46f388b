"""Edits judged on rows: what a change does to the stored rows, against the rules of the action.

Admission asks :class:`EditJudge` about the parsed request, before anything is written. The
``allowToEdit`` hook repeats what it can see (:func:`may_edit`): QGIS does not tell it the action,
and does not call it for a new row that leaves the filter (facts E8, E9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from qgis.core import NULL, QgsFeature, QgsFeatureRequest, QgsGeometry

from .admission.refused import Forbidden, Refused
from .decision import EditRight, LayerDecision, RowFilter
from .policy import GEOMETRY
from .qgis_rows import DerivedFields, RowTest
from .qgis_stored_values import stored_shapes

_NEW_FEATURE = -(2**62)
"""Feature ids of rows that are being inserted are below this (facts E9: minus 2^63)."""


class EditJudge:
    """Judges the changes of one layer by the right of one action."""

    def __init__(self, layer: Any, right: EditRight) -> None:
        self._layer = layer
        self._fields = layer.fields()
        self._right = right
        self._derived = DerivedFields(layer)
        self._transitions = [
            (RowTest(layer, t.filter), RowTest(layer, t.check)) for t in right.transitions
        ]
        self._deny = [RowTest(layer, f"NOT ({text})") for text in right.deny]

    @property
    def is_unlimited(self) -> bool:
        """True when the action may do anything to any row, so that no row needs to be read."""
        names = set(self._fields.names()) | {GEOMETRY}
        return has_no_row_limit(self._right) and names <= self._right.writable

    def insert(self, values: Mapping[str, Any], geometry: Optional[QgsGeometry]) -> None:
        """Raise Forbidden for a new row that is not allowed."""
        if self.is_unlimited:
            return
        for shape in stored_shapes(self._layer, geometry):
            self._insert(values, shape)

    def _insert(self, values: Mapping[str, Any], geometry: Optional[QgsGeometry]) -> None:
        new = QgsFeature(self._fields)
        self._set(new, values, geometry)
        sent = {name for name, value in values.items() if not is_null(value)}
        self._check_writable(sent | ({GEOMETRY} if geometry is not None else set()))
        checks = any(check.accepts(new) for _filter, check in self._transitions)
        if not (checks and self._is_not_denied(new)):
            raise Forbidden("The new row is not one that you may add.")

    def update(
        self,
        rows: Iterable[Any],
        values: Mapping[str, Any],
        geometry: Optional[QgsGeometry],
    ) -> None:
        """Raise Forbidden when one of the stored rows may not get these values."""
        shapes = stored_shapes(self._layer, geometry)
        for old, shape in ((row, shape) for row in rows for shape in shapes):
            new = QgsFeature(old)
            self._set(new, values, shape)
            self._check_writable(self._changes(old, new, values, shape))
            if not self._allows(old, new):
                raise Forbidden("A row may not be changed, or not in this way.")

    def delete(self, rows: Iterable[Any]) -> None:
        """Raise Forbidden when one of the stored rows may not be deleted."""
        for old in rows:
            matches = any(stored.accepts(old) for stored, _check in self._transitions)
            if not (matches and self._is_not_denied(old)):
                raise Forbidden("A row may not be deleted.")

    def _allows(self, old: Any, new: Any) -> bool:
        if not (self._is_not_denied(old) and self._is_not_denied(new)):
            return False
        return any(s.accepts(old) and c.accepts(new) for s, c in self._transitions)

    def _is_not_denied(self, feature: Any) -> bool:
        return all(test.accepts(feature) for test in self._deny)

    def _set(
        self, feature: Any, values: Mapping[str, Any], geometry: Optional[QgsGeometry]
    ) -> None:
        for name, value in values.items():
            feature.setAttribute(name, value)
        if geometry is not None:
            feature.setGeometry(geometry)
        self._derived.renew(feature)

    @staticmethod
    def _changes(
        old: Any, new: Any, values: Mapping[str, Any], geometry: Optional[QgsGeometry]
    ) -> set[str]:
        changed = {name for name in values if not is_same(old[name], new[name])}
        if geometry is not None and not is_same_geometry(old.geometry(), geometry):
            changed.add(GEOMETRY)
        return changed

    def _check_writable(self, names: set[str]) -> None:
        closed = sorted(names - self._right.writable)
        if closed:
            what = "The geometry" if closed[0] == GEOMETRY else f"The attribute {closed[0]}"
            raise Forbidden(f"{what} may not be written.")


def refuse_unseen(names: Iterable[str], visible: frozenset[str], right: EditRight) -> None:
    """Refuse names that are neither visible nor writable, whatever the value that was sent.

    To let a hidden value pass when it is unchanged would tell the value.
    """
    for name in sorted(names):
        if name not in visible and name not in right.writable:
            raise Forbidden(f"The attribute {name} may not be written.")


def has_no_row_limit(right: EditRight) -> bool:
    """Return whether the action may touch any row and make any row of it."""
    free = any(t.filter is None and t.check is None for t in right.transitions)
    return free and not right.deny


def is_null(value: Any) -> bool:
    """Return whether a value is NULL in one of PyQGIS's spellings."""
    return value is None or value == NULL


def is_same(one: Any, other: Any) -> bool:
    """Return whether two attribute values are equal, NULL being equal to NULL only."""
    if is_null(one) or is_null(other):
        return is_null(one) and is_null(other)
    return bool(one == other)


def is_same_geometry(one: QgsGeometry, other: QgsGeometry) -> bool:
    """Return whether two geometries are the same, vertex by vertex."""
    if one.isNull() or other.isNull():
        return bool(one.isNull() and other.isNull())
    if bool(one.equals(other)):
        return True
    single, multi = QgsGeometry(one), QgsGeometry(other)
    single.convertToMultiType()
    multi.convertToMultiType()
    return bool(single.equals(multi))


def converted(fields: Any, name: str, value: Any) -> Any:
    """Return a value in its field's type; raise Refused when it does not fit."""
    if is_null(value):
        return None
    try:
        return fields.field(name).convertCompatible(value)
    except ValueError as error:
        raise Refused(f"{name}: the value does not fit the attribute") from error


# The second line: the hook


class _Gate:
    """What ``allowToEdit`` asks of one layer and decision, its expressions prepared."""

    def __init__(self, layer: Any, decision: LayerDecision) -> None:
        self.layer, self.decision = layer, decision
        self._derived = DerivedFields(layer)
        insert = decision.insert
        self._checks = [RowTest(layer, t.check) for t in insert.transitions]
        self._not_denied = [RowTest(layer, f"NOT ({text})") for text in insert.deny]
        rights = [r for r in (decision.update, decision.delete) if r.is_allowed]
        self._rights = [RowTest(layer, r.row_filter().expression()) for r in rights]
        self._visible = RowTest(layer, decision.rows.expression())
        self._needs_no_row = decision.rows.is_everything and any(
            right.row_filter().is_everything for right in rights
        )

    def accepts_new(self, feature: Any) -> bool:
        """Return whether a row may be added; QGIS gives it without what the layer computes."""
        feature = self._whole(feature)
        if not any(test.accepts(feature) for test in self._checks):
            return False
        return all(test.accepts(feature) for test in self._not_denied)

    def _whole(self, sent: Any) -> QgsFeature:
        fields = self.layer.fields()
        feature = QgsFeature(fields)
        for index, value in enumerate(sent.attributes()[: fields.count()]):
            feature.setAttribute(index, value)
        feature.setGeometry(sent.geometry())
        self._derived.renew(feature)
        return feature

    def accepts_stored(self, feature_id: int) -> bool:
        """Return whether some edit action covers a stored row."""
        if self._needs_no_row:
            return True
        stored = _stored(self.layer, feature_id)
        if stored is None or not self._visible.accepts(stored):
            return False
        return any(test.accepts(stored) for test in self._rights)


_gates: list[_Gate] = []
"""At most one: the layer and decision that were asked for last."""


def may_edit(layer: Any, feature: Any, decision: LayerDecision) -> bool:
    """Return whether some edit action of the decision covers this feature, stored or new."""
    gate = _gates[0] if _gates else None
    if gate is None or gate.layer is not layer or gate.decision is not decision:
        gate = _Gate(layer, decision)
        _gates[:] = [gate]
    if feature.id() < _NEW_FEATURE or not feature.isValid():
        return gate.accepts_new(feature)
    return gate.accepts_stored(feature.id())


def _stored(layer: Any, feature_id: int) -> Optional[Any]:
    request = QgsFeatureRequest(feature_id)
    return next(iter(layer.dataProvider().getFeatures(request)), None)


def is_true(layer: Any, feature: Any, rows: RowFilter) -> bool:
    """Return whether a row filter lets a feature through; NULL and errors do not."""
    return RowTest(layer, rows.expression()).accepts(feature)
