"""Runs assertions: on the decision engine, and on a QGIS Server in this process."""

from __future__ import annotations

import functools
import os
from typing import Any

from qgis.server import QgsBufferServerRequest, QgsBufferServerResponse, QgsServer

from ..access_control.project_access import ProjectAccess
from ..access_service.explain import ExplainError, layers_named, typical_request
from ..qgis_stand_in import load_behind_stand_in
from ..strict_json import Problem, StrictJsonError
from .assertions import (
    VARIABLE,
    Assertion,
    failures_of_answer,
    failures_of_decision,
    parse_assertions,
)
from .qgis_session import OpenedProject, open_project, rules_of


def run_project(path: str) -> list[tuple[str, list[str]]]:
    """Return each assertion's name with what it does not fulfil."""
    opened = open_project(path)
    variables = opened.state.variables
    if VARIABLE not in variables:
        raise StrictJsonError([Problem(VARIABLE, "the project has no such variable")])
    assertions = parse_assertions(opened.state.files.text(VARIABLE, variables[VARIABLE]))
    server = _Server(opened) if any(a.query for a in assertions) else None
    return [(a.name, _failures(a, opened, server)) for a in assertions]


def _failures(assertion: Assertion, opened: OpenedProject, server: Any) -> list[str]:
    if assertion.query:
        status, text = server.answer(assertion)
        return failures_of_answer(assertion, status, text)
    return _decision_failures(assertion, rules_of(opened))


def _decision_failures(assertion: Assertion, project: ProjectAccess) -> list[str]:
    try:
        request = typical_request(assertion.service, assertion.operation)
        layers = layers_named(project, assertion.layer)
    except ExplainError as error:
        return [str(error)]
    access = project.access(assertion.subject, request.service, request.operation)
    found: list[str] = []
    for layer in layers:
        found += failures_of_decision(assertion, access.decision(layer.id))
    return found


@functools.lru_cache(maxsize=1)
def _guarded_server() -> tuple[QgsServer, Any]:
    """Return the one QGIS Server of this process: all of them share their filters."""
    os.environ["ACCESS_FILTER_LOG"] = "off"
    os.environ["ACCESS_FILTER_IDENTITY"] = "remote_user"
    server = QgsServer()
    return server, load_behind_stand_in(server.serverInterface())


class _Server:
    """The server with one project; identities come in as the CGI variables of REMOTE_USER."""

    def __init__(self, opened: OpenedProject) -> None:
        self._path = os.path.abspath(opened.path)
        self._server, self._plugin = _guarded_server()

    def answer(self, assertion: Assertion) -> tuple[int, str]:
        """Return status and text of the answer to an assertion's request."""
        os.environ["REQUEST_METHOD"] = "GET"
        os.environ["REMOTE_USER"] = assertion.subject.user or ""
        os.environ["REMOTE_ROLES"] = ",".join(sorted(assertion.subject.roles))
        path, _, query = assertion.query.rpartition("?")
        url = f"http://localhost{path or '/'}?{query}&MAP={self._path}"
        request = QgsBufferServerRequest(url)
        response = QgsBufferServerResponse()
        self._server.handleRequest(request, response)
        return response.statusCode(), bytes(response.body()).decode("utf-8", "replace")
