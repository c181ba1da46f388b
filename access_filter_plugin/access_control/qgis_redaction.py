"""Redaction: asks the module of the answer's kind, and replaces the body.

Each ``qgis_redact_*`` module has ``redact(context, access, answer) -> Optional[bytes]``: the new
body, or None to leave it. A failure on the way is a denial, one level up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Callable, Optional

from ..ows_request import OAPIF
from ..request_context import RequestContext
from ..value_class import mutable_class
from .project_access import OperationAccess


@mutable_class
class Answer:
    """An answer that QGIS wrote, not yet sent."""

    status: int
    content_type: str
    body: bytes
    handler: Any
    state: Any
    """The ``ProjectState`` of the request."""


Redact = Callable[[RequestContext, OperationAccess, Answer], Optional[bytes]]


def _services() -> Mapping[str, Redact]:
    from . import (
        qgis_redact_oapif,
        qgis_redact_wfs,
        qgis_redact_wms,
        qgis_redact_wmts,
    )

    return MappingProxyType(
        {
            "WMS": qgis_redact_wms.redact,
            "WFS": qgis_redact_wfs.redact,
            "WMTS": qgis_redact_wmts.redact,
            OAPIF: qgis_redact_oapif.redact,
        }
    )


SERVICES = _services()


def redact(context: RequestContext, access: OperationAccess, handler: Any) -> None:
    """Take out of the answer what the caller may not see."""
    service = SERVICES.get(context.request.service)
    if service is None or not access.is_restricted or handler.headersSent():
        return
    status = handler.statusCode() or 200
    content_type = handler.responseHeader("Content-Type")
    if status == 200 and content_type.startswith("image/"):
        return  # a picture, of which nothing can be taken out; not even to be copied
    answer = Answer(
        status=status,
        content_type=content_type,
        body=bytes(handler.body()),
        handler=handler,
        state=context.project,
    )
    body = service(context, access, answer)
    if body is not None and body != answer.body:
        handler.clearBody()
        handler.appendBody(body)
