"""Why a decision came out as it did: every rule, whether it matched, and if not, why not."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from ..subject import Subject
from .binding import BoundPolicy, LayerRule, uses_action
from .catalogue import LayerInfo
from .decision import EditRight, LayerDecision, RuleTrace
from .matching import Caller, request_mismatch, subject_mismatch
from .policy import Action, Effect, Rule

_VERBS = {Effect.ALLOW: "allows", Effect.DENY: "denies"}


def trace_rules(
    bound: BoundPolicy,
    subject: Subject,
    service: str,
    operation: str,
    layer: LayerInfo,
    now: datetime,
) -> list[RuleTrace]:
    """Return the fate of every rule of the policy for one layer and one kind of request."""
    caller = Caller.of(subject, bound.policy)
    speaks = {found.rule.path: found for found in bound.layer_rules.get(layer.id, ())}
    return [
        _trace(rule, speaks.get(rule.path), caller, service, operation, now)
        for rule in bound.policy.rules
    ]


def _trace(
    rule: Rule,
    found: Optional[LayerRule],
    caller: Caller,
    service: str,
    operation: str,
    now: datetime,
) -> RuleTrace:
    if found is None:
        why = "it does not name this layer, or opens nothing there"
        if rule.layers is None:
            why = "it is about print layouts only"
        return RuleTrace(rule.id, matched=False, why=why)
    why_not = subject_mismatch(rule, caller, now) or request_mismatch(rule, service, operation)
    return RuleTrace(rule.id, matched=why_not is None, why=why_not or _effect(rule, found))


def _effect(rule: Rule, found: LayerRule) -> str:
    actions = ", ".join(a.value for a in Action if uses_action(rule, a))
    words = [f"{_VERBS[rule.effect]} {actions}"]
    if found.is_broken:
        words.append("takes away an attribute that does not exist: the layer is closed")
    if found.filter is not None:
        words.append(f"where {found.filter}")
    if rule.attributes is not None:
        words.append("attributes " + (", ".join(sorted(found.attributes)) or "none"))
    if rule.styles is not None:
        words.append("styles " + (", ".join(sorted(found.styles)) or "none"))
    return "; ".join(words)


def decision_object(decision: LayerDecision) -> dict[str, Any]:
    """Return a decision as JSON values, with names in order."""
    return {
        "read": decision.read,
        "rows": decision.rows.expression(),
        "attributes": sorted(decision.attributes),
        "hidden": sorted(decision.hidden),
        "raw": sorted(decision.raw_attributes),
        "lookup": decision.lookup,
        "styles": sorted(decision.styles),
        "default_style": decision.default_style or None,
        "insert": edit_object(decision.insert),
        "update": edit_object(decision.update),
        "delete": edit_object(decision.delete),
        "rules": list(decision.rules),
        "reason": decision.reason or None,
    }


def edit_object(right: EditRight) -> dict[str, Any]:
    """Return an edit right as JSON values."""
    return {
        "allowed": right.is_allowed,
        "rows": right.row_filter().expression() if right.is_allowed else "FALSE",
        "checks": [transition.check for transition in right.transitions],
        "writable": sorted(right.writable),
    }
