"""Attributes that are computed for each caller: from his variables, near by or far off.

No rule can go by one. Rules are asked before the caller's variables are set (how many rows he sees,
how far they reach, whether he may edit them), and what is found is kept for all with the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from .catalogue import LayerInfo, Source

Attributes = Mapping[str, frozenset[str]]
"""Layer id → names of attributes."""


def attributes_by_caller(layers: Mapping[str, LayerInfo], named: Attributes) -> Attributes:
    """Return ``named``, which name a variable themselves, with all that is made of these."""
    found = {layer_id: names for layer_id, names in named.items() if names}
    while found:
        before = dict(found)
        for info in layers.values():
            more = _made_of(info, before)
            if more:
                found[info.id] = found.get(info.id, frozenset()) | more
        if found == before:
            break
    return found


def _made_of(info: LayerInfo, found: Attributes) -> frozenset[str]:
    if any(_holds(source, found) for source in info.sources):
        return frozenset(info.attributes)
    return frozenset(
        name
        for name, sources in info.attribute_sources.items()
        if any(_holds(source, found) for source in sources)
    )


def _holds(source: Source, found: Attributes) -> bool:
    """Return whether a source is one of these, or cannot be told and so might be."""
    if not source.layer:
        return True
    names = found.get(source.layer, frozenset())
    return bool(names if source.attributes is None else names & source.attributes)
