"""Makes a line fit where only so many bytes are written whole: 4096 on a pipe (facts C8).

What is left out is named in the member ``shortened``. ``status``, ``user``, the effect of the
decision and the reason of a refusal always stay.
"""

from __future__ import annotations

import json
from typing import Any

#: In this order, one after the other, until the line fits.
GIVEN_UP = (
    "layer_ms",
    "bad_layers",
    "styles",
    "referer",
    "user_agent",
    "path",
    "roles",
    "template",
    "bbox",
    "error",
    "layers",
    "project",
)
_DECISION_GIVEN_UP = ("hidden", "filtered", "denied", "rules")


def shorten(line: bytes, limit: int) -> bytes:
    """Return the line, or a shorter one of at most ``limit`` bytes that is valid JSON as well."""
    if len(line) <= limit:
        return line
    entry: dict[str, Any] = json.loads(line)
    gone: list[str] = []
    entry["shortened"] = gone
    for name in GIVEN_UP:
        shorter = _without(entry, name, gone, limit)
        if shorter is not None:
            return shorter
    decision = entry.get("decision", {})
    for name in _DECISION_GIVEN_UP:
        if decision.pop(name, None) is not None:
            gone.append(f"decision.{name}")
        shorter = _written(entry)
        if len(shorter) <= limit:
            return shorter
    return _written(_least(entry))


def _without(entry: dict[str, Any], name: str, gone: list[str], limit: int) -> bytes | None:
    if entry.pop(name, None) is not None:
        gone.append(name)
    shorter = _written(entry)
    return shorter if len(shorter) <= limit else None


def _least(entry: dict[str, Any]) -> dict[str, Any]:
    kept = ("time", "level", "request_id", "service", "request", "status", "ms", "user", "decision")
    least = {name: entry[name] for name in kept if name in entry}
    least["shortened"] = ["*"]
    return least


def _written(entry: dict[str, Any]) -> bytes:
    # ensure_ascii: a line that had escapes keeps them, and no character is cut in half.
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
