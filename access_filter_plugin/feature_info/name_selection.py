"""Lists of field names with ``*``, ``?`` and ``!``, which here also say an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Optional


def has_wildcard(text: str) -> bool:
    """Return whether a pattern can match more than one name."""
    return "*" in text or "?" in text


def matches(pattern: str, name: str) -> bool:
    """Return whether a name matches a pattern of ``*`` and ``?``; brackets mean themselves."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def exact_names(entries: Optional[Iterable[str]]) -> tuple[str, ...]:
    """Return the entries that are names to be shown: neither patterns nor taken away."""
    return tuple(
        entry for entry in entries or () if not entry.startswith("!") and not has_wildcard(entry)
    )


def select(
    entries: Optional[Sequence[str]],
    shown: Sequence[str],
    others: Sequence[str] = (),
    hidden: Sequence[str] = (),
) -> list[str]:
    """Return the names that a list selects, in the order they are to be shown.

    ``shown`` are the names of the form, in its order; ``others`` (fields the form does not place)
    need an entry that fits; ``hidden`` (fields with the Hidden widget) need to be named in full.
    No list, and a list with only ``!`` entries, starts from ``shown``. Names stand where they are
    listed; a pattern stands for the rest that fits it.
    """
    if entries is None:
        return list(shown)
    removed = [entry[1:] for entry in entries if entry.startswith("!")]
    positive = [entry for entry in entries if not entry.startswith("!")]
    if removed and not positive:
        chosen = list(shown)
    else:
        chosen = _chosen(positive, [*shown, *others], hidden)
    return [name for name in chosen if not any(matches(entry, name) for entry in removed)]


def _chosen(positive: list[str], names: list[str], hidden: Sequence[str]) -> list[str]:
    listed = set(exact_names(positive))
    chosen: dict[str, None] = {}
    for entry in positive:
        if not has_wildcard(entry):
            if entry in names or entry in hidden:
                chosen[entry] = None
            continue
        for name in names:
            if name not in listed and matches(entry, name):
                chosen[name] = None
    return list(chosen)
