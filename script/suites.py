"""Runs each folder of tests in a pytest of its own, some at a time, and sums up; see script/test."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from xml.etree import ElementTree as ET

NO_TESTS_COLLECTED = 5
UNIT = "tests/unit"
#: The longest first, so that none of them is what all others have long been waited for.
LONG = ("fcgi", "server", "noninterference", "server_feature_info", "cli", "package")


def main() -> int:
    """Returns 0 when every suite passed and something was tested at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", default="", help="folders of tests/ to leave out: a,b")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4))
    options, pytest_arguments = parser.parse_known_args()
    paths, switches = split_arguments(pytest_arguments)
    chosen = {folder: targets_of(folder, paths) for folder in suites(options.without.split(","))}
    chosen = {folder: targets for folder, targets in chosen.items() if targets}
    # The unit tests alone and first: they are quick, and some of them measure.
    alone = {folder: targets for folder, targets in chosen.items() if folder == UNIT}
    others = {folder: targets for folder, targets in chosen.items() if folder != UNIT}
    total = run_suites(alone, switches, 1) + run_suites(others, switches, options.jobs)
    if total["skipped"]:
        print(f"{total['skipped']} skipped")
    print(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] or not total["passed"] else 0


def run_suites(chosen: dict[str, list[str]], switches: list[str], jobs: int) -> Counter[str]:
    """Runs so many suites at a time; the output of each goes out in one piece when it has ended."""
    total: Counter[str] = Counter()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        running = [pool.submit(run_suite, *suite, switches) for suite in chosen.items()]
        for suite in as_completed(running):
            text, result = suite.result()
            print(text, flush=True)
            total += result
    return total


def suites(left_out: list[str]) -> list[str]:
    """Every folder of tests/ that holds tests."""
    folders = {path.relative_to("tests").parts[0] for path in Path("tests").rglob("test_*.py")}
    chosen = folders.difference(left_out)
    order = [name for name in LONG if name in chosen]
    return [f"tests/{name}" for name in [*order, *sorted(chosen.difference(order))]]


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


def run_suite(folder: str, targets: list[str], switches: list[str]) -> tuple[str, Counter[str]]:
    """Runs one pytest; a process that dies counts as one failure, whatever it reported before."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "junit.xml")
        options = ["-q", "--color=no", f"--junitxml={report}", *switches]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *targets],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        result = counts(report)
    text = f"== {folder}\n{done.stdout}"
    # A choice of tests (-k, -m, --lf) may leave nothing to run in a suite; a whole folder may not.
    nothing_chosen = done.returncode == NO_TESTS_COLLECTED and bool(switches)
    if done.returncode and not nothing_chosen and not result["failed"]:
        text += f"pytest on {folder} ended with {done.returncode}\n"
        result["failed"] += 1
    return text + f"-- {folder}: {time.monotonic() - started:.1f} s", result


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
