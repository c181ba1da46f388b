"""What the finished answer tells the log: as little of it as possible."""

from __future__ import annotations

import time
from typing import Any, Optional

from .client_connection import ClientConnection
from .entry import RequestFacts
from .service_error import ABORTED, MAX_ERROR_BODY, UNFINISHED, ServiceError, read_error

OWN_STATUS = frozenset({"WMS", "WFS", "WCS", "WMTS", "OAPIF", "ACCESS"})
"""Services whose errors have a status of their own; others answer errors with 200 as well."""
ABORT_MS = 200
"""Nobody is asked whether the client is still there after requests shorter than this."""


class ErrorFinder:
    """Finds out what went wrong with requests."""

    def __init__(self) -> None:
        self._connection = ClientConnection()

    def find(self, service: str, status: int, ms: float, body: Any) -> Optional[ServiceError]:
        """Return the error of an answer that is about to leave; no ``body`` when it was streamed."""
        error = None
        if body is not None and (status >= 400 or service not in OWN_STATUS):
            error = read_error(status, bytes(body) if body.size() <= MAX_ERROR_BODY else b"")
        if ms >= ABORT_MS and (error is None or status >= 500) and self._connection.is_gone():
            error = ABORTED
        return error


def unfinished_facts(started: float, trace_id: str) -> RequestFacts:
    """Return the facts of a request whose answer nobody saw, ``started`` by ``perf_counter``."""
    age = time.perf_counter() - started if started else 0.0
    return RequestFacts(
        time=time.time() - age, ms=None, status=500, error=UNFINISHED, trace_id=trace_id
    )
