"""Findings about a policy that is valid and perhaps not what its author meant.

Each function looks at one thing and returns warnings; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..strict_json import Problem, Severity, did_you_mean, shown
from ..subject import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, BUILT_IN_ROLES, Subject
from .binding import BoundPolicy, LayerRule, uses_action
from .decision import LayerDecision
from .derived import Derivation
from .patterns import NameList, has_wildcard
from .policy import Action, Effect, Policy, Rule
from .project_access import ProjectAccess

_EDITS = (Action.INSERT, Action.UPDATE, Action.DELETE)


def lint(project: ProjectAccess, now: datetime) -> list[Problem]:
    """Return all warnings about a project's policy."""
    bound = project.bound
    found: list[Problem] = []
    for check in (
        _never_matching,
        _swallowed,
        _narrowed_attributes,
        _one_service_of_two,
        _unknown_roles,
        _unopened_layers,
        _keyless_layers,
    ):
        found += check(bound, now)
    return found + list(_closed_by_derivation(project))


def _warning(path: str, message: str) -> Problem:
    return Problem(path, message, Severity.WARNING)


def _pairs(bound: BoundPolicy) -> Iterator[tuple[str, tuple[LayerRule, ...]]]:
    for layer_id, rules in bound.layer_rules.items():
        yield bound.catalogue.layers[layer_id].name, rules


def _is_empty(names: NameList | None) -> bool:
    return names is not None and not names.include


def _never_matching(bound: BoundPolicy, now: datetime) -> Iterable[Problem]:
    """Rules that cannot match: nobody, nothing, no more, or nowhere."""
    used = {found.rule.path for _name, rules in _pairs(bound) for found in rules}
    for rule in bound.policy.rules:
        who = (rule.users, rule.roles)
        if any(n is not None for n in who) and all(n is None or _is_empty(n) for n in who):
            yield _warning(rule.path, "can never match: its users and roles name nobody")
        elif _is_empty(rule.services) or _is_empty(rule.requests):
            yield _warning(rule.path, "can never match: it names no service or no request")
        elif rule.valid_until is not None and rule.valid_until <= now:
            ended = rule.valid_until.isoformat()
            yield _warning(f"{rule.path}.valid_until", f"can no longer match: it ended {ended}")
        elif rule.layers is not None and rule.path not in used and not rule.is_operators:
            yield _warning(f"{rule.path}.layers", "names no layer of the project")


def _covers_callers(other: Rule, rule: Rule) -> bool:
    """Return whether a rule speaks at any time, of any request, to all those of another rule."""
    limits = (other.addresses, other.services, other.requests, other.valid_from, other.valid_until)
    if any(limit is not None for limit in limits):
        return False
    if other.users is None and other.roles is None:
        return True
    return (other.users, other.roles) == (rule.users, rule.roles)


def _swallowed(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    """Rules that change nothing, since another one denies or allows all of it anyway."""
    swallowing: dict[str, dict[str, str]] = {}
    for name, rules in _pairs(bound):
        for found in rules:
            by = _swallower(found, rules)
            if by is not None:
                swallowing.setdefault(found.rule.path, {})[name] = by
    for rule in bound.policy.rules:
        layers = swallowing.get(rule.path, {})
        mine = [n for n, rules in _pairs(bound) if any(f.rule.path == rule.path for f in rules)]
        if layers and len(layers) == len(mine):
            others = ", ".join(sorted(set(layers.values())))
            yield _warning(rule.path, f"changes nothing: it is swallowed by {others}")


def _swallower(found: LayerRule, rules: tuple[LayerRule, ...]) -> str | None:
    """Return the rule that makes an allow rule needless or without effect on a layer."""
    if found.rule.effect is not Effect.ALLOW:
        return None
    for other in rules:
        if other is found or not _covers_callers(other.rule, found.rule):
            continue
        covered = all(uses_action(other.rule, action) for action in found.rule.actions)
        if other.rule.effect is Effect.DENY and other.covers_all and covered:
            return other.rule.id
        wider = other.filter is None and other.attributes >= found.attributes
        adds_styles = not found.styles <= other.styles
        if other.rule.effect is Effect.ALLOW and covered and wider and not adds_styles:
            needs_templates = other.rule.templates is not None
            if not needs_templates and not (_opens_edits(found) and other.check is not None):
                return other.rule.id
    return None


def _opens_edits(found: LayerRule) -> bool:
    return any(action in found.rule.actions for action in _EDITS)


def _narrowed_attributes(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    """Filtered rules whose attributes do not all show, because another rule shows fewer."""
    for name, rules in _pairs(bound):
        reads = [
            f for f in rules if f.rule.effect is Effect.ALLOW and uses_action(f.rule, Action.READ)
        ]
        filtered = [f for f in reads if f.filter is not None]
        for found in filtered:
            narrower = [o for o in filtered if not found.attributes <= o.attributes]
            if narrower:
                others = ", ".join(o.rule.id for o in narrower)
                yield _warning(
                    f"{found.rule.path}.attributes",
                    f"on layer {shown(name)}, where {others} matches as well only the attributes "
                    "that both show are shown: QGIS asks for attributes per layer, not per row",
                )


def _one_service_of_two(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    for rule in bound.policy.rules:
        if rule.services is None or rule.effect is not Effect.DENY:
            continue
        if "WFS" in rule.services and "OAPIF" not in rule.services:
            message = "closes WFS only; the same data is open by OAPIF (OGC API Features)"
            yield _warning(f"{rule.path}.services", message)


def _unknown_roles(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    """Roles that look like a misspelt built-in or project-defined one."""
    known = tuple(BUILT_IN_ROLES) + tuple(bound.policy.roles)
    for rule in bound.policy.rules:
        entries = (*rule.roles.include, *rule.roles.exclude) if rule.roles is not None else ()
        for name in entries:
            if name in known or has_wildcard(name):
                continue
            hint = did_you_mean(name, known)
            if hint:
                yield _warning(f"{rule.path}.roles", f"role {shown(name)} is not defined{hint}")


def _unopened_layers(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    for name, rules in _pairs(bound):
        if not any(found.rule.effect is Effect.ALLOW for found in rules):
            yield _warning(f"layer {shown(name)}", "no rule opens it to anybody")


def _keyless_layers(bound: BoundPolicy, _now: datetime) -> Iterable[Problem]:
    for layer_id, rules in bound.layer_rules.items():
        layer = bound.catalogue.layers[layer_id]
        if not layer.attributes or layer.primary_key:
            continue
        if any(f.filter is not None or _opens_edits(f) for f in rules):
            yield _warning(
                f"layer {shown(layer.name)}",
                "has no primary key: single features and edits are refused where rows are hidden",
            )


def sample_subjects(policy: Policy) -> dict[str, Subject]:
    """Return a name → subject for everybody that the rules tell apart, anonymous first."""
    found = {ANONYMOUS_ROLE: Subject(), AUTHENTICATED_ROLE: Subject("somebody")}
    for rule in policy.rules:
        for role in (*rule.roles.include, *rule.roles.exclude) if rule.roles else ():
            if role not in BUILT_IN_ROLES and not has_wildcard(role):
                found[f"role {role}"] = Subject("somebody", frozenset({role}))
        for user in (*rule.users.include, *rule.users.exclude) if rule.users else ():
            if not has_wildcard(user):
                found[f"user {user}"] = Subject(user)
    for role in policy.roles:
        found[f"role {role}"] = Subject("somebody", frozenset({role}))
    return found


def _closed_by_derivation(project: ProjectAccess) -> Iterator[Problem]:
    """What a subject would see but for the hidden things it is made of."""
    told: set[tuple[str, str]] = set()
    for who, subject in sample_subjects(project.bound.policy).items():
        derivation = project.derivation(subject, "WMS", "GetMap")
        for path, message in _derived(project.bound, derivation):
            if (path, message) not in told:
                told.add((path, message))
                yield _warning(path, f"{message} (first for {who})")


def _derived(bound: BoundPolicy, derivation: Derivation) -> Iterator[tuple[str, str]]:
    for layer_id, layer in bound.catalogue.layers.items():
        base = derivation.decider.decide(layer)
        final = derivation.decision(layer_id)
        path = f"layer {shown(layer.name)}"
        if base.read and not final.read:
            yield path, f"is closed: {final.reason}"
            continue
        yield from ((path, text) for text in _lost(base, final))
    for name, sources in bound.catalogue.template_sources.items():
        if derivation.decider.allows_template(name) and not derivation.are_open(sources):
            yield f"layout {shown(name)}", "is closed: it uses a closed layer or hidden attribute"


def _lost(base: LayerDecision, final: LayerDecision) -> Iterator[str]:
    for name in sorted(base.attributes - final.attributes):
        yield f"attribute {shown(name)} is hidden: it is computed or joined from something hidden"
    for style in sorted(base.styles - final.styles):
        yield f"style {shown(style)} is closed: it draws or labels with something hidden"
    for name in sorted(final.raw_attributes):
        yield f"attribute {shown(name)} shows its raw value: the layer of its labels is closed"
