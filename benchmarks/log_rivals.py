"""What our log line is measured beside: the least that a line can cost, and the standard means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from benchmarks.log_line import StandardFeature

TEN = {
    "time": "2026-01-01T00:00:00.000Z",
    "level": "info",
    "service": "WMS",
    "request": "GetMap",
    "project": "/data/town.qgs",
    "layers": ["parcels"],
    "status": 200,
    "ms": 12.3,
    "user": "vera",
    "decision": "allow",
}


LINE = orjson.dumps(TEN) + b"\n"


class FloorFeature:
    """A line that is there already, in one write: nothing is asked of the request, nothing is true."""

    name = "floor_log"

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def compile(self, _state: Any) -> None:
        """Take nothing from a project."""

    def request_ready(self, _context: Any, _handler: Any) -> None:
        """Take nothing from a request."""

    def response_complete(self, _context: Any, _handler: Any) -> None:
        """Write the line."""
        self.write(LINE)

    def write(self, line: bytes) -> None:
        """Write a line by one system call."""
        os.write(self._file, line)


class SketchFeature(FloorFeature):
    """The same, made anew by orjson for every request."""

    name = "sketch_log"

    def response_complete(self, _context: Any, _handler: Any) -> None:
        """Make the line and write it."""
        self.write(orjson.dumps(TEN) + b"\n")


def variants(features: tuple[Any, ...], folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return the features of a pipeline without its log, and with each of the logs."""
    without = tuple(feature for feature in features if feature.name != "request_log")
    return {
        "without": without,
        "ours": features,
        "floor": (*without, FloorFeature(folder / "floor.log")),
        "sketch": (*without, SketchFeature(folder / "sketch.log")),
        "logging": (*without, StandardFeature(folder / "standard.log")),
    }
