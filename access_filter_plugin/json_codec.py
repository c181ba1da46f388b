"""One way to write and read JSON answers: orjson where it is installed, else the standard json.

Debian 12 does not package orjson (facts E19), so both must give the same bytes for what we write:
compact separators, UTF-8, no NaN. orjson is loaded by the first answer that needs it: with what it
loads itself it was a twelfth of the start of a worker, and many answers are no JSON.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any, Callable


class StandardJson:
    """The standard library, held to what orjson does."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        """Return a value as compact UTF-8 JSON."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")

    @staticmethod
    def loads(data: bytes | str) -> Any:
        """Return the value of a JSON text."""
        return json.loads(data, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class Codec:
    """Writes and reads by orjson if it is there and loads, and otherwise by the standard library."""

    def __init__(self) -> None:
        self.backend = "json" if find_spec("orjson") is None else "orjson"
        self.tell: Callable[[str], None] = lambda _text: None
        """Is told when orjson is there and cannot be loaded."""
        self._used: Any = None

    def used(self) -> Any:
        """Return what has ``dumps`` and ``loads``; the first call may load it."""
        if self._used is None:
            self._used = self._load()
        return self._used

    def _load(self) -> Any:
        if self.backend == "json":
            return StandardJson
        try:
            import orjson  # noqa: PLC0415 (5 ms of a start, with all that it imports itself)
        except ImportError as error:
            self.backend = "json"
            self.tell(f"orjson cannot be loaded, so JSON is written by the slower json: {error}")
            return StandardJson
        return orjson


CODEC = Codec()


def dumps(value: Any) -> bytes:
    """Return ``value`` as compact UTF-8 JSON; raise TypeError or ValueError when it is not JSON."""
    written: bytes = CODEC.used().dumps(value)
    return written


def loads(data: bytes | str) -> Any:
    """Return the value of a JSON text; raise ValueError when it is not JSON."""
    return CODEC.used().loads(data)
