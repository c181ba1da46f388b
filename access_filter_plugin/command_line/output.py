"""How the command line prints: colour on a terminal only, tables by width, JSON by request."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from .. import json_codec
from ..strict_json import Problem, Severity

RED, YELLOW, GREEN, BOLD = "31", "33", "32", "1"


def use_colour() -> bool:
    """Return whether standard output is a terminal and ``NO_COLOR`` is not set."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, colour: str) -> str:
    """Return the text in a colour, where colours are used."""
    return f"\033[{colour}m{text}\033[0m" if use_colour() else text


def write_line(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """Write a value as one line of JSON."""
    write_line(json_codec.dumps(value).decode())


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of equal width; the first row is the heading."""
    texts = [[str(cell) for cell in row] for row in rows]
    if not texts:
        return []
    widths = [max(len(row[index]) for row in texts) for index in range(len(texts[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in texts
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def problem_line(problem: Problem) -> str:
    """Return a problem as one line: severity, path, message."""
    is_error = problem.severity is Severity.ERROR
    word = paint("error", RED) if is_error else paint("warning", YELLOW)
    return f"{word}: {problem}"


def problem_object(problem: Problem) -> dict[str, str]:
    """Return a problem as JSON values."""
    return {
        "severity": problem.severity.value,
        "path": problem.path,
        "message": problem.message,
    }
