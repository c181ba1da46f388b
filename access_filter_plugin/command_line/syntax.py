"""What can be said of a project's settings without QGIS: whether they can be read at all."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..access_control.parser import parse_project
from ..feature_info.settings_parser import parse_settings
from ..request_log.settings import read_log_settings
from ..strict_json import Problem, Severity, StrictJsonError
from ..variable_file import VariableFiles
from .assertions import parse_assertions
from .project_file import read_project_file

LOG = "request_log"
INFO = "feature_info"
TESTS = "access_tests"


def project_folder(path: str) -> str:
    """Return the folder in which ``file:`` values are looked for."""
    return os.path.dirname(os.path.abspath(path))


def feature_info_problems(variables: Mapping[str, str], files: VariableFiles) -> list[Problem]:
    """Return what is wrong with ``feature_info``; its stock answer makes each a warning of access."""
    if INFO not in variables:
        return []
    try:
        parse_settings(files.text(INFO, variables[INFO]))
    except StrictJsonError as error:
        return list(error.problems)
    return []


def request_log_problems(variables: Mapping[str, str], files: VariableFiles) -> list[Problem]:
    """Return what is wrong with ``request_log``."""
    if LOG not in variables:
        return []
    try:
        text = files.text(LOG, variables[LOG])
    except StrictJsonError as error:
        return list(error.problems)
    _settings, problems = read_log_settings(text, "on")
    return list(problems)


def assertion_problems(variables: Mapping[str, str], files: VariableFiles) -> list[Problem]:
    """Return what is wrong with ``access_tests``."""
    if TESTS not in variables:
        return []
    try:
        parse_assertions(files.text(TESTS, variables[TESTS]))
    except StrictJsonError as error:
        return list(error.problems)
    return []


def setting_problems(variables: Mapping[str, str], files: VariableFiles) -> list[Problem]:
    """Return what is wrong with the settings beside the rules."""
    return [
        *feature_info_problems(variables, files),
        *request_log_problems(variables, files),
        *assertion_problems(variables, files),
    ]


def syntax_problems(path: str) -> list[Problem]:
    """Return every problem that a project file shows without QGIS; raise ProjectFileError."""
    variables = read_project_file(path).variables
    files = VariableFiles(project_folder(path))
    parsed = parse_project(variables, files.text)
    problems = list(parsed.problems)
    if not parsed.is_on:
        problems.append(
            Problem(
                "access_rules",
                "the project has no access rules: without rules of the operator it is open to everybody",
                Severity.WARNING,
            )
        )
    return problems + setting_problems(variables, files)
