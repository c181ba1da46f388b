"""A policy joined with one project: which layers each rule speaks of, and what it says there.

Done once per project load. Names that take something away must exist; what a rule's expression
needs must be there; everything a decision looks up later is a set or a canonical text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Optional, Protocol

from ..strict_json import Problem, Severity, did_you_mean, shown
from ..value_class import value_class
from .catalogue import Catalogue, LayerInfo, LayerKind
from .expression import ExpressionError
from .patterns import NameList, has_wildcard, matches
from .policy import GEOMETRY, Action, Effect, Policy, Rule

GROUP_PREFIX = "group:"
MAX_HINTS = 5
"""Nearest names looked for in one project: each costs a walk over all of its names."""
MAX_WARNINGS = 20
"""Warnings told for one key of one rule; a rule for a thousand rasters is not a thousand lines."""


@value_class
class ParsedExpression:
    """An expression that parses: its canonical text and the columns it reads."""

    text: str
    columns: frozenset[str] = frozenset()
    reads_all: bool = False
    """True when the columns cannot be told (``attributes()``, ``@feature`` …)."""
    doubt: str = ""
    """What may not mean what its author meant, in words; empty for nothing."""


class ExpressionEngine(Protocol):
    """What the core needs of QGIS's expressions; the tests bring a small one of their own."""

    def parse(self, text: str) -> ParsedExpression:
        """Return the parsed expression; raise ExpressionError when it does not parse."""

    def never_true(self, text: str) -> bool:
        """Return whether a bound expression cannot be true on any row, without data."""


@value_class
class LayerRule:
    """What one rule says of one layer."""

    rule: Rule
    filter: Optional[str] = None
    """Canonical, with placeholders; None for every row."""
    check: Optional[str] = None
    attributes: frozenset[str] = frozenset()
    """What an allow rule opens (``$geometry`` among it), or a partial deny rule closes."""
    named: frozenset[str] = frozenset()
    """The attributes an allow rule opens by name, without a wildcard."""
    writable: frozenset[str] = frozenset()
    """``attributes`` without what is readonly, for updates."""
    styles: frozenset[str] = frozenset()
    covers_all: bool = False
    """True when a deny rule covers every row, its filter being absent or not to be evaluated."""
    is_broken: bool = False
    """True when the rule takes away an attribute that is not there: the layer is closed to all."""


@value_class
class BoundPolicy:
    """A policy on a project, ready to be decided on."""

    policy: Policy
    catalogue: Catalogue
    engine: ExpressionEngine
    layer_rules: Mapping[str, tuple[LayerRule, ...]] = field(default_factory=dict)
    """Layer id → its rules, in the policy's order."""
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the rules invalid."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def bind(policy: Policy, catalogue: Catalogue, engine: ExpressionEngine) -> BoundPolicy:
    """Return the policy joined with a project; problems are collected, never raised."""
    binder = _Binder(catalogue, engine)
    table: dict[str, list[LayerRule]] = {layer_id: [] for layer_id in catalogue.layers}
    for rule in policy.rules:
        for layer_id, layer_rule in binder.bind(rule):
            table[layer_id].append(layer_rule)
    frozen = {layer_id: tuple(rules) for layer_id, rules in table.items()}
    return BoundPolicy(policy, catalogue, engine, frozen, tuple(binder.problems))


class _Binder:
    def __init__(self, catalogue: Catalogue, engine: ExpressionEngine) -> None:
        self.catalogue = catalogue
        self.engine = engine
        self.problems: list[Problem] = []
        self._warned: dict[tuple[str, str], int] = {}
        self._hints = 0
        self._by_name: dict[str, list[str]] = {}
        self._by_group: dict[str, list[str]] = {}
        self._attributes = {
            i: frozenset((*layer.attributes, GEOMETRY)) for i, layer in catalogue.layers.items()
        }
        self._styles = {i: frozenset(layer.styles) for i, layer in catalogue.layers.items()}
        self._named_by_rule: dict[str, frozenset[str]] = {}
        self._selected: dict[tuple[NameList, frozenset[str]], frozenset[str]] = {}
        for layer in catalogue.layers.values():
            for name in layer.names:
                self._by_name.setdefault(name, []).append(layer.id)
            for group in dict.fromkeys(layer.groups):
                self._by_group.setdefault(group, []).append(layer.id)

    def bind(self, rule: Rule) -> list[tuple[str, LayerRule]]:
        self._check_templates(rule)
        if rule.layers is None:
            return []
        layers = [self.catalogue.layers[i] for i in self._layer_ids(rule, rule.layers)]
        filter_ = self._parsed(rule, "filter", rule.filter)
        check = self._parsed(rule, "check", rule.check)
        closing = self._check_attributes(rule, layers)
        self._check_styles(rule, layers)
        bound = (
            (layer, self._layer_rule(rule, layer, filter_, check, closing)) for layer in layers
        )
        return [(layer.id, found) for layer, found in bound if found is not None]

    def _layer_ids(self, rule: Rule, names: NameList) -> list[str]:
        taken = self._named(rule, names.include, takes_away=rule.effect is Effect.DENY)
        away = self._named(rule, names.exclude, takes_away=True)
        left = taken - away
        if len(left) < 2:
            return list(left)
        return [layer_id for layer_id in self.catalogue.layers if layer_id in left]

    def _named(self, rule: Rule, entries: Iterable[str], *, takes_away: bool) -> set[str]:
        found: set[str] = set()
        for entry in entries:
            ids, exists = self._ids_of(entry)
            found |= ids
            if not exists and not has_wildcard(entry) and not rule.is_operators:
                self._unknown_layer(rule, entry, takes_away=takes_away)
        return found

    def _ids_of(self, entry: str) -> tuple[set[str], bool]:
        is_group = entry.startswith(GROUP_PREFIX)
        name = entry[len(GROUP_PREFIX) :] if is_group else entry
        table = self._by_group if is_group else self._by_name
        if not has_wildcard(name):
            exists = name in table or (is_group and name in self.catalogue.groups)
            return set(table.get(name, ())), exists
        ids = {i for known, ids in table.items() if matches(name, known) for i in ids}
        return ids, bool(ids)

    def _unknown_layer(self, rule: Rule, entry: str, *, takes_away: bool) -> None:
        is_group = entry.startswith(GROUP_PREFIX)
        known = [GROUP_PREFIX + g for g in self.catalogue.groups] if is_group else self._by_name
        severity = Severity.ERROR if takes_away else Severity.WARNING
        what = "group" if is_group else "layer"
        message = f"{shown(entry)}: the project has no such {what}{self._hint(entry, known)}"
        self.problems.append(Problem(f"{rule.path}.layers", message, severity))

    def _hint(self, name: str, known: Iterable[str]) -> str:
        self._hints += 1
        return did_you_mean(name, known) if self._hints <= MAX_HINTS else ""

    def _warn(self, rule: Rule, key: str, message: str) -> None:
        count = self._warned.get((rule.path, key), 0) + 1
        self._warned[rule.path, key] = count
        if count > MAX_WARNINGS:
            return
        self.problems.append(Problem(f"{rule.path}.{key}", message, Severity.WARNING))

    def _parsed(self, rule: Rule, key: str, text: Optional[str]) -> Optional[ParsedExpression]:
        if text is None:
            return None
        try:
            parsed = self.engine.parse(text)
            if parsed.doubt:
                self._warn(rule, key, f"{parsed.doubt}, is {shown(text)}")
            return parsed
        except ExpressionError as error:
            message = f"does not parse: {error}, is {shown(text)}"
            self.problems.append(Problem(f"{rule.path}.{key}", message))
            return ParsedExpression("FALSE")

    def _check_templates(self, rule: Rule) -> None:
        for name in _exact(rule.templates):
            if name not in self.catalogue.templates and not rule.is_operators:
                hint = self._hint(name, self.catalogue.templates)
                self._warn(rule, "templates", f"{shown(name)}: no such print layout{hint}")

    def _check_styles(self, rule: Rule, layers: list[LayerInfo]) -> None:
        names = _exact(rule.styles)
        if not names or not layers or rule.is_operators:
            return
        known = {style for layer in layers for style in layer.styles}
        for name in names:
            if name not in known:
                hint = self._hint(name, sorted(known))
                self._warn(rule, "styles", f"{shown(name)}: no such style{hint}")

    def _check_attributes(self, rule: Rule, layers: list[LayerInfo]) -> bool:
        """Warn of unknown attributes; return whether one that takes away is on no layer."""
        closing = False
        if not layers or not (_exact(rule.attributes) or _exact(rule.readonly)):
            return closing
        if rule.is_operators and not (rule.layers and rule.layers.exact_names()):
            return closing  # "every layer", of projects that the operator does not know
        known = {name for layer in layers for name in layer.attributes} | {GEOMETRY}
        is_deny = rule.effect is Effect.DENY
        for key, names in (("attributes", rule.attributes), ("readonly", rule.readonly)):
            for name in _exact(names):
                excluded = names is not None and name in names.exclude
                takes_away = key == "attributes" and (is_deny or excluded)
                if name in known:
                    continue
                ending = "; these layers are closed" if takes_away else ""
                hint = self._hint(name, sorted(known))
                self._warn(rule, key, f"{shown(name)}: no layer of the rule has it{hint}{ending}")
                closing = closing or takes_away
        return closing

    def _layer_rule(
        self,
        rule: Rule,
        layer: LayerInfo,
        filter_: Optional[ParsedExpression],
        check: Optional[ParsedExpression],
        closing: bool,
    ) -> Optional[LayerRule]:
        """Return what the rule says of a layer; None when it opens nothing there."""
        is_deny = rule.effect is Effect.DENY
        evaluable = self._evaluable(rule, layer, "filter", filter_)
        evaluable = self._evaluable(rule, layer, "check", check) and evaluable
        if not is_deny and (closing or not evaluable):
            return LayerRule(rule, is_broken=True) if closing else None
        attributes = self._select(rule.attributes, self._attributes[layer.id])
        if rule.attributes is None and is_deny:
            attributes = frozenset()
        readonly = rule.readonly.select(attributes) if rule.readonly else frozenset()
        no_styles = is_deny and rule.styles is None
        covers_all = is_deny and not rule.is_partial_deny and (filter_ is None or not evaluable)
        return LayerRule(
            rule=rule,
            filter=None if filter_ is None or not evaluable else filter_.text,
            check=None if check is None else check.text,
            attributes=attributes,
            named=attributes & self._named_attributes(rule),
            writable=attributes - readonly,
            styles=frozenset() if no_styles else self._select(rule.styles, self._styles[layer.id]),
            covers_all=covers_all,
            is_broken=closing,
        )

    def _named_attributes(self, rule: Rule) -> frozenset[str]:
        """Return the attributes that a rule names without a wildcard; computed once a rule."""
        if rule.path not in self._named_by_rule:
            names = rule.attributes.exact_names() if rule.attributes else ()
            self._named_by_rule[rule.path] = frozenset(names)
        return self._named_by_rule[rule.path]

    def _select(self, names: Optional[NameList], of: frozenset[str]) -> frozenset[str]:
        """Return the names that are in a list; all without one. Layers often have equal names."""
        if names is None or names.is_everything:
            return of
        key = (names, of)
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = names.select(of)
        return found

    def _evaluable(
        self, rule: Rule, layer: LayerInfo, key: str, parsed: Optional[ParsedExpression]
    ) -> bool:
        if parsed is None:
            return True
        missing = parsed.columns - frozenset(layer.attributes)
        varying = layer.by_caller if parsed.reads_all else layer.by_caller & parsed.columns
        if layer.kind is LayerKind.VECTOR and not missing and not varying:
            return True
        outcome = "covers it whole" if rule.effect is Effect.DENY else "opens nothing there"
        why = f"has no attribute {shown(min(missing))}" if missing else "has no rows"
        if varying and not missing:
            why = f"computes {shown(min(varying))} for each caller, by whose rows no rule can go"
        self._warn(rule, key, f"layer {shown(layer.name)} {why}; the rule {outcome}")
        return False


def _exact(names: Optional[NameList]) -> tuple[str, ...]:
    return () if names is None else (*names.exact_names(), *names.exact_removals())


def uses_action(rule: Rule, action: Action) -> bool:
    """Return whether a rule speaks of an action; a deny of read speaks of what needs reading."""
    if action in rule.actions:
        return True
    if Action.READ not in rule.actions:
        return False
    implied = (Action.UPDATE, Action.DELETE, Action.LOOKUP)
    return action is Action.LOOKUP if rule.effect is Effect.ALLOW else action in implied
