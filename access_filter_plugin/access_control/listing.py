"""What a listing shows of a layer that is open by some requests of a service and not by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .decision import LayerDecision


def merged(parts: Sequence[Mapping[str, LayerDecision]]) -> Mapping[str, LayerDecision]:
    """Return the decisions of several operations as one: listed when one of them lists it."""
    distinct = list({id(part): part for part in parts}.values())
    if len(distinct) == 1:
        return distinct[0]
    return {layer_id: _merge([part[layer_id] for part in distinct]) for layer_id in distinct[0]}


def _merge(decisions: list[LayerDecision]) -> LayerDecision:
    first = next((d for d in decisions if d.read), None)
    if first is None:
        return next((d for d in decisions if d.is_listed), decisions[0])
    readable = [d for d in decisions if d.read]
    attributes = frozenset[str]().union(*(d.attributes for d in readable))
    styles = frozenset[str]().union(*(d.styles for d in readable))
    everything = first.attributes | first.hidden
    return replace(
        first,
        attributes=attributes,
        hidden=everything - attributes,
        styles=styles,
        closed_styles=(first.styles | first.closed_styles) - styles,
        default_style=first.default_style or next((d.default_style for d in readable), ""),
        insert=next((d.insert for d in decisions if d.insert.is_allowed), first.insert),
        rules=tuple(dict.fromkeys(rule for d in decisions for rule in d.rules)),
    )
