"""What was decided for one layer: plain values that every wall reads and the log explains."""

from __future__ import annotations

from dataclasses import field
from typing import Optional

from ..value_class import value_class
from .policy import Action

MAX_CHAIN = 8
"""Conditions joined side by side; each is one level of parentheses in the SQL that QGIS makes."""


@value_class
class RowFilter:
    """Which rows: those some ``allow`` expression is true on and every ``deny`` is false on.

    The expressions are canonical QGIS expressions with the subject's values in them. NULL in an
    allow expression hides, NULL in a deny expression covers, so ``NOT`` of a deny is enough: it is
    true only where the deny is false (facts E14).
    """

    allow: Optional[tuple[str, ...]] = ()
    """None: every row; empty: none."""
    deny: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """True when no row is hidden."""
        return self.allow is None and not self.deny

    @property
    def is_nothing(self) -> bool:
        """True when every row is hidden, decided without looking at data."""
        return self.allow is not None and not self.allow

    def expression(self) -> Optional[str]:
        """Return the filter as one expression; None for every row, ``FALSE`` for none."""
        if self.is_nothing:
            return "FALSE"
        parts = [f"NOT ({deny})" for deny in self.deny]
        if self.allow is not None:
            allowed = _joined([f"({text})" for text in self.allow], " OR ")
            parts.insert(0, f"({allowed})" if len(self.allow) > 1 else allowed)
        return _joined(parts, " AND ") if parts else None


def _joined(parts: list[str], word: str) -> str:
    """Return conditions joined as a tree: SQLite refuses a hundred levels (3.40 of Debian 12)."""
    while len(parts) > MAX_CHAIN:
        groups = (parts[i : i + MAX_CHAIN] for i in range(0, len(parts), MAX_CHAIN))
        parts = [f"({word.join(group)})" for group in groups]
    return word.join(parts)


EVERY_ROW = RowFilter(allow=None)
NO_ROW = RowFilter(allow=())


@value_class
class Transition:
    """What one allow rule lets an edit do: from rows of ``filter`` to rows of ``check``."""

    rule: str
    filter: Optional[str] = None
    """The stored rows it may touch (update, delete); None for all, unused by insert."""
    check: Optional[str] = None
    """What the new row must satisfy (insert, update); None for anything."""


@value_class
class EditRight:
    """What a subject may do with one edit action on one layer."""

    transitions: tuple[Transition, ...] = ()
    deny: tuple[str, ...] = ()
    """A row, stored or new, on which one of these is not false is not to be touched."""
    writable: frozenset[str] = frozenset()
    """Attributes that may be written (contract, section 4, rules 5 and 6), with ``$geometry``."""

    @property
    def is_allowed(self) -> bool:
        """True when some rule opens the action on some row."""
        return bool(self.transitions)

    def row_filter(self) -> RowFilter:
        """Return the stored rows that the action may touch."""
        filters = [transition.filter for transition in self.transitions]
        if None in filters:
            return RowFilter(None, self.deny)
        allow = tuple(dict.fromkeys(text for text in filters if text is not None))
        return RowFilter(allow, self.deny)


NO_EDIT = EditRight()


@value_class
class LayerDecision:
    """Everything decided for one subject, one layer and one kind of request."""

    layer: str
    read: bool = False
    rows: RowFilter = NO_ROW
    attributes: frozenset[str] = frozenset()
    """The visible attributes."""
    hidden: frozenset[str] = frozenset()
    """The attributes of the layer that are not visible."""
    lookup: bool = False
    lookup_rows: RowFilter = NO_ROW
    lookup_attributes: frozenset[str] = frozenset()
    """What may be shown of this layer as a label of another."""
    styles: frozenset[str] = frozenset()
    closed_styles: frozenset[str] = frozenset()
    default_style: str = ""
    """The style drawn when none is named; empty when none is open."""
    raw_attributes: frozenset[str] = frozenset()
    """Visible attributes whose label must not be shown, only the raw value."""
    insert: EditRight = NO_EDIT
    update: EditRight = NO_EDIT
    delete: EditRight = NO_EDIT
    rules: tuple[str, ...] = ()
    """Ids of the rules that made it, in the policy's order."""
    reason: str = ""
    """Why something derived is closed, for explanations."""

    @property
    def is_listed(self) -> bool:
        """True when WFS and OAPIF name the layer: readable, or open for inserts."""
        return self.read or self.insert.is_allowed

    @property
    def is_fully_readable(self) -> bool:
        """True when nothing of the layer is closed to reading."""
        return (
            self.read
            and self.rows.is_everything
            and not self.hidden
            and not self.closed_styles
            and not self.raw_attributes
        )

    def edit(self, action: Action) -> EditRight:
        """Return the right for ``insert``, ``update`` or ``delete``."""
        rights = {Action.INSERT: self.insert, Action.UPDATE: self.update}
        return rights.get(action, self.delete if action is Action.DELETE else NO_EDIT)


@value_class
class RuleTrace:
    """What became of one rule, for explanations: tried, matched, or why not."""

    rule: str
    matched: bool
    why: str = ""


@value_class
class Explanation:
    """A decision with the fate of every rule."""

    decision: LayerDecision
    traces: tuple[RuleTrace, ...] = field(default_factory=tuple)
