"""Answers ``SERVICE=ACCESS`` in ``requestReady``, where a project is not yet needed (facts E1)."""

from __future__ import annotations

from typing import Any, Optional

from .. import json_codec
from ..access_control.admission.catalog_mode import CHALLENGE_HEADER
from ..access_control.policy import Catalog
from ..access_control.project_access import AccessState
from ..operator_settings import OperatorSettings
from ..ows_request import ACCESS
from ..qgis_boundary import report_failure
from ..qgis_stand_in import Closed, write_answer
from ..qgis_version import plugin_version
from ..request_context import DecisionRecord, RequestContext
from .explain import (
    ExplainError,
    explanation_object,
    pretended_subject,
    request_of_url,
    typical_request,
)
from .permissions import open_permissions_object, permissions_object
from .qgis_service import register_service
from .qgis_walls import walls_object
from .qgis_warnings import warnings_of

JSON = "application/json; charset=utf-8"
PRIVATE = {"Cache-Control": "private, no-store"}
#: Request → the parameters it reads.
OPERATIONS = {
    "GetCapabilities": (),
    "Health": ("MAP",),
    "GetPermissions": ("MAP",),
    "Explain": (
        *("MAP", "USER", "ROLES", "ADDRESS", "LAYER"),
        *("FOR_SERVICE", "FOR_REQUEST", "URL"),
    ),
}
NO_PROJECT = "MAP: there is no such project"
CLOSED_PROJECT = "This project is closed."
NOT_FOR_YOU = "REQUEST: not open to you"
LOG_IN = "You are not allowed to access this."


class RefusedError(Exception):
    """An ACCESS request that is answered with an error: status and one sentence."""

    def __init__(
        self,
        status: int,
        sentence: str,
        headers: Optional[dict[str, str]] = None,
        **members: Any,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}
        self.body = {"error": sentence, **members}


class AccessService:
    """The ACCESS service as a feature of the request pipeline."""

    name = "access_service"

    def __init__(self, settings: OperatorSettings, server_iface: Any) -> None:
        self._settings = settings
        self._iface = server_iface
        self._service = register_service(server_iface)

    def compile(self, _state: Any) -> None:
        """Keep nothing per project."""

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Do nothing: the answer was written in ``request_ready``."""

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Answer a request of the ACCESS service; leave every other alone."""
        if context.request.service != ACCESS or context.answered:
            return
        context.answered = True
        headers = PRIVATE
        try:
            status, body = self._answer(context)
        except RefusedError as refusal:
            status, body = refusal.status, refusal.body
            headers = {**PRIVATE, **refusal.headers}
            context.decision = DecisionRecord(effect="deny", refused=refusal.body["error"])
        except BaseException as error:  # an exception in a Python service aborts the process
            report_failure("SERVICE=ACCESS", error)
            Closed("failure").request_begins(handler)
            return
        write_answer(handler, status, JSON, json_codec.dumps(body), headers)

    def _answer(self, context: RequestContext) -> tuple[int, dict[str, Any]]:
        operation = context.request.operation.lower()
        if operation == "health":
            return self._health(context)
        if operation in ("", "getcapabilities"):
            return 200, self._capabilities()
        if operation == "getpermissions":
            return 200, self._permissions(context)
        if operation == "explain":
            return 200, self._explain(context)
        raise RefusedError(400, f"REQUEST: must be one of {', '.join(OPERATIONS)}")

    def _is_admin(self, context: RequestContext) -> bool:
        """Return whether the caller was *given* an admin role; a project's own never count."""
        return bool(context.subject.roles & self._settings.admin_roles)

    def _health(self, context: RequestContext) -> tuple[int, dict[str, Any]]:
        """Return 200 or 503; strangers learn nothing else."""
        missing = bool(context.request.project) and context.project is None
        part = self._part(context)
        is_open = not missing and (part is None or not part.denied_status)
        status = "ok" if is_open else "closed"
        return (200 if is_open else 503), {"status": status, "plugin": "access_filter"}

    def _capabilities(self) -> dict[str, Any]:
        return {
            "service": ACCESS,
            "plugin": "access_filter",
            "version": plugin_version(),
            "requests": [
                {
                    "name": name,
                    "for": "administrators" if name == "Explain" else "everybody",
                    "parameters": list(parameters),
                }
                for name, parameters in OPERATIONS.items()
            ],
        }

    @staticmethod
    def _part(context: RequestContext) -> Optional[AccessState]:
        if context.project is None:
            return None
        part: AccessState = context.project.parts["access_control"]
        return part

    def _open_part(self, context: RequestContext) -> AccessState:
        """Return the project's rules; a closed project tells its problems to admins only."""
        part = self._part(context)
        if part is None:
            raise RefusedError(404, NO_PROJECT)
        if part.denied_status:
            if not self._is_admin(context):
                raise RefusedError(part.denied_status, CLOSED_PROJECT)
            problems = [
                {"path": p.path, "message": p.message, "severity": p.severity.value}
                for p in part.problems
            ]
            raise RefusedError(
                part.denied_status,
                CLOSED_PROJECT,
                problems=problems,
                warnings=self._warnings(context),
            )
        return part

    def _challenge(self, context: RequestContext, part: Optional[AccessState]) -> None:
        """Ask an anonymous caller to log in, where the project's ``access_catalog`` says so."""
        access = None if part is None else part.access
        if access is None or not context.subject.is_anonymous:
            return
        if access.bound.policy.catalog is Catalog.CHALLENGE:
            raise RefusedError(401, LOG_IN, {CHALLENGE_HEADER: self._settings.authenticate})

    def _permissions(self, context: RequestContext) -> dict[str, Any]:
        part = self._open_part(context)
        if part.access is None:
            body = open_permissions_object(context.subject)
        else:
            body = permissions_object(part.access, context.subject)
            if not body["layers"]:
                self._challenge(context, part)
        if self._is_admin(context):
            body["warnings"] = self._warnings(context)
        return body

    def _warnings(self, context: RequestContext) -> list[str]:
        """Return what an administrator should know; the problems of closed rules stand apart."""
        state, part = context.project, self._part(context)
        found = warnings_of(self._settings, self._iface, state.path if state is not None else "")
        if part is not None and not part.denied_status:
            found += [str(problem) for problem in part.problems]
        return found

    def _explain(self, context: RequestContext) -> dict[str, Any]:
        if not self._is_admin(context):
            self._challenge(context, self._part(context))
            raise RefusedError(403, NOT_FOR_YOU)
        part = self._open_part(context)
        if part.access is None:
            return {"access_control": "off", "warnings": self._warnings(context)}
        try:
            return self._explanation(context, part)
        except ExplainError as error:
            raise RefusedError(400, str(error)) from error

    def _explanation(self, context: RequestContext, part: AccessState) -> dict[str, Any]:
        asked = context.request.parameter
        project = part.access
        if project is None:
            raise ExplainError("MAP: the project has no rules")
        subject = pretended_subject(
            asked("USER"),
            asked("ROLES"),
            asked("ADDRESS"),
            lower_case=self._settings.lower_case_users,
        )
        url = asked("URL")
        request = (
            request_of_url(url)
            if url
            else typical_request(asked("FOR_SERVICE"), asked("FOR_REQUEST"))
        )
        body = explanation_object(project, subject, request, asked("LAYER"))
        if url:
            if request.parameter("MAP", asked("MAP")) != asked("MAP"):
                raise ExplainError("URL: its MAP is another project than the MAP beside it")
            body |= walls_object(
                project, subject, request, asked("LAYER"), context.project, self._settings
            )
        body["warnings"] = self._warnings(context)
        return body
