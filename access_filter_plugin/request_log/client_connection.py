"""Whether the client is still there: what the socket of a FastCGI request can tell.

QGIS does not tell a plugin that the client hung up (facts E5). Under FastCGI descriptor 0 is the
listening socket; the connection of the request is the one that bears its name, and the web server
closes it as soon as its own client has gone.
"""

from __future__ import annotations

import os
import select
import stat
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    import socket

LISTENING = 0
_DESCRIPTORS = "/proc/self/fd"
_CLOSED = select.POLLHUP | select.POLLERR if hasattr(select, "POLLHUP") else 0
_HALF_CLOSED = getattr(select, "POLLRDHUP", 0)


class ClientConnection:
    """The connection of the request under way, where there is one to be found."""

    def __init__(self, listening: int = LISTENING) -> None:
        self._listening = listening
        self._name: Optional[Any] = None

    def is_gone(self) -> bool:
        """Return whether the other side has closed the connection; False where nobody can tell."""
        if self._name is None:
            self._name = _listening_name(self._listening)
        if self._name is None:
            return False
        try:
            found = [number for number in _open_descriptors() if self._is_connection(number)]
            return len(found) == 1 and _is_closed(found[0])
        except OSError:
            return False

    def _is_connection(self, number: int) -> bool:
        try:
            if number == LISTENING or not stat.S_ISSOCK(os.fstat(number).st_mode):
                return False
            with _opened(number) as connection:
                return _same_place(connection.getsockname(), self._name) and not _listens(
                    connection
                )
        except OSError:  # closed meanwhile, or a kind of socket without a name
            return False


def _open_descriptors() -> list[int]:
    return [int(name) for name in os.listdir(_DESCRIPTORS)]


def _listening_name(number: int) -> Optional[Any]:
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode) or not os.path.isdir(_DESCRIPTORS):
            return None
        with _opened(number) as listening:
            return listening.getsockname() if _listens(listening) else None
    except OSError:
        return None


def _opened(number: int) -> socket.socket:
    import socket  # noqa: PLC0415 (4 ms of a start; only slow requests under FastCGI need it)

    return socket.socket(fileno=os.dup(number))


def _listens(candidate: socket.socket) -> bool:
    import socket  # noqa: PLC0415 (as above)

    return bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _same_place(name: Any, listening: Any) -> bool:
    # A TCP socket may listen on all addresses; the connection then has one of them, and the port.
    if isinstance(name, tuple) and isinstance(listening, tuple):
        return bool(name[1] == listening[1])
    return bool(name == listening)


def _is_closed(number: int) -> bool:
    with _opened(number) as connection:
        half = 0 if getattr(connection.family, "name", "") == "AF_UNIX" else _HALF_CLOSED
        poll = select.poll()
        poll.register(number, _CLOSED | half)
        return any(events & (_CLOSED | half) for _, events in poll.poll(0))
