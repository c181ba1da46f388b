"""A QGIS without windows for the command line, and the compiled state of one project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from qgis.core import QgsProject

from ..access_control.project_access import AccessState, ProjectAccess
from ..access_control.qgis_filter import AccessControlFeature
from ..feature_info.qgis_filter import FeatureInfo
from ..operator_settings import OperatorSettings, read_operator_settings
from ..problem_report import problem_lines
from ..qgis_project import ProjectState, ProjectStates
from ..strict_json import Problem, Severity
from ..value_class import value_class
from .project_file import ProjectFileError, read_project_file
from .qgis_start import start_qgis


@value_class
class OpenedProject:
    """A loaded project with its rules compiled, as the server would compile them."""

    path: str
    project: Any
    state: ProjectState
    access: AccessState
    settings: OperatorSettings
    info_problems: tuple[Problem, ...] = ()
    """What is wrong with ``feature_info``."""


def rules_of(opened: OpenedProject) -> ProjectAccess:
    """Return a project's rules; raise ProjectFileError, with every problem, where they decide nothing."""
    access = opened.access
    if access.access is not None:
        return access.access
    if access.is_on:
        lines = problem_lines(access.problems, Severity.ERROR)
        raise ProjectFileError(f"{opened.path}: denied to everybody\n{lines}")
    if access.denied_status:
        raise ProjectFileError(f"{opened.path}: denied to everybody: it has no access rules")
    raise ProjectFileError(f"{opened.path}: has no access rules; it is open to everybody")


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
