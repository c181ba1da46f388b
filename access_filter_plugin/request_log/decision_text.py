"""The member ``decision`` of a line: what was decided, and by which rules."""

from __future__ import annotations

from functools import lru_cache

from ..request_context import DecisionRecord
from .json_text import CUT_MARK, MAX_ITEMS, json_object, quoted, string_list
from .scrub import scrubbed

MAX_REASON = 300
_NOTHING_DECIDED = '{"effect":"none"}'
_MAX_REMEMBERED = 50


_Hidden = tuple[tuple[str, tuple[str, ...]], ...]
_Layers = tuple[tuple[str, ...], tuple[str, ...], _Hidden]


def decision_text(decision: DecisionRecord, refused: str | None) -> str:
    """Return the decision as JSON, without its empty members.

    ``refused`` is the reason of the admission wall as it may be shown (without the user's name,
    where that is a pseudonym).
    """
    if refused is None and not decision.rules and decision.effect == "none":
        return _NOTHING_DECIDED
    hidden = decision.hidden
    layers = (decision.denied, decision.filtered, tuple(hidden.items()))
    if refused is None and len(decision.denied) + len(hidden) < _MAX_REMEMBERED:
        return _known_text(decision.effect, decision.rules, layers, None)
    return _text(decision.effect, decision.rules, layers, refused)


def _text(effect: str, rules: tuple[str, ...], layers: _Layers, refused: str | None) -> str:
    denied, filtered, hidden = layers
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


_known_text = lru_cache(256)(_text)


def _hidden(hidden: _Hidden) -> str:
    shown = {layer: string_list(attributes) for layer, attributes in sorted(hidden)[:MAX_ITEMS]}
    if len(hidden) > MAX_ITEMS:
        shown[CUT_MARK] = f"[{quoted(f'{len(hidden) - MAX_ITEMS} more layers')}]"
    return json_object(shown)
