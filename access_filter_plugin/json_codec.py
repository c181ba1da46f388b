"""One way to write and read JSON answers: orjson where it is installed, else the standard json.

Debian 12 does not package orjson (facts E19), so both must give the same bytes for what we write:
compact separators, UTF-8, no NaN.
"""

from __future__ import annotations

import json
from typing import Any

try:
    import orjson
except ImportError:
    HAS_ORJSON = False
else:
    HAS_ORJSON = True

BACKEND = "orjson" if HAS_ORJSON else "json"


def dumps(value: Any) -> bytes:
    """Return ``value`` as compact UTF-8 JSON; raise TypeError or ValueError when it is not JSON."""
    if HAS_ORJSON:
        return orjson.dumps(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8"
    )


def loads(data: bytes | str) -> Any:
    """Return the value of a JSON text; raise ValueError when it is not JSON."""
    if HAS_ORJSON:
        return orjson.loads(data)
    return json.loads(data, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
