"""What request logs tell, added up entry by entry: pure, in memory that does not grow with time.

An entry may have been cut, edited or written by another version: whatever is not of the expected
type counts as missing.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ..value_class import mutable_class, value_class

MAX_NAMES = 50_000
"""Layers, users, … that are told apart; the rest is added up under one name."""
THE_REST = "(others)"
ANONYMOUS = "(anonymous)"
NO_RULE = "(no rule opened it)"
_BUCKETS_PER_E = 20


@mutable_class
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


@value_class
class Request:
    """One entry, with what every sum asks for."""

    entry: dict[str, Any]
    came: str
    is_refused: bool
    """Access control said no."""
    is_failed: bool
    """Something went wrong that was no refusal."""

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Request:
        """Return an entry as a request."""
        decision, status = mapping(entry, "decision"), number(entry, "status")
        refused = (
            text(decision, "effect") == "deny"
            or bool(text(decision, "refused"))
            or status in (401, 403)
        )
        wrong = status >= 400 or bool(mapping(entry, "error"))
        return cls(entry, text(entry, "time"), refused, wrong and not refused)


@mutable_class
class Group:
    """Requests that have something in common."""

    times: Times = field(default_factory=Times)
    refused: int = 0
    failed: int = 0
    last: str = ""
    """When the last one came."""
    example: dict[str, Any] = field(default_factory=dict)
    """The last one."""

    def add(self, request: Request, ms: float) -> None:
        """Add one request, or the share of its time that belongs here."""
        self.times.add(ms)
        self.refused += request.is_refused
        self.failed += request.is_failed
        self.last = max(self.last, request.came)
        self.example = request.entry


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
        request, ms = Request.of(entry), number(entry, "ms")
        self.all.add(request, ms)
        self.first = min(self.first or request.came, request.came or self.first)
        self.bytes += int(number(entry, "bytes"))
        self.statuses[int(number(entry, "status"))] += 1
        self._add_slow(entry, ms)
        _group(self.requests, text(entry, "service"), text(entry, "request")).add(request, ms)
        _group(self.users, text(entry, "user") or ANONYMOUS).add(request, ms)
        self._add_layers(request, ms)
        if request.is_refused:
            for rule in _refusing_rules(entry):
                _group(self.rules, rule).add(request, ms)
        if request.is_failed:
            code = text(mapping(entry, "error"), "code")
            _group(self.errors, str(int(number(entry, "status"))), code).add(request, ms)

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

    def _add_layers(self, request: Request, ms: float) -> None:
        project = text(request.entry, "project")
        measured = mapping(request.entry, "layer_ms")
        if measured:
            shares = {printable(name): number(measured, name) for name in measured}
        else:
            names = list(dict.fromkeys(texts(request.entry, "layers")))
            shares = {name: ms / len(names) for name in names}
        for name, share in shares.items():
            _group(self.layers, project, name).add(request, share)


def _group(groups: dict[tuple[str, ...], Group], *key: str) -> Group:
    found = groups.get(key)
    if found is None:
        if len(groups) >= MAX_NAMES:
            key = (*[""] * (len(key) - 1), THE_REST)
        found = groups.setdefault(key, Group())
    return found


def _refusing_rules(entry: Mapping[str, Any]) -> list[str]:
    decision = mapping(entry, "decision")
    reason = text(decision, "refused")
    return [reason] if reason else texts(decision, "rules") or [NO_RULE]


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
