"""The member ``decision`` of a line: what was decided, and by which rules."""

from __future__ import annotations

from ..request_context import DecisionRecord
from .json_text import CUT_MARK, MAX_ITEMS, json_object, quoted, string_list
from .remembered import Remembered
from .scrub import scrubbed

MAX_REASON = 300

_Hidden = tuple[tuple[str, tuple[str, ...]], ...]
_Parts = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], _Hidden, "str | None"]


def decision_text(decision: DecisionRecord, refused: str | None) -> str:
    """Return the decision as JSON, without its empty members.

    ``refused`` is the reason of the admission wall as it may be shown (without the user's name,
    where that is a pseudonym).
    """
    parts = (
        decision.effect,
        decision.rules,
        decision.denied,
        decision.filtered,
        tuple(decision.hidden.items()),
        refused,
    )
    return _TEXTS.texts.get(parts) or _TEXTS.make(parts)


def _text(parts: _Parts) -> str:
    effect, rules, denied, filtered, hidden, refused = parts
    values = {"effect": quoted(effect)}
    if rules:
        values["rules"] = string_list(rules)
    if denied:
        values["denied"] = string_list(denied)
    if filtered:
        values["filtered"] = string_list(filtered)
    if hidden:
        values["hidden"] = _hidden(hidden)
    if refused is not None:
        values["refused"] = quoted(scrubbed(refused), MAX_REASON)
    return json_object(values)


_TEXTS = Remembered(_text)


def _hidden(hidden: _Hidden) -> str:
    shown = {layer: string_list(attributes) for layer, attributes in sorted(hidden)[:MAX_ITEMS]}
    if len(hidden) > MAX_ITEMS:
        shown[CUT_MARK] = f"[{quoted(f'{len(hidden) - MAX_ITEMS} more layers')}]"
    return json_object(shown)
