"""``test``: runs the assertions of a project's ``access_tests`` and prints like pytest."""

from __future__ import annotations

import argparse
import sys

from ..strict_json import StrictJsonError
from .output import GREEN, RED, paint, write_json, write_line
from .project_file import ProjectFileError
from .with_qgis import NO_QGIS, with_qgis


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin test",
        description="Run access_tests. Exit code 0: all passed, 1: some failed, 2: cannot run.",
    )
    parser.add_argument("project", help="a .qgs or .qgz file")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    return parser


def run(arguments: list[str]) -> int:
    """Run the assertions and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        module = with_qgis(".qgis_test")
        results: list[tuple[str, list[str]]] = module.run_project(options.project)
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ImportError as error:
        sys.stderr.write(f"{NO_QGIS}: {error}\n")
        return 2
    if options.json:
        write_json([{"test": name, "failures": failures} for name, failures in results])
    else:
        _print(results)
    return int(any(failures for _name, failures in results))


def _print(results: list[tuple[str, list[str]]]) -> None:
    for name, failures in results:
        word = paint("FAILED", RED) if failures else paint("passed", GREEN)
        write_line(f"{word} {name}" + (f" - {'; '.join(failures)}" if failures else ""))
    failed = sum(1 for _name, failures in results if failures)
    summary = f"{len(results) - failed} passed, {failed} failed"
    write_line(paint(summary, RED if failed else GREEN))
