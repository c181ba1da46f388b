"""Admission of the landing page: it shows projects whole, so only to those who may see them whole.

It needs no project of its own and lists the projects of configured folders and databases. So
every one of them counts, not only the one that the request names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from qgis.server import QgsConfigCache, QgsServerSettings

from ..operator_settings import OperatorSettings
from ..ows_request import LANDING_PAGE, OwsRequest
from ..subject import Subject
from .admission.landing_page import closed_landing_page
from .admission.verdict import ADMITTED, Verdict
from .project_access import AccessState, OperationAccess

_SEPARATOR = "||"
_PROJECTS = (".qgs", ".qgz")


def _server_settings() -> QgsServerSettings:
    settings = QgsServerSettings()
    settings.load()
    return settings


_SETTINGS = _server_settings()
_LISTED = (
    _SETTINGS.landingPageProjectsDirectories(),
    _SETTINGS.landingPageProjectsPgConnections(),
)
"""Folders and databases as they were at load: the first FastCGI request wipes the environment."""


def admit(_request: OwsRequest, access: OperationAccess, _state: Any) -> Verdict:
    """Return the verdict on a landing page request within a project with rules."""
    return closed_landing_page() if access.is_restricted else ADMITTED


def admit_list(
    request: OwsRequest,
    subject: Subject,
    operator: OperatorSettings,
    states: Any,
    part: str,
) -> Verdict:
    """Return the verdict on a landing page request by the projects that the page would list."""
    if request.service != LANDING_PAGE or LANDING_PAGE in operator.services:
        return ADMITTED
    folders, databases = _LISTED
    if databases:
        return closed_landing_page()  # which projects these are cannot be told from here
    for path in _listed_projects(folders):
        state = states.state(QgsConfigCache.instance().project(path, _SETTINGS))
        if state is None or _is_restricted(state.parts[part], subject, request):
            return closed_landing_page()
    return ADMITTED


def _is_restricted(state: AccessState, subject: Subject, request: OwsRequest) -> bool:
    if state.denied_status:
        return True
    if state.access is None:
        return False
    return state.access.access(subject, request.service, request.operation).is_restricted


def _listed_projects(folders: str) -> Iterator[str]:
    for folder in filter(None, folders.split(_SEPARATOR)):
        for root, _folders, names in os.walk(folder):
            for name in sorted(names):
                if name.lower().endswith(_PROJECTS):
                    yield os.path.join(root, name)
