"""``set``: writes rules and settings into a project file, and refuses what is not valid."""

from __future__ import annotations

import argparse
import sys
from typing import Optional

from ..access_control.parser import parse_project
from ..strict_json import Problem, Severity, StrictJsonError
from ..variable_file import VariableFiles
from .project_file import (
    ProjectFileError,
    read_project_file,
    with_variables,
    write_project_file,
)
from .syntax import project_folder, setting_problems

OPTIONS = {
    "rules": "access_rules",
    "roles": "access_roles",
    "tests": "access_tests",
    "feature_info": "feature_info",
    "request_log": "request_log",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin set",
        description="Write variables into a .qgs or .qgz; everything else stays byte for byte. "
        "What is not valid is refused. This needs no QGIS, so it cannot know the project's layers "
        "and attributes: run check afterwards.",
    )
    parser.add_argument("project")
    for option, variable in OPTIONS.items():
        flag = "--" + option.replace("_", "-")
        parser.add_argument(flag, dest=option, metavar="FILE", help=f"text of {variable}")
    parser.add_argument("--default", choices=("allow", "deny"), help="access_default")
    parser.add_argument("--catalog", choices=("hide", "challenge"), help="access_catalog")
    parser.add_argument("--remove", action="append", default=[], metavar="NAME")
    return parser


def run(arguments: list[str]) -> int:
    """Write the variables; return 0, or 2 when nothing was written."""
    options = _parser().parse_args(arguments)
    try:
        changes = _changes(options)
        if not changes:
            raise ProjectFileError("nothing to set: name at least one of --rules, --feature-info …")
        project = with_variables(read_project_file(options.project), changes)
        problems = _problems(options.project, project.variables)
        if problems:
            raise ProjectFileError("\n".join(str(problem) for problem in problems))
        backup = write_project_file(project)
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\nNothing was written.\n")
        return 2
    sys.stdout.write(
        f"{options.project}: set {', '.join(changes)}; the old file is {backup}\n"
        "Layer and attribute names were not looked up: run check.\n"
    )
    return 0


def _changes(options: argparse.Namespace) -> dict[str, Optional[str]]:
    changes: dict[str, Optional[str]] = dict.fromkeys(options.remove)
    for option, variable in OPTIONS.items():
        path = getattr(options, option)
        if path is not None:
            changes[variable] = _text(path)
    for variable, value in (
        ("access_default", options.default),
        ("access_catalog", options.catalog),
    ):
        if value is not None:
            changes[variable] = value
    return changes


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return stream.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectFileError(f"{path}: cannot be read: {error}") from error


def _problems(path: str, variables: dict[str, str]) -> list[Problem]:
    files = VariableFiles(project_folder(path))
    found = list(parse_project(variables, files.text).problems)
    found += setting_problems(variables, files)
    return [problem for problem in found if problem.severity is Severity.ERROR]
