"""``check``: every problem and warning of a project's rules and settings."""

from __future__ import annotations

import argparse
import sys

from ..strict_json import Problem, Severity, StrictJsonError
from .output import GREEN, paint, problem_line, problem_object, write_json, write_line
from .project_file import ProjectFileError
from .syntax import syntax_problems
from .with_qgis import NO_QGIS, with_qgis


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin check",
        description="Find problems. Exit code 0: none, 1: found, 2: the project cannot be read "
        "or QGIS is missing.",
    )
    parser.add_argument("project", help="a .qgs or .qgz file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--syntax", action="store_true", help="only what needs no QGIS")
    parser.add_argument(
        "--fail-on", choices=("error", "warning"), default="error", help="what makes exit code 1"
    )
    return parser


def run(arguments: list[str]) -> int:
    """Check a project and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        problems = syntax_problems(options.project)
        if not options.syntax:
            problems = _with_qgis(options.project, problems)
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ImportError as error:
        _print(options, problems)
        sys.stderr.write(f"{NO_QGIS}: {error}\n")
        return 2
    _print(options, problems)
    return exit_code(problems, options.fail_on)


def _with_qgis(path: str, problems: list[Problem]) -> list[Problem]:
    module = with_qgis(".qgis_check")
    seen = dict.fromkeys([*problems, *module.project_problems(path)])
    return list(seen)


def exit_code(problems: list[Problem], fail_on: str) -> int:
    """Return 1 when something at least as grave as ``fail_on`` was found, else 0."""
    if fail_on == "warning":
        return int(bool(problems))
    return int(any(problem.severity is Severity.ERROR for problem in problems))


def _print(options: argparse.Namespace, problems: list[Problem]) -> None:
    if options.json:
        found = [problem_object(problem) for problem in problems]
        write_json({"project": options.project, "problems": found})
        return
    for problem in problems:
        write_line(problem_line(problem))
    if not problems:
        write_line(paint(f"{options.project}: no problems", GREEN))
