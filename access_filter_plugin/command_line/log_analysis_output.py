"""A report of request logs as tables for people and as one object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .log_analysis_reader import ReadCounts
from .log_analysis_report import Group, Report, number, text, texts
from .output import table

MAX_CELL = 60
Groups = dict[tuple[str, ...], Group]


def as_json(report: Report, counts: ReadCounts) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "lines": counts.lines,
        "broken": counts.broken,
        "other": counts.other,
        "unreadable": counts.unreadable,
        "requests": report.all.times.count,
        "from": report.first,
        "to": report.all.last,
        "bytes": report.bytes,
        "statuses": {str(status): count for status, count in sorted(report.statuses.items())},
        "times": _times(report.all),
        "slow": report.slow,
        "by_request": _objects(report.requests, ("service", "request"), report.top),
        "by_layer": _objects(report.layers, ("project", "layer"), report.top),
        "refusals": _objects(report.rules, ("rule",), report.top, by_count=True),
        "errors": _objects(report.errors, ("status", "code"), report.top, by_count=True),
        "users": _objects(report.users, ("user",), report.top),
    }


def as_tables(report: Report, counts: ReadCounts) -> Iterable[str]:
    """Return the report as lines of text."""
    yield from _summary(report, counts)
    if not report.all.times.count:
        return
    yield from _section("Slowest requests", _slow_rows(report))
    heading = ("requests", "total s", "p50 ms", "p95 ms", "max ms")
    top = report.top
    yield from _section(
        "Requests by time", _time_rows(report.requests, ("service", "request", *heading), top)
    )
    yield from _section(
        "Layers by time (a request's time is shared among its layers, unless QGIS measured them)",
        _time_rows(report.layers, ("project", "layer", *heading), top),
    )
    yield from _section("Refusals by rule or reason", _refusal_rows(report))
    yield from _section("Errors", _error_rows(report))
    yield from _section("Users", _user_rows(report))


def _summary(report: Report, counts: ReadCounts) -> Iterable[str]:
    times = report.all.times
    yield (
        f"{times.count} requests from {report.first or '-'} to {report.all.last or '-'}; "
        f"{report.all.refused} refused, {report.all.failed} failed, {_megabytes(report.bytes)}"
    )
    if counts.broken or counts.other:
        yield f"{counts.broken} broken lines, {counts.other} lines of other programs"
    if times.count:
        yield (
            f"ms: half within {times.percentile(0.5):.1f}, 95 % within "
            f"{times.percentile(0.95):.1f}, longest {times.max_ms:.1f}"
        )
        found = ", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items()))
        yield f"statuses: {found}"


def _section(title: str, rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if len(rows) > 1:
        yield ""
        yield title
        yield from table([[_cell(cell) for cell in row] for row in rows])


def _slow_rows(report: Report) -> list[tuple[str, ...]]:
    heading = ("ms", "time", "status", "request", "layers", "user", "request id")
    return [heading, *(_slow_row(entry) for entry in report.slow)]


def _slow_row(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{number(entry, 'ms'):.1f}",
        text(entry, "time"),
        f"{number(entry, 'status'):.0f}",
        f"{text(entry, 'service')} {text(entry, 'request')}".strip(),
        ",".join(texts(entry, "layers")),
        text(entry, "user"),
        text(entry, "request_id"),
    )


def _time_rows(groups: Groups, heading: tuple[str, ...], top: int) -> list[tuple[str, ...]]:
    rows = [heading]
    for key, group in _most(groups, top):
        times = group.times
        rows.append(
            (
                *key,
                str(times.count),
                f"{times.total_ms / 1000:.1f}",
                f"{times.percentile(0.5):.1f}",
                f"{times.percentile(0.95):.1f}",
                f"{times.max_ms:.1f}",
            )
        )
    return rows


def _refusal_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("rule or reason", "requests", "last", "user", "request id")]
    for (rule,), group in _most(report.rules, report.top, by_count=True):
        last = group.example
        rows.append(
            (
                rule,
                str(group.times.count),
                group.last,
                text(last, "user"),
                text(last, "request_id"),
            )
        )
    return rows


def _error_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("status", "code", "requests", "last", "text of the last one")]
    for (status, code), group in _most(report.errors, report.top, by_count=True):
        rows.append((status, code, str(group.times.count), group.last, _error_text(group.example)))
    return rows


def _error_text(entry: dict[str, Any]) -> str:
    error = entry.get("error")
    return text(error, "text") if isinstance(error, dict) else ""


def _user_rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("user", "requests", "refused", "failed", "total s", "last")]
    for (user,), group in _most(report.users, report.top):
        seconds = f"{group.times.total_ms / 1000:.1f}"
        counts = (str(group.times.count), str(group.refused), str(group.failed))
        rows.append((user, *counts, seconds, group.last))
    return rows


def _most(
    groups: Groups, top: int, *, by_count: bool = False
) -> list[tuple[tuple[str, ...], Group]]:
    def weight(item: tuple[tuple[str, ...], Group]) -> tuple[float, tuple[str, ...]]:
        times = item[1].times
        return (-times.count if by_count else -times.total_ms, item[0])

    return sorted(groups.items(), key=weight)[:top]


def _times(group: Group) -> dict[str, Any]:
    times = group.times
    return {
        "count": times.count,
        "total_ms": round(times.total_ms, 2),
        "p50_ms": round(times.percentile(0.5), 2),
        "p95_ms": round(times.percentile(0.95), 2),
        "max_ms": round(times.max_ms, 2),
    }


def _objects(
    groups: Groups, names: tuple[str, ...], top: int, *, by_count: bool = False
) -> list[dict[str, Any]]:
    return [
        {
            **dict(zip(names, key)),
            **_times(group),
            "refused": group.refused,
            "failed": group.failed,
            "last": group.last,
            "last_request_id": text(group.example, "request_id"),
        }
        for key, group in _most(groups, top, by_count=by_count)
    ]


def _cell(value: str) -> str:
    return value if len(value) <= MAX_CELL else f"{value[: MAX_CELL - 1]}…"


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
