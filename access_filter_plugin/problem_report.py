"""Problems as lines of a log: every one of them, but for a hostile number of them."""

from __future__ import annotations

from collections.abc import Iterable

from .strict_json import Problem, Severity

MAX_LINES = 200
"""Lines of one entry; a variable can hold tens of thousands of wrong keys."""


def problem_lines(problems: Iterable[Problem], severity: Severity) -> str:
    """Return the problems of one severity, a line each; past 200 lines how many more there are."""
    lines = [str(problem) for problem in problems if problem.severity is severity]
    rest = len(lines) - MAX_LINES
    if rest > 0:
        lines[MAX_LINES:] = [f"and {rest} more"]
    return "\n".join(lines)
