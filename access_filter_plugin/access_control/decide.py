"""How rules combine into a decision (contract, section 4).

1. A rule matches when subject, layer, action, service, request, address and time all match.
2. Allow rules add up, deny rules take away; deny always wins and order never matters.
3. What nothing allowed is denied.
4. Rows: some allow filter is true, and every deny filter is false.
5. Attributes: shown by every allow rule that may contribute a row, or by one without a filter.
6. Edits need read; what is written must be writable by rule 5 and visible, or opened by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from .binding import BoundPolicy, LayerRule, uses_action
from .catalogue import LayerInfo, LayerKind
from .decision import EVERY_ROW, NO_EDIT, NO_ROW, EditRight, LayerDecision, RowFilter, Transition
from .expression import bind_subject
from .matching import Caller
from .policy import GEOMETRY, Action, Effect, Rule


class Decider:
    """Decides for one caller and the rules that match it, the request and the moment."""

    def __init__(self, bound: BoundPolicy, caller: Caller, matching: Iterable[Rule]) -> None:
        self.catalogue = bound.catalogue
        self._bound = bound
        self._caller = caller
        self._rules = tuple(matching)
        self._paths = frozenset(rule.path for rule in self._rules)
        self._texts: dict[tuple[str, bool], str] = {}
        self._never: dict[str, bool] = {}

    def decide(self, layer: LayerInfo) -> LayerDecision:
        """Return what the rules say of a layer, before anything derived is taken into account."""
        all_rules = self._bound.layer_rules.get(layer.id, ())
        broken = next((found.rule for found in all_rules if found.is_broken), None)
        if broken is not None:
            reason = f"rule {broken.id} takes away an attribute that does not exist"
            return closed(layer, (broken.id,), reason)
        rules = [found for found in all_rules if found.rule.path in self._paths]
        return self._decide(layer, rules)

    def allows_template(self, name: str) -> Optional[str]:
        """Return the id of a rule that opens a print layout, or None when it is closed."""
        opened = None
        for rule in self._rules:
            named = rule.templates is not None and name in rule.templates
            if rule.effect is Effect.DENY:
                if named:
                    return None
            elif Action.READ in rule.actions and (rule.templates is None or named):
                opened = opened or rule.id
        return opened

    def _decide(self, layer: LayerInfo, rules: list[LayerRule]) -> LayerDecision:
        allows = self._contributing(rules, Action.READ)
        rows = self._rows(allows, rules, Action.READ)
        read = not rows.is_nothing
        visible = self._attributes(layer, allows, rules, Action.READ) if read else frozenset()
        names = frozenset(layer.attributes)
        styles = self._styles(rules, allows) if read else frozenset()
        lookups = self._contributing(rules, Action.LOOKUP)
        lookup_rows = self._rows(lookups, rules, Action.LOOKUP)
        can_look_up = not lookup_rows.is_nothing
        is_vector = layer.kind is LayerKind.VECTOR
        edits = [
            self._edit(layer, rules, action, can_read=read) if is_vector else NO_EDIT
            for action in (Action.INSERT, Action.UPDATE, Action.DELETE)
        ]
        return LayerDecision(
            layer=layer.id,
            read=read,
            rows=rows,
            attributes=visible & names,
            hidden=names - visible,
            lookup=can_look_up,
            lookup_rows=lookup_rows,
            lookup_attributes=self._lookup_attributes(layer, lookups, rules, visible & names)
            if can_look_up
            else frozenset(),
            styles=styles,
            closed_styles=frozenset(layer.styles) - styles,
            default_style=default_style(layer, styles),
            insert=edits[0],
            update=edits[1],
            delete=edits[2],
            rules=tuple(dict.fromkeys(found.rule.id for found in rules)),
        )

    def _bind(self, found: LayerRule, text: str) -> str:
        key = (text, found.rule.is_operators)
        known = self._texts.get(key)
        if known is None:
            roles = self._caller.roles_for(found.rule)
            known = self._texts[key] = bind_subject(text, self._caller.subject, roles)
        return known

    def _never_true(self, bound: str) -> bool:
        if bound not in self._never:
            self._never[bound] = self._bound.engine.never_true(bound)
        return self._never[bound]

    def _opens_nothing(self, found: LayerRule) -> bool:
        return found.filter is not None and self._never_true(self._bind(found, found.filter))

    def _covers_nothing(self, found: LayerRule) -> bool:
        """Return whether a deny rule's filter is false (not NULL, which covers) on any data."""
        if found.filter is None:
            return False
        return self._never_true(f"(NOT ({self._bind(found, found.filter)})) IS NOT 1")

    def _contributing(self, rules: list[LayerRule], action: Action) -> list[LayerRule]:
        """Return the allow rules for an action that may open some row."""
        return [
            found
            for found in rules
            if found.rule.effect is Effect.ALLOW
            and uses_action(found.rule, action)
            and not self._opens_nothing(found)
        ]

    def _denials(self, rules: list[LayerRule], action: Action) -> list[LayerRule]:
        return [
            found
            for found in rules
            if found.rule.effect is Effect.DENY
            and uses_action(found.rule, action)
            and not self._covers_nothing(found)
        ]

    def _deny_filters(self, rules: list[LayerRule], action: Action) -> Optional[tuple[str, ...]]:
        """Return the filters of the deny rules, or None when one of them covers everything."""
        filters = []
        for found in self._denials(rules, action):
            if found.covers_all:
                return None
            if not found.rule.is_partial_deny and found.filter is not None:
                filters.append(self._bind(found, found.filter))
        return tuple(dict.fromkeys(filters))

    def _rows(self, allows: list[LayerRule], rules: list[LayerRule], action: Action) -> RowFilter:
        deny = self._deny_filters(rules, action)
        if deny is None or not allows:
            return NO_ROW
        if any(found.filter is None for found in allows):
            return RowFilter(None, deny) if deny else EVERY_ROW
        bound = (self._bind(found, found.filter) for found in allows if found.filter is not None)
        return RowFilter(tuple(dict.fromkeys(bound)), deny)

    def _attributes(
        self,
        layer: LayerInfo,
        allows: list[LayerRule],
        rules: list[LayerRule],
        action: Action,
    ) -> frozenset[str]:
        shown = frozenset((*layer.attributes, GEOMETRY)) if allows else frozenset()
        whole: frozenset[str] = frozenset()
        for found in allows:
            opened = found.writable if action is Action.UPDATE else found.attributes
            shown &= opened
            if found.filter is None:
                whole |= opened
        return (shown | whole) - self._closed_attributes(rules, action)

    def _closed_attributes(self, rules: list[LayerRule], action: Action) -> frozenset[str]:
        closed_: frozenset[str] = frozenset()
        for found in self._denials(rules, action):
            if found.rule.attributes is not None:
                closed_ |= found.attributes
        return closed_

    def _lookup_attributes(
        self,
        layer: LayerInfo,
        lookups: list[LayerRule],
        rules: list[LayerRule],
        visible: frozenset[str],
    ) -> frozenset[str]:
        explicit = [found for found in lookups if Action.LOOKUP in found.rule.actions]
        return (visible | self._attributes(layer, explicit, rules, Action.LOOKUP)) - {GEOMETRY}

    def _styles(self, rules: list[LayerRule], allows: list[LayerRule]) -> frozenset[str]:
        opened: frozenset[str] = frozenset()
        for found in allows:
            opened |= found.styles
        for found in self._denials(rules, Action.READ):
            if found.rule.styles is not None:
                opened -= found.styles
        return opened

    def _edit(
        self, layer: LayerInfo, rules: list[LayerRule], action: Action, *, can_read: bool
    ) -> EditRight:
        if action is not Action.INSERT and not can_read:
            return NO_EDIT
        allows = self._contributing(rules, action)
        deny = self._deny_filters(rules, action) if allows else None
        if deny is None:
            return NO_EDIT
        transitions = tuple(self._transition(found) for found in allows)
        writable = self._attributes(layer, allows, rules, action)
        readers = self._contributing(rules, Action.READ)
        if readers:
            # Asked of the allow rules alone: a deny rule that closes all rows must not widen this.
            named = frozenset[str]().union(*(found.named for found in allows))
            visible = self._attributes(layer, readers, rules, Action.READ)
            writable &= visible | named | {GEOMETRY}
        return EditRight(transitions, deny, writable)

    def _transition(self, found: LayerRule) -> Transition:
        filter_ = None if found.filter is None else self._bind(found, found.filter)
        check = filter_ if found.check is None else self._bind(found, found.check)
        return Transition(found.rule.id, filter_, check)


def default_style(layer: LayerInfo, styles: frozenset[str]) -> str:
    """Return the style drawn when none is named: the layer's own, else the first open one."""
    if layer.default_style in styles:
        return layer.default_style
    return next((style for style in layer.styles if style in styles), "")


def closed(layer: LayerInfo, rules: tuple[str, ...], reason: str) -> LayerDecision:
    """Return the decision that everything of a layer is closed."""
    return LayerDecision(
        layer=layer.id,
        hidden=frozenset(layer.attributes),
        closed_styles=frozenset(layer.styles),
        rules=rules,
        reason=reason,
    )
