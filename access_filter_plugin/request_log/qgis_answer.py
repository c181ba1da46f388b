"""What the finished answer tells the log: as little of it as possible."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .client_connection import ClientConnection
from .entry import BadLayer, RequestFacts
from .service_error import ABORTED, MAX_ERROR_BODY, UNFINISHED, ServiceError, read_error

_MAX_GOOD_ERROR_BODY = 2048
"""An error that comes with status 200 is short; larger bodies are not copied to look for one."""
_ABORT_MS = 200
"""Nobody is asked whether the client is still there after requests shorter than this."""


class AnswerReader:
    """Reads the facts of answers."""

    def __init__(self) -> None:
        self._connection = ClientConnection()

    def facts(
        self,
        handler: Any,
        ms: float,
        trace_id: str,
        bad_layers: Sequence[BadLayer],
        layer_ms: Optional[Mapping[str, float]],
    ) -> RequestFacts:
        """Return the facts of the answer that is about to leave, ``ms`` after the request came."""
        # Under FastCGI the status of a good answer is 0 (facts B).
        status = handler.statusCode() or 200
        size, error = _size_and_error(status, handler)
        if ms >= _ABORT_MS and (error is None or status >= 500) and self._connection.is_gone():
            error = ABORTED
        return RequestFacts(
            time=time.time() - ms / 1000,
            ms=ms,
            status=status,
            bytes=size,
            error=error,
            trace_id=trace_id,
            user_agent=handler.requestHeader("User-Agent"),
            referer=handler.requestHeader("Referer"),
            bad_layers=bad_layers,
            layer_ms=layer_ms,
        )


def _size_and_error(status: int, handler: Any) -> tuple[Optional[int], Optional[ServiceError]]:
    if handler.headersSent():  # streamed: the body is the last chunk of many (facts E20)
        return None, None
    body = handler.body()
    size = body.size()
    if size < (MAX_ERROR_BODY if status >= 400 else _MAX_GOOD_ERROR_BODY):
        return size, read_error(status, bytes(body))
    return size, None


def unfinished_facts(started: float, trace_id: str) -> RequestFacts:
    """Return the facts of a request whose answer nobody saw, ``started`` by ``perf_counter``."""
    age = time.perf_counter() - started if started else 0.0
    return RequestFacts(
        time=time.time() - age, ms=None, status=500, error=UNFINISHED, trace_id=trace_id
    )
