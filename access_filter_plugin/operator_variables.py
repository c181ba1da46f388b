"""Reads the operator's environment variables one kind of value at a time, noting every problem."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Optional

from .addresses import Network, read_networks
from .late_pattern import late_pattern
from .strict_json import Problem, did_you_mean, shown
from .subject import BUILT_IN_ROLES

PREFIX = "ACCESS_FILTER_"

_HEADER_NAME = late_pattern(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_HOST = late_pattern(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_SCHEME = late_pattern(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SIZE = late_pattern(r"[1-9][0-9]{0,14}", re.ASCII)
_GEOPACKAGE = "geopackage:"
_NO_IDENTITY = frozenset({"Authorization", "Proxy-Authorization", "Cookie", "Host"})
"""Headers that the client writes and no proxy replaces."""


def canonical_header(name: str) -> str:
    """Return the spelling that HTTP libraries normalise a header name to (``X-My-User``)."""
    return "-".join(part.capitalize() for part in name.split("-"))


class VariableReader:
    """The variables of one environment that carry our prefix; collects problems, never raises."""

    def __init__(
        self, environment: Mapping[str, str], known: Sequence[str], secrets: Sequence[str]
    ) -> None:
        self.problems: list[Problem] = []
        self._secrets = secrets
        self._values: dict[str, str] = {}
        for variable, value in sorted(environment.items()):
            if not variable.upper().startswith(PREFIX):
                continue
            name = variable[len(PREFIX) :]
            if variable.startswith(PREFIX) and name in known:
                self._values[name] = value
            else:
                hint = did_you_mean(variable, [PREFIX + other for other in known])
                self.problems.append(Problem(variable, f"unknown variable{hint}"))

    def problem(self, name: str, message: str) -> None:
        """Note a problem of a variable (named without the prefix)."""
        self.problems.append(Problem(PREFIX + name, message))

    def has(self, name: str) -> bool:
        """Return whether the variable is set, whatever its value."""
        return name in self._values

    def text(self, name: str) -> Optional[str]:
        """Return a value as it stands; set but empty is a problem, absent is None."""
        value = self._values.get(name)
        if value is not None and not value.strip():
            self.problem(name, "is empty; give it a value or remove the variable")
            return None
        return value

    def size(self, name: str, default: int) -> int:
        """Return a number of bytes, at least one; the default when absent or wrong."""
        value = self.text(name)
        if value is None:
            return default
        if _SIZE.fullmatch(value.strip()) is None:
            message = "must be a whole number of bytes, such as 1048576"
            self.problem(name, message + self._is(name, value))
            return default
        return int(value)

    def separator(self, name: str, default: str) -> str:
        """Return what stands between the entries of a header; it may be a blank."""
        value = self._values.get(name, default)
        if not value:
            self.problem(name, "is empty; give it a value or remove the variable")
        return value.strip() or value

    def header_value(self, name: str) -> Optional[str]:
        """Return a text that can travel in an HTTP header: visible ASCII, blanks only inside."""
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            message = "must be printable ASCII without blanks around it"
            self.problem(name, message + self._is(name, value))
            return None
        return value

    def header_name(self, name: str) -> str:
        """Return a header's name in its canonical spelling, or an empty text."""
        value = (self.text(name) or "").strip()
        if not value:
            return ""
        if not _HEADER_NAME.fullmatch(value):
            message = "must be a header's name of letters, digits and hyphens"
            self.problem(name, message + self._is(name, value))
            return ""
        canonical = canonical_header(value)
        if canonical in _NO_IDENTITY:
            self.problem(name, f"is {shown(value)}, which the client writes and no proxy replaces")
        return canonical

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return one of the choices; the first is the default."""
        if not self.has(name):
            return choices[0]
        value = (self.text(name) or "").strip()
        if value and value not in choices:
            self._not_a_choice(name, value, choices, "")
        return value if value in choices else choices[0]

    def choice_or_path(self, name: str, choices: Sequence[str]) -> str:
        """Return one of the choices, or an absolute path; the first choice is the default."""
        if not self.has(name):
            return choices[0]
        value = (self.text(name) or "").strip()
        if value in choices or os.path.isabs(value):
            return value
        if value:
            self._not_a_choice(name, value, choices, " or an absolute path")
        return choices[0]

    def _not_a_choice(self, name: str, value: str, choices: Sequence[str], more: str) -> None:
        expected = ", ".join(f'"{choice}"' for choice in choices)
        hint = did_you_mean(value, choices)
        self.problem(name, f"must be one of {expected}{more}{self._is(name, value)}{hint}")

    def absolute_path(self, name: str) -> Optional[str]:
        """Return an absolute path; None when absent or wrong."""
        value = self.text(name)
        if value is not None and not os.path.isabs(value):
            self.problem(name, "must be an absolute path" + self._is(name, value))
            return None
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated list; an empty text is an empty list."""
        value = self._values.get(name, "")
        entries = [entry.strip() for entry in value.split(",")] if value.strip() else []
        if "" in entries:
            self.problem(name, "has an empty entry" + self._is(name, value))
        return tuple(entry for entry in entries if entry)

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return a list of host names, each with or without a port."""
        return self._entries(name, _HOST.fullmatch, "must be a host, or host:port, without a path")

    def roles(self, name: str) -> tuple[str, ...]:
        """Return a list of roles that a proxy can give, which the built-in ones are not."""
        expected = "is a built-in role, which nobody is given"
        return self._entries(name, lambda role: role not in BUILT_IN_ROLES, expected)

    def projects(self, name: str) -> Optional[tuple[str, ...]]:
        """Return folders and database prefixes; None when absent, which is not an empty list."""
        if not self.has(name):
            return None
        expected = "must be an absolute folder, or a prefix such as postgresql://…"
        return self._entries(name, _is_folder_or_prefix, expected)

    def _entries(
        self, name: str, accepts: Callable[[str], object], expected: str
    ) -> tuple[str, ...]:
        entries = self.names(name)
        for index, entry in enumerate(entries):
            if not accepts(entry):
                self.problem(f"{name}[{index}]", f"{expected}{self._is(name, entry)}")
        return entries

    def trusted_proxies(self, name: str) -> tuple[tuple[Network, ...], bool]:
        """Return the blocks of trusted proxies and whether ``any`` stands there instead."""
        entries = self.names(name)
        if entries == ("any",):
            return (), True
        networks, wrong = read_networks(entries, strict=True)
        for index, message in wrong:
            what = "must stand alone" if entries[index] == "any" else message
            self.problem(f"{name}[{index}]", f"{shown(entries[index])} {what}")
        return networks, False

    def _is(self, name: str, value: str) -> str:
        return "" if name in self._secrets else f", is {shown(value)}"


def _is_folder_or_prefix(entry: str) -> bool:
    if os.path.isabs(entry):
        # A list in the manner of PATH would be one folder that does not exist.
        return os.pathsep + os.sep not in entry
    if entry.lower().startswith(_GEOPACKAGE):
        return os.path.isabs(entry[len(_GEOPACKAGE) :])
    return bool(_SCHEME.match(entry))
