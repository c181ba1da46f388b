"""``set``: writes rules and settings into a project file, and refuses what is not valid."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Optional

from ..access_control.parser import parse_project
from ..strict_json import Problem, Severity, StrictJsonError, did_you_mean, shown
from ..variable_file import VariableFiles
from .project_file import (
    ProjectFile,
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
    parser.add_argument("project", help="a .qgs or .qgz file")
    for option, variable in OPTIONS.items():
        flag = "--" + option.replace("_", "-")
        parser.add_argument(flag, dest=option, metavar="FILE", help=f"text of {variable}")
    parser.add_argument("--default", choices=("allow", "deny"), help="access_default")
    parser.add_argument("--catalog", choices=("hide", "challenge"), help="access_catalog")
    parser.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="NAME",
        help="take a variable out; may be repeated",
    )
    return parser


def run(arguments: list[str]) -> int:
    """Write the variables; return 0, or 2 when nothing was written."""
    options = _parser().parse_args(arguments)
    try:
        changes = _changes(options)
        if not changes:
            raise ProjectFileError("nothing to set: name at least one of --rules, --feature-info …")
        before = read_project_file(options.project)
        _check_removals(before, options.remove)
        project = with_variables(before, changes)
        problems = _problems(options.project, project.variables)
        if problems:
            raise ProjectFileError("\n".join(str(problem) for problem in problems))
        backup = write_project_file(project)
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\nNothing was written.\n")
        return 2
    _print(options.project, changes, backup)
    return 0


def _print(path: str, changes: Mapping[str, Optional[str]], backup: str) -> None:
    written = [name for name, text in changes.items() if text is not None]
    removed = [name for name, text in changes.items() if text is None]
    told = [
        f"{word} {', '.join(names)}"
        for word, names in (("set", written), ("removed", removed))
        if names
    ]
    sys.stdout.write(f"{path}: {'; '.join(told)}; the old file is {backup}\n")
    if written:
        sys.stdout.write("Layer and attribute names were not looked up: run check.\n")


def _check_removals(project: ProjectFile, names: Iterable[str]) -> None:
    variables = project.variables
    for name in names:
        if name not in variables:
            hint = did_you_mean(name, variables)
            raise ProjectFileError(f"{project.path}: has no variable {shown(name)}{hint}")


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
    except OSError as error:
        raise ProjectFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProjectFileError(f"{path}: cannot be read: it is not UTF-8") from error


def _problems(path: str, variables: dict[str, str]) -> list[Problem]:
    files = VariableFiles(project_folder(path))
    found = list(parse_project(variables, files.text).problems)
    found += setting_problems(variables, files)
    return [problem for problem in found if problem.severity is Severity.ERROR]
