"""An open file, pipe or socket that takes whole lines, one system call each."""

from __future__ import annotations

import errno
import os
import select
import stat
from typing import Callable, NoReturn, Optional

from .shorten import shorten

Report = Callable[[str], None]

MAX_FILE_LINE = 65536
MAX_PIPE_LINE = 4096
"""What the kernel writes whole into a pipe that several workers share (facts C8)."""
_PATIENCE_MS = 50


class FailureReporter:
    """Tells each kind of failure once, so that a full disk does not fill the other log."""

    def __init__(self, sink: str, report: Report) -> None:
        self._sink = sink
        self._report = report
        self._told: set[str] = set()

    def failed(self, reason: str) -> None:
        """Report a failure unless it was reported before."""
        if reason not in self._told:
            self._told.add(reason)
            self._report(
                f"request log: {self._sink} cannot be written ({reason}); requests are answered "
                "all the same, this is told once"
            )


class Descriptor:
    """An open file descriptor that is written one whole line at a time."""

    def __init__(self, number: int) -> None:
        self.number = number
        mode = os.fstat(number).st_mode
        self._is_file = stat.S_ISREG(mode)
        self._limit = MAX_FILE_LINE if self._is_file else MAX_PIPE_LINE
        self._poll: Optional[select.poll] = None
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._poll = select.poll()
            self._poll.register(number, select.POLLOUT)
        self._patience = _PATIENCE_MS
        self._torn = False

    def write(self, line: bytes) -> None:
        """Write a line with one call; raise OSError when it is not written whole."""
        if len(line) > self._limit:
            line = shorten(line, self._limit)
        if self._poll is not None:
            self._wait_for_reader(self._poll)
        if self._torn:  # the disk was full in the middle of a line: do not go on in that one
            line = b"\n" + line
        if os.write(self.number, line) == len(line):
            self._torn = False
            return
        self.cut_off()

    def cut_off(self) -> NoReturn:
        """Begin the next line on a line of its own, and raise OSError: the last one was not whole."""
        self._torn = True
        raise OSError(errno.ENOSPC, "a line was cut off")

    @property
    def is_plain(self) -> bool:
        """True where a line of at most ``MAX_FILE_LINE`` bytes needs nothing but to be written."""
        return self._is_file and not self._torn

    def _wait_for_reader(self, poll: select.poll) -> None:
        # A reader that stopped reading must not stop the server: wait once, then not at all.
        ready = poll.poll(self._patience)
        if not ready or not ready[0][1] & select.POLLOUT:
            self._patience = 0
            raise OSError(errno.EAGAIN, "nobody reads")
        self._patience = _PATIENCE_MS

    def is_at(self, path: str) -> bool:
        """Return whether the path still names the open file."""
        if not self._is_file:
            return True
        there = os.stat(path)
        here = os.fstat(self.number)
        return (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.number)
