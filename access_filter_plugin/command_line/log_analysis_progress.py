"""A progress bar for long input, on a terminal alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import BinaryIO, Optional, TextIO

LONG_BYTES = 20_000_000
_WIDTH = 30
_EVERY_SECONDS = 0.2
_EVERY_LINES = 2000


class Progress:
    """Shows how much of the input was read; silent when it is short or nobody looks."""

    def __init__(self, paths: Iterable[str], stream: Optional[TextIO] = None) -> None:
        self._stream = stream or sys.stderr
        self._total = sum(_size(path) for path in paths)
        self._is_shown = self._total >= LONG_BYTES and self._stream.isatty()
        self._before = 0
        self._here = 0
        self._lines = 0
        self._next = 0.0

    def at(self, raw: BinaryIO, _size: int) -> None:
        """Note a line of a file, and draw when it is time."""
        self._lines += 1
        if not self._is_shown or self._lines % _EVERY_LINES:
            return
        self._here = raw.tell()  # of the file as it lies on the disk, packed or not
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_SECONDS
            self._draw()

    def finish_file(self) -> None:
        """Note that a file was read to its end."""
        self._before += self._here
        self._here = 0

    def done(self) -> None:
        """Take the bar away."""
        if self._is_shown:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _draw(self) -> None:
        share = min(1.0, (self._before + self._here) / self._total)
        bar = "#" * int(share * _WIDTH)
        text = f"\r[{bar:{_WIDTH}}] {share:4.0%}  {self._lines:,} lines"
        self._stream.write(text)
        self._stream.flush()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
