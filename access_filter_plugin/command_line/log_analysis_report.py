"""What request logs tell, added up entry by entry: pure, in memory that does not grow with time.

An entry may have been cut, edited or written by another version: whatever is not of the expected
type counts as missing.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_NAMES = 50_000
"""Layers, users, … that are told apart; the rest is added up under one name."""
THE_REST = "(others)"
ANONYMOUS = "(anonymous)"
NO_RULE = "(no rule opened it)"
_BUCKETS_PER_E = 20


@dataclass
class Times:
    """Counts times: how many, how long, and percentiles to within five per cent."""

    count: int = 0
    total_ms: float = 0.0
    max_ms: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, ms: float) -> None:
        """Add one time."""
        self.count += 1
        self.total_ms += ms
        self.max_ms = max(self.max_ms, ms)
        self.buckets[round(math.log(max(ms, 0.001)) * _BUCKETS_PER_E)] += 1

    def percentile(self, share: float) -> float:
        """Return the time that this share of the requests did not exceed."""
        wanted = share * self.count
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return min(self.max_ms, math.exp(bucket / _BUCKETS_PER_E))
        return 0.0


@dataclass
class Group:
    """Requests that have something in common."""

    times: Times = field(default_factory=Times)
    refused: int = 0
    failed: int = 0
    last: str = ""
    """When the last one came."""
    example: dict[str, Any] = field(default_factory=dict)
    """The last one."""

    def add(self, entry: dict[str, Any], ms: float) -> None:
        """Add one request."""
        self.times.add(ms)
        self.refused += is_refused(entry)
        self.failed += is_failed(entry)
        self.last = max(self.last, text(entry, "time"))
        self.example = entry


class Report:
    """The sums of all entries."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.all = Group()
        self.first = ""
        self.bytes = 0
        self.statuses: Counter[int] = Counter()
        self.requests: dict[tuple[str, ...], Group] = {}
        self.layers: dict[tuple[str, ...], Group] = {}
        self.rules: dict[tuple[str, ...], Group] = {}
        self.errors: dict[tuple[str, ...], Group] = {}
        self.users: dict[tuple[str, ...], Group] = {}
        self._slow: list[tuple[float, int, dict[str, Any]]] = []

    def add(self, entry: dict[str, Any]) -> None:
        """Add one request."""
        ms = number(entry, "ms")
        self.all.add(entry, ms)
        came = text(entry, "time")
        self.first = min(self.first or came, came or self.first)
        self.bytes += int(number(entry, "bytes"))
        self.statuses[int(number(entry, "status"))] += 1
        self._add_slow(entry, ms)
        _group(self.requests, text(entry, "service"), text(entry, "request")).add(entry, ms)
        user = text(entry, "user") or ANONYMOUS
        _group(self.users, user).add(entry, ms)
        self._add_layers(entry, ms)
        if is_refused(entry):
            for rule in _refusing_rules(entry):
                _group(self.rules, rule).add(entry, ms)
        if is_failed(entry):
            error = mapping(entry, "error")
            status = str(int(number(entry, "status")))
            _group(self.errors, status, text(error, "code")).add(entry, ms)

    @property
    def slow(self) -> list[dict[str, Any]]:
        """The slowest requests, the slowest first."""
        return [entry for _, _, entry in sorted(self._slow, reverse=True, key=lambda one: one[:2])]

    def _add_slow(self, entry: dict[str, Any], ms: float) -> None:
        item = (ms, -self.all.times.count, entry)
        if len(self._slow) < self.top:
            heapq.heappush(self._slow, item)
        elif self._slow and ms > self._slow[0][0]:
            heapq.heapreplace(self._slow, item)

    def _add_layers(self, entry: dict[str, Any], ms: float) -> None:
        project = text(entry, "project")
        measured = mapping(entry, "layer_ms")
        if measured:
            shares = {str(name): number(measured, name) for name in measured}
        else:
            names = list(dict.fromkeys(texts(entry, "layers")))
            shares = {name: ms / len(names) for name in names}
        for name, share in shares.items():
            _group(self.layers, project, name).add(entry, share)


def _group(groups: dict[tuple[str, ...], Group], *key: str) -> Group:
    if key not in groups and len(groups) >= MAX_NAMES:
        key = (*[""] * (len(key) - 1), THE_REST)
    return groups.setdefault(key, Group())


def _refusing_rules(entry: Mapping[str, Any]) -> list[str]:
    decision = mapping(entry, "decision")
    reason = text(decision, "refused")
    return [reason] if reason else texts(decision, "rules") or [NO_RULE]


def is_refused(entry: Mapping[str, Any]) -> bool:
    """Return whether access control refused the request."""
    decision = mapping(entry, "decision")
    denied = text(decision, "effect") == "deny" or bool(text(decision, "refused"))
    return denied or entry.get("status") in (401, 403)


def is_failed(entry: Mapping[str, Any]) -> bool:
    """Return whether something went wrong that was no refusal."""
    wrong = bool(mapping(entry, "error")) or number(entry, "status") >= 400
    return wrong and not is_refused(entry)


def text(entry: Mapping[str, Any], name: str) -> str:
    """Return a member that is a text, without what could upset a terminal; else an empty one."""
    value = entry.get(name)
    return printable(value) if isinstance(value, str) else ""


def texts(entry: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts of a member that is a list."""
    value = entry.get(name)
    if not isinstance(value, list):
        return []
    return [printable(item) for item in value if isinstance(item, str)]


def number(entry: Mapping[str, Any], name: str) -> float:
    """Return a member that is a finite number; else 0."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        return 0.0
    return value


def mapping(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a member that is an object; else an empty one."""
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def printable(value: str) -> str:
    """Return a text in which nothing moves the cursor or changes colours."""
    if value.isprintable():
        return value
    return "".join(character if character.isprintable() else "?" for character in value)
