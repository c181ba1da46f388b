"""``log``: what request logs tell, as tables or as JSON; needs no QGIS."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from .log_analysis_output import as_json, as_tables
from .log_analysis_progress import Progress
from .log_analysis_reader import ReadCounts, entries, with_rotated
from .log_analysis_report import Report, text
from .output import write_json, write_line

EXIT_UNREADABLE = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin log",
        description="Slow requests, layers by time, refusals by rule, errors and users.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a log, packed or not; - is stdin")
    parser.add_argument("--rotated", action="store_true", help="and FILE.1, FILE.2.gz, FILE-2026…")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--top", type=_positive, default=10, metavar="N", help="lines per table")
    parser.add_argument(
        "--since", type=_moment, metavar="TIME", help="ISO 8601; UTC if it has no offset"
    )
    parser.add_argument("--until", type=_moment, metavar="TIME", help="ISO 8601, not included")
    parser.add_argument("--project", metavar="TEXT", help="only projects whose name contains this")
    parser.add_argument("--user", metavar="NAME", help="only this user")
    return parser


def run(arguments: list[str]) -> int:
    """Analyse logs; return 0, or 2 when a file could not be read to its end."""
    options = _parser().parse_args(arguments)
    paths = with_rotated(options.files) if options.rotated else options.files
    counts = ReadCounts()
    report = Report(options.top)
    for entry in _chosen(entries(paths, counts, Progress(paths)), options):
        report.add(entry)
    try:
        if options.json:
            write_json(as_json(report, counts))
        else:
            for line in as_tables(report, counts):
                write_line(line)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for problem in counts.unreadable:
        sys.stderr.write(f"{problem}\n")
    return EXIT_UNREADABLE if counts.unreadable else 0


def _chosen(
    found: Iterator[dict[str, Any]], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    for entry in found:
        came = text(entry, "time")
        if options.since and came < options.since:
            continue
        if options.until and came >= options.until:
            continue
        if options.project and options.project not in text(entry, "project"):
            continue
        if options.user is not None and text(entry, "user") != options.user:
            continue
        yield entry


def _positive(value: str) -> int:
    count = int(value)
    if not 1 <= count <= 10_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 10000")
    return count


def _moment(value: str) -> str:
    """Return a time as lines have it, so that texts can be compared."""
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a date or time in ISO 8601") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    utc = moment.astimezone(timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
