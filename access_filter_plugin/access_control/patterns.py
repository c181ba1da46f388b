"""Lists of names with ``*`` and ``?`` wildcards and ``!`` entries (contract, section 3).

Patterns are matched by a linear-time walk of our own: a wildcard bomb (``*a*a*a*…``) costs at most
pattern length times name length, and no regular expression is ever built from a rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..value_class import value_class


def has_wildcard(text: str) -> bool:
    """Return whether a pattern can match more than one name."""
    return "*" in text or "?" in text


def matches(pattern: str, name: str) -> bool:
    """Return whether a name matches one pattern of ``*`` (any run) and ``?`` (one character)."""
    if not has_wildcard(pattern):
        return pattern == name
    if pattern == "*":
        return True
    at = mark = position = 0
    star = -1
    while position < len(name):
        wild = at < len(pattern) and pattern[at] == "*"
        if wild:
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[position]):
            at += 1
            position += 1
        elif star >= 0:
            at = star + 1
            mark += 1
            position = mark
        else:
            return False
    return pattern[at:].strip("*") == ""


@value_class
class NameList:
    """A list of names: some taken in, some taken away; taking away wins, order never matters."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    fold_case: bool = False

    @classmethod
    def parse(cls, entries: Iterable[str], *, fold_case: bool = False) -> NameList:
        """Return the list of these entries; only ``!`` entries start from all, none match none."""
        folded = [entry.lower() if fold_case else entry for entry in entries]
        include = tuple(entry for entry in folded if not entry.startswith("!"))
        exclude = tuple(entry[1:] for entry in folded if entry.startswith("!"))
        if exclude and not include:
            include = ("*",)
        return cls(include, exclude, fold_case)

    def excludes(self, name: str) -> bool:
        """Return whether a ``!`` entry names it."""
        folded = name.lower() if self.fold_case else name
        return any(matches(pattern, folded) for pattern in self.exclude)

    def includes(self, name: str) -> bool:
        """Return whether a positive entry names it, whatever the ``!`` entries say."""
        folded = name.lower() if self.fold_case else name
        return any(matches(pattern, folded) for pattern in self.include)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.includes(name) and not self.excludes(name)

    def select(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the names that are in the list."""
        return frozenset(name for name in names if name in self)

    @property
    def is_everything(self) -> bool:
        """True when no name is outside the list."""
        return "*" in self.include and not self.exclude

    def exact_removals(self) -> tuple[str, ...]:
        """Return the ``!`` entries without wildcards, which must name something that exists."""
        return tuple(entry for entry in self.exclude if not has_wildcard(entry))

    def exact_names(self) -> tuple[str, ...]:
        """Return the positive entries without wildcards."""
        return tuple(entry for entry in self.include if not has_wildcard(entry))
