"""Error texts that name what the caller did not name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

_REPLACEMENT = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<ServiceExceptionReport xmlns="http://www.opengis.net/ogc" version="1.3.0">\n'
    b' <ServiceException code="InvalidParameterValue">The request cannot be answered.'
    b"</ServiceException>\n"
    b"</ServiceExceptionReport>\n"
)


def redact_error(
    body: bytes, closed: frozenset[str], parameters: Mapping[str, str]
) -> Optional[bytes]:
    """Return a plain error in place of one that mentions a closed layer; None to leave it."""
    text = body.decode("utf-8", "replace")
    sent = "\n".join(parameters.values())
    if any(len(name) > 2 and name in text and name not in sent for name in closed):
        return _REPLACEMENT
    return None
