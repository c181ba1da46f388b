"""The member ``decision`` of a line: what was decided, and by which rules."""

from __future__ import annotations

from ..request_context import DecisionRecord
from .json_text import CUT_MARK, MAX_ITEMS, json_object, quoted, string_list
from .scrub import scrubbed

MAX_REASON = 300
_NOTHING_DECIDED = '{"effect":"none"}'


def decision_text(decision: DecisionRecord, refused: str | None) -> str:
    """Return the decision as JSON, without its empty members.

    ``refused`` is the reason of the admission wall as it may be shown (without the user's name,
    where that is a pseudonym).
    """
    if decision.effect == "none" and refused is None and not decision.rules:
        return _NOTHING_DECIDED
    members = {"effect": quoted(decision.effect)}
    if decision.rules:
        members["rules"] = string_list(decision.rules)
    if decision.denied:
        members["denied"] = string_list(decision.denied)
    if decision.filtered:
        members["filtered"] = string_list(decision.filtered)
    if decision.hidden:
        members["hidden"] = _hidden(decision)
    if refused is not None:
        members["refused"] = quoted(scrubbed(refused), MAX_REASON)
    return json_object(members)


def _hidden(decision: DecisionRecord) -> str:
    layers = sorted(decision.hidden)
    shown = [
        f"{quoted(layer)}:{string_list(decision.hidden[layer])}" for layer in layers[:MAX_ITEMS]
    ]
    if len(layers) > MAX_ITEMS:
        shown.append(f'"{CUT_MARK}":[{quoted(f"{len(layers) - MAX_ITEMS} more layers")}]')
    return "{" + ",".join(shown) + "}"
