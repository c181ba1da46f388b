"""A QGIS without windows for the command line, and the compiled state of one project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

from qgis.core import QgsApplication, QgsProject

from ..access_control.project_access import AccessState
from ..access_control.qgis_filter import AccessControlFeature
from ..feature_info.qgis_filter import FeatureInfo
from ..operator_settings import OperatorSettings, read_operator_settings
from ..qgis_project import ProjectState, ProjectStates
from ..strict_json import Problem
from .project_file import ProjectFileError, read_project_file

_application: list[Any] = []


@dataclass(frozen=True)
class OpenedProject:
    """A loaded project with its rules compiled, as the server would compile them."""

    path: str
    project: Any
    state: ProjectState
    access: AccessState
    settings: OperatorSettings
    info_problems: tuple[Problem, ...] = ()
    """What is wrong with ``feature_info``."""


def start_qgis() -> None:
    """Start QGIS once in this process, without a display."""
    if _application or QgsApplication.instance() is not None:
        return
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], False)
    application.initQgis()
    _application.append(application)


def operator_settings(environment: Optional[Mapping[str, str]] = None) -> OperatorSettings:
    """Return the operator's settings of this shell; the log goes nowhere."""
    settings = read_operator_settings(os.environ if environment is None else environment)
    return replace(settings, log_sink="off")


def open_project(path: str) -> OpenedProject:
    """Load a project and compile its rules; raise ProjectFileError when it does not load."""
    read_project_file(path)
    start_qgis()
    settings = operator_settings()
    project = QgsProject()
    if not project.read(os.path.abspath(path)):
        raise ProjectFileError(f"{path}: QGIS cannot load it: {project.error()}")
    feature, info = AccessControlFeature(settings), FeatureInfo()
    states = ProjectStates((feature, info))
    feature.use_states(states)
    state = states.state(project)
    if state is None:
        raise ProjectFileError(f"{path}: QGIS cannot load it")
    found = tuple(state.parts[info.name].problems)
    return OpenedProject(path, project, state, state.parts[feature.name], settings, found)
