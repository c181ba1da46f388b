"""Lines for the system's log: one datagram each to the local socket, with the level as priority.

The C library's ``syslog`` tells nobody when it fails and waits for a daemon that hangs, so the few
bytes of the protocol (RFC 3164) are written here.
"""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Optional

from .descriptor import MAX_PIPE_LINE, FailureReporter
from .shorten import shorten

if TYPE_CHECKING:
    import socket

ADDRESS = "/dev/log"
NAME = "access_filter"
_DAEMON = 3 << 3
_PRIORITIES = {"error": _DAEMON | 3, "warning": _DAEMON | 4, "info": _DAEMON | 6}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SyslogSink:
    """The local syslog daemon or journald."""

    def __init__(self, reporter: FailureReporter, address: str = ADDRESS) -> None:
        self._reporter = reporter
        self._address = address
        self._socket: Optional[socket.socket] = None
        self._tag = f"{NAME}[{os.getpid()}]: "

    def write(self, line: bytes, level: str) -> None:
        """Send one line, or report that it could not be sent."""
        header = f"<{_PRIORITIES.get(level, _DAEMON | 6)}>{_local_time()} {self._tag}".encode()
        datagram = header + shorten(line.rstrip(b"\n"), MAX_PIPE_LINE)
        try:
            self._connected().send(datagram)
        except OSError as error:
            self.close()
            self._reporter.failed(error.strerror or str(error))

    def _connected(self) -> socket.socket:
        if self._socket is None:
            import socket  # noqa: PLC0415 (4 ms of a start, and most servers log elsewhere)

            family = getattr(socket, "AF_UNIX", None)
            if family is None:
                raise OSError(errno.EAFNOSUPPORT, "this system has no syslog socket")
            fresh = socket.socket(family, socket.SOCK_DGRAM)
            fresh.setblocking(False)
            try:
                fresh.connect(self._address)
            except OSError:
                fresh.close()
                raise
            self._socket = fresh
        return self._socket

    def close(self) -> None:
        """Forget the connection; the next line connects again, to a restarted daemon perhaps."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _local_time() -> str:
    now = time.localtime()
    clock = f"{now.tm_hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d}"
    return f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2d} {clock}"
