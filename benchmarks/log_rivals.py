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


class FloorFeature:
    """Ten constants by orjson and one write: nothing is asked of the request, nothing is true."""

    name = "floor_log"

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def compile(self, _state: Any) -> None:
        """Take nothing from a project."""

    def request_ready(self, _context: Any, _handler: Any) -> None:
        """Take nothing from a request."""

    def response_complete(self, _context: Any, _handler: Any) -> None:
        """Write the line."""
        os.write(self._file, orjson.dumps(TEN) + b"\n")


def variants(features: tuple[Any, ...], folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return the features of a pipeline without its log, and with each of the logs."""
    without = tuple(feature for feature in features if feature.name != "request_log")
    return {
        "without": without,
        "ours": features,
        "floor": (*without, FloorFeature(folder / "floor.log")),
        "logging": (*without, StandardFeature(folder / "standard.log")),
    }
