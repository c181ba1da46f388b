"""What a project says about its own log: the variable ``request_log``, under the operator's word.

Absent: the operator's default. ``{}``: on, with all defaults. Invalid: the operator's default, and
every problem with its path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Optional

from ..strict_json import ObjectReader, Problem, StrictJsonError, did_you_mean, read_json, shown
from ..value_class import value_class

VARIABLE = "request_log"

#: Every field of a line, in the order in which a line has them.
FIELDS = (
    "time",
    "level",
    "request_id",
    "trace_id",
    "pid",
    "project",
    "service",
    "request",
    "version",
    "layers",
    "styles",
    "crs",
    "format",
    "template",
    "feature_count",
    "method",
    "path",
    "width",
    "height",
    "bbox",
    "status",
    "error",
    "ms",
    "bytes",
    "user",
    "roles",
    "client",
    "user_agent",
    "referer",
    "decision",
    "cached",
    "enriched",
    "bad_layers",
    "layer_ms",
)
ALL_FIELDS = frozenset(FIELDS)
#: What a project cannot take away where the operator logs always.
ALWAYS_FIELDS = frozenset({"user", "decision", "status"})
ANONYMIZABLE = ("user", "client")
KEYS = ("slow_ms", "sample", "fields", "anonymize")

DEFAULT_SLOW_MS = 1000.0
ONE_DAY_MS = 86_400_000


@value_class
class LogSettings:
    """How the requests of one project are logged."""

    enabled: bool = True
    slow_ms: float = DEFAULT_SLOW_MS
    """Requests that took at least this long are warnings, and are never left out by ``sample``."""
    sample: float = 1.0
    """The share of unremarkable requests that get a line."""
    fields: frozenset[str] = ALL_FIELDS
    """ALL_FIELDS itself where nothing is left out: leaving out costs a second look at the line."""
    anonymize: frozenset[str] = frozenset()

    @property
    def is_plain(self) -> bool:
        """True where every request has a line, with all fields and no pseudonym."""
        return self.sample >= 1.0 and self.fields is ALL_FIELDS and not self.anonymize


def operator_defaults(log_default: str) -> LogSettings:
    """Return what ``ACCESS_FILTER_LOG_DEFAULT`` means for a project that says nothing."""
    return LogSettings(enabled=log_default != "off")


def read_log_settings(
    text: Optional[str], log_default: str
) -> tuple[LogSettings, tuple[Problem, ...]]:
    """Return a project's settings under the operator's default, and all problems of its text.

    With ``always`` a project cannot switch off, sample, or drop or disguise who was let in.
    """
    defaults = operator_defaults(log_default)
    if text is None:
        return defaults, ()
    problems: list[Problem] = []
    settings = _parse(text, problems)
    if settings is None or problems:
        return defaults, tuple(problems)
    if log_default == "always":
        settings = _unweakened(settings)
    return replace(settings, fields=_the_one(settings.fields)), ()


def _the_one(fields: frozenset[str]) -> frozenset[str]:
    return ALL_FIELDS if fields == ALL_FIELDS else fields


def _unweakened(settings: LogSettings) -> LogSettings:
    return replace(
        settings,
        enabled=True,
        sample=1.0,
        fields=settings.fields | ALWAYS_FIELDS,
        anonymize=settings.anonymize - ALWAYS_FIELDS,
    )


def _parse(text: str, problems: list[Problem]) -> Optional[LogSettings]:
    word = text.strip().lower()
    if word in ("on", "off"):
        return LogSettings(enabled=word == "on")
    try:
        value = read_json(text, VARIABLE)
    except StrictJsonError as error:
        hint = ' (expected "on", "off" or a JSON object)'
        problems += [Problem(problem.path, problem.message + hint) for problem in error.problems]
        return None
    if isinstance(value, str) and value in ("on", "off"):
        return LogSettings(enabled=value == "on")
    if not isinstance(value, dict):
        message = f'must be "on", "off" or an object, is {shown(value)}'
        problems.append(Problem(VARIABLE, message))
        return None
    return _read_object(value, problems)


def _read_object(value: Any, problems: list[Problem]) -> LogSettings:
    reader = ObjectReader(value, VARIABLE, problems, KEYS)
    return LogSettings(
        slow_ms=float(reader.number("slow_ms", DEFAULT_SLOW_MS, 0, ONE_DAY_MS)),
        sample=float(reader.number("sample", 1.0, 0, 1)),
        fields=_fields(reader, problems),
        anonymize=_anonymize(reader, problems),
    )


def _fields(reader: ObjectReader, problems: list[Problem]) -> frozenset[str]:
    entries = reader.strings("fields")
    if entries is None:
        return ALL_FIELDS
    path = f"{reader.path}.fields"
    taken = _select((entry for entry in entries if not entry.startswith("!")), path, problems)
    away = [entry[1:] for entry in entries if entry.startswith("!")]
    if away and len(away) == len(entries):
        taken = ALL_FIELDS
    return taken - _select(away, path, problems)


def _select(patterns: Iterable[str], path: str, problems: list[Problem]) -> frozenset[str]:
    chosen: set[str] = set()
    for pattern in patterns:
        # Brackets mean something to fnmatch and nothing to us.
        found = [name for name in FIELDS if "[" not in pattern and fnmatchcase(name, pattern)]
        if not found:
            message = f"no field is called {shown(pattern)}" + did_you_mean(pattern, FIELDS)
            problems.append(Problem(path, message))
        chosen.update(found)
    return frozenset(chosen)


def _anonymize(reader: ObjectReader, problems: list[Problem]) -> frozenset[str]:
    names = reader.strings("anonymize") or ()
    for name in names:
        if name not in ANONYMIZABLE:
            expected = " and ".join(f'"{known}"' for known in ANONYMIZABLE)
            message = f"only {expected} can be anonymized, not {shown(name)}"
            problems.append(Problem(f"{reader.path}.anonymize", message))
    return frozenset(names)
