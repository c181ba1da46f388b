"""A refusal in the form that the service's clients understand."""

from __future__ import annotations

from typing import Any

from .. import json_codec
from ..ows_request import OAPIF, OwsRequest
from ..qgis_stand_in import write_answer
from .admission.verdict import Verdict

XML = "text/xml; charset=utf-8"
JSON = "application/json"

_REPORT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ServiceExceptionReport xmlns="http://www.opengis.net/ogc" version="1.3.0">\n'
    ' <ServiceException code="{code}">{text}</ServiceException>\n'
    "</ServiceExceptionReport>\n"
)


def answer_refusal(request: OwsRequest, verdict: Verdict, handler: Any) -> None:
    """Answer a request that the admission wall refused."""
    sentence = verdict.refused or ""
    if verdict.body is not None:
        body, content_type = verdict.body, verdict.content_type
    elif request.service == OAPIF:
        body = json_codec.dumps([{"code": verdict.code, "description": sentence}])
        content_type = JSON
    else:
        from html import escape  # noqa: PLC0415 (2 ms of a start, with its table of entities)

        body = _REPORT.format(
            code=escape(verdict.code, quote=False), text=escape(sentence, quote=False)
        ).encode()
        content_type = XML
    write_answer(handler, verdict.status, content_type, body, dict(verdict.headers))
