"""The member ``decision`` of a line: what was decided, and by which rules."""

from __future__ import annotations

from typing import Optional

from .json_text import CUT_MARK, MAX_ITEMS, json_object, quoted, string_list
from .scrub import scrubbed

MAX_REASON = 300

Hidden = tuple[tuple[str, tuple[str, ...]], ...]
Decided = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], Hidden, Optional[str]]
"""The effect, the rules, the denied and the filtered layers, the hidden attributes of each layer,
and the reason of a refusal as it may be shown."""


def decision_text(decided: Decided) -> str:
    """Return a decision as JSON, without its empty members."""
    effect, rules, denied, filtered, hidden, refused = decided
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


def _hidden(hidden: Hidden) -> str:
    shown = {layer: string_list(attributes) for layer, attributes in sorted(hidden)[:MAX_ITEMS]}
    if len(hidden) > MAX_ITEMS:
        shown[CUT_MARK] = f"[{quoted(f'{len(hidden) - MAX_ITEMS} more layers')}]"
    return json_object(shown)
