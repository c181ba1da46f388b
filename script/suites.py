"""Runs each given folder of tests in a pytest of its own and sums up; see script/test."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

NO_TESTS_COLLECTED = 5


def main() -> int:
    """Returns 0 when every suite passed and something was tested at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", default="", help="folders of tests/ to leave out: a,b")
    options, pytest_arguments = parser.parse_known_args()
    paths, switches = split_arguments(pytest_arguments)
    total: Counter[str] = Counter()
    for folder in suites(options.without.split(",")):
        targets = targets_of(folder, paths)
        if targets:
            total += run_suite(folder, targets, switches)
    if total["skipped"]:
        print(f"{total['skipped']} skipped")
    print(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] or not total["passed"] else 0


def suites(left_out: list[str]) -> list[str]:
    """Every folder of tests/ that holds tests, the quick unit tests first."""
    folders = {path.relative_to("tests").parts[0] for path in Path("tests").rglob("test_*.py")}
    chosen = folders.difference(left_out)
    return [f"tests/{name}" for name in sorted(chosen, key=lambda name: (name != "unit", name))]


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Test files and folders, which choose the suites, and the rest, which every pytest gets."""
    paths = [argument for argument in arguments if is_test_path(argument)]
    return paths, [argument for argument in arguments if argument not in paths]


def is_test_path(argument: str) -> bool:
    path = argument.partition("::")[0]
    return path.startswith("tests") and Path(path).exists()


def targets_of(folder: str, paths: list[str]) -> list[str]:
    """What of a folder is to be run: the paths asked for in it, or all of it."""
    if not paths or any(is_within(folder, path) for path in paths):
        return [folder]
    return [path for path in paths if is_within(path, folder)]


def is_within(path: str, folder: str) -> bool:
    place = Path(path.partition("::")[0])
    return place == Path(folder) or Path(folder) in place.parents


def run_suite(folder: str, targets: list[str], switches: list[str]) -> Counter[str]:
    """Runs one pytest; a process that dies counts as one failure, whatever it reported before."""
    print(f"== {folder}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "junit.xml")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            f"--junitxml={report}",
            *switches,
            *targets,
        ]
        code = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
        result = counts(report)
    # A choice of tests (-k, -m, --lf) may leave nothing to run in a suite; a whole folder may not.
    nothing_chosen = code == NO_TESTS_COLLECTED and bool(switches)
    if code and not nothing_chosen and not result["failed"]:
        print(f"pytest on {folder} ended with {code}", flush=True)
        result["failed"] += 1
    print(f"-- {folder}: {time.monotonic() - started:.1f} s", flush=True)
    return result


def counts(report: Path) -> Counter[str]:
    """Passed, failed and skipped tests of a junit report; none at all when it was never written."""
    result: Counter[str] = Counter()
    if not report.exists() or not report.stat().st_size:
        return result
    for case in ET.parse(report).iter("testcase"):
        tags = {child.tag for child in case}
        if tags & {"failure", "error"}:
            result["failed"] += 1
        elif "skipped" in tags:
            result["skipped"] += 1
        else:
            result["passed"] += 1
    return result


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(main())
