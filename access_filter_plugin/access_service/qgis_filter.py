"""Answers ``SERVICE=ACCESS`` in ``requestReady``, where a project is not yet needed (facts E1)."""

from __future__ import annotations

from typing import Any

from .. import json_codec
from ..operator_settings import OperatorSettings
from ..ows_request import ACCESS
from ..qgis_stand_in import write_answer
from ..request_context import RequestContext

JSON = "application/json; charset=utf-8"


class AccessService:
    """The ACCESS service as a feature of the request pipeline."""

    name = "access_service"

    def __init__(self, settings: OperatorSettings, server_iface: Any) -> None:
        self._settings = settings
        self._iface = server_iface

    def compile(self, _state: Any) -> None:
        """Keep nothing per project."""

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Answer a request of the ACCESS service; leave every other alone."""
        if context.request.service != ACCESS or context.answered:
            return
        context.answered = True
        operation = context.request.operation.lower()
        if operation == "health":
            self._health(context, handler)
            return
        write_answer(handler, 400, JSON, json_codec.dumps({"error": "unknown REQUEST"}))

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Do nothing: the answer was written in ``request_ready``."""

    @staticmethod
    def _health(context: RequestContext, handler: Any) -> None:
        part = context.project.parts.get("access_control") if context.project else None
        is_open = part is None or not part.denied_status
        body = {"status": "ok" if is_open else "closed", "plugin": "access_filter"}
        write_answer(handler, 200 if is_open else 503, JSON, json_codec.dumps(body))
