"""Regular expressions that are compiled when they are first used.

Compiling the ninety of them took a tenth of the start of a worker, and no worker uses all of them.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_MEMBERS = (
    *("match", "fullmatch", "search", "sub", "subn", "finditer", "findall", "split"),
    *("flags", "groups", "groupindex"),
)


class _Compiled:
    """Has the members of the pattern as attributes of its own, which Python finds at once."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self.pattern = pattern
        self._given_flags = flags


class _Uncompiled(_Compiled):
    """Compiles when it is asked for anything but its text."""

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self._given_flags)
        for member in _MEMBERS:
            setattr(self, member, getattr(compiled, member))
        self.__class__ = _Compiled  # type: ignore[assignment]  # to mypy a class never changes
        return getattr(compiled, name)


def late_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves like the compiled pattern, and is compiled by its first use."""
    return cast("re.Pattern[AnyStr]", _Uncompiled(pattern, int(flags)))
