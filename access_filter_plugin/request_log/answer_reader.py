"""What the finished answer tells the log: as little of it as possible."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .client_connection import ClientConnection
from .entry import BadLayer, RequestFacts
from .service_error import ABORTED, MAX_ERROR_BODY, UNFINISHED, read_error

_OWN_STATUS = frozenset({"WMS", "WFS", "WCS", "WMTS", "OAPIF", "ACCESS"})
"""Services whose errors have a status of their own; others answer errors with 200 as well."""
_ABORT_MS = 200
"""Nobody is asked whether the client is still there after requests shorter than this."""


class AnswerReader:
    """Reads the facts of answers."""

    def __init__(self) -> None:
        self._connection = ClientConnection()

    def facts(
        self,
        handler: Any,
        service: str,
        *,
        ms: float,
        is_streamed: bool,
        trace_id: str,
        bad_layers: Sequence[BadLayer],
        layer_ms: Optional[Mapping[str, float]],
    ) -> RequestFacts:
        """Return the facts of an answer that is about to leave."""
        # Under FastCGI the status of a good answer is 0 (facts B).
        status = handler.statusCode() or 200
        size, error = None, None
        if not is_streamed:  # else the body is the last chunk of many (facts E20)
            body = handler.body()
            size = body.size()
            if status >= 400 or service not in _OWN_STATUS:
                error = read_error(status, bytes(body) if size <= MAX_ERROR_BODY else b"")
        if ms >= _ABORT_MS and (error is None or status >= 500) and self._connection.is_gone():
            error = ABORTED
        agent, referer = handler.requestHeader("User-Agent"), handler.requestHeader("Referer")
        came = time.time() - ms / 1000
        return RequestFacts(
            came, ms, status, size, error, trace_id, agent, referer, bad_layers, layer_ms
        )


def unfinished_facts(started: float, trace_id: str) -> RequestFacts:
    """Return the facts of a request whose answer nobody saw, ``started`` by ``perf_counter``."""
    age = time.perf_counter() - started if started else 0.0
    return RequestFacts(
        time=time.time() - age, ms=None, status=500, error=UNFINISHED, trace_id=trace_id
    )
