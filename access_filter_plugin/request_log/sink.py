"""Where lines go: one system call a line, and a failure that is told once and breaks nothing.

``stderr``, ``syslog`` (in ``syslog_sink``), ``off``, or a file's path. A file is opened for
appending, so that workers never overwrite one another and ``copytruncate`` works, and is opened
again when it was renamed or removed. Whatever is no regular file (a pipe to docker, a socket to
journald) gets at most 4096 bytes at a time.
"""

from __future__ import annotations

import errno
import os
import time
from typing import Callable, Optional, Protocol

from .descriptor import MAX_FILE_LINE, Descriptor, FailureReporter, Report
from .syslog_sink import SyslogSink

STDERR = 2
LOOK_EVERY_SECONDS = 0.2
"""How often a busy worker looks whether its file was renamed: the two system calls of the look cost
more than the line."""
_FILE_MODE = 0o640
_NONE = -1
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
# Non-blocking for the sake of named pipes, no matter for a regular file. Windows has neither.
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Sink(Protocol):
    """Takes lines."""

    def write(self, line: bytes, level: str) -> None:
        """Write one line, or report that it could not be written; never raise."""


class NoSink:
    """``off``: keeps nothing."""

    def write(self, line: bytes, level: str) -> None:
        """Do nothing."""


class StderrSink:
    """The standard error stream, as it was when the plugin loaded."""

    def __init__(self, reporter: FailureReporter) -> None:
        self._reporter = reporter
        self._descriptor: Optional[Descriptor] = None
        try:
            # A copy: should anybody close descriptor 2, its number may come back as a database.
            self._descriptor = Descriptor(os.dup(STDERR))
        except OSError as error:
            reporter.failed(error.strerror or str(error))

    def write(self, line: bytes, level: str) -> None:
        """Write one line, or report that it could not be written."""
        if self._descriptor is None:
            return
        try:
            self._descriptor.write(line)
        except OSError as error:
            self._reporter.failed(error.strerror or str(error))


NO_SINK = NoSink()


class FileSink:
    """A file, followed through rotation by rename and by truncation."""

    def __init__(
        self, path: str, reporter: FailureReporter, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = os.path.abspath(path)
        self._reporter = reporter
        self._clock = clock
        self._descriptor: Optional[Descriptor] = None
        self._plain = _NONE
        """The number of the descriptor while it takes lines as they are."""
        self._look_at = 0.0

    def write(self, line: bytes, level: str) -> None:
        """Write one line, or report that it could not be written."""
        try:
            if self._clock() >= self._look_at:
                self._open_file()
            descriptor = self._descriptor
            if descriptor is None:
                raise OSError(errno.EBADF, "not open")
            if self._plain == _NONE or len(line) > MAX_FILE_LINE:
                descriptor.write(line)
            elif os.write(self._plain, line) != len(line):
                self._plain = _NONE
                descriptor.cut_off()
        except OSError as error:
            self._reporter.failed(error.strerror or str(error))

    def _open_file(self) -> None:
        self._look_at = 0.0  # again with the next line, should this fail
        self._plain = _NONE
        if self._descriptor is not None and not self._is_in_place(self._descriptor):
            self._descriptor.close()
            self._descriptor = None
        if self._descriptor is None:
            self._descriptor = Descriptor(os.open(self._path, _FLAGS, _FILE_MODE))
        if self._descriptor.is_plain:
            self._plain = self._descriptor.number
        self._look_at = self._clock() + LOOK_EVERY_SECONDS

    def _is_in_place(self, descriptor: Descriptor) -> bool:
        try:
            return descriptor.is_at(self._path)
        except FileNotFoundError:
            return False


def make_sink(setting: str, report: Report) -> Sink:
    """Return the sink that ``ACCESS_FILTER_LOG`` names."""
    if setting == "off":
        return NO_SINK
    reporter = FailureReporter(setting, report)
    if setting == "stderr":
        return StderrSink(reporter)
    if setting == "syslog":
        return SyslogSink(reporter)
    return FileSink(setting, reporter)
