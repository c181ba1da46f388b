"""Which answers may be on their way before ``response_complete`` (facts A.6f)."""

from __future__ import annotations

from .ows_request import OwsRequest

NEVER_STREAMED = frozenset({"WMS", "WMTS", "WCS", "OAPIF", "ACCESS"})


def may_stream(request: OwsRequest) -> bool:
    """Return whether headers must be set before the service runs, or might be too late."""
    if request.service == "WFS":
        return request.operation == "GetFeature"
    return request.service not in NEVER_STREAMED
