"""What needs no QGIS runs without it, and what needs it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.projects import policy_project

ROOT = Path(__file__).resolve().parents[2]
#: Python with QGIS hidden from every import, as on a machine that does not have it.
PROGRAM = """
import runpy, sys
for name in ("qgis", "osgeo", "PyQt5", "PyQt6"):
    sys.modules[name] = None
sys.argv = ["access_filter_plugin", *sys.argv[1:]]
runpy.run_module("access_filter_plugin", run_name="__main__")
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "project", access_rules=[{"layers": "*"}])


def test_the_syntax_is_checked(project: Path) -> None:
    done = run("check", "--syntax", project)
    assert (done.returncode, "no problems" in done.stdout) == (0, True), done.stderr


def test_variables_are_set(project: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"layers": "parcels"}]')
    done = run("set", project, "--rules", rules)
    assert done.returncode == 0, done.stderr
    assert "run check" in done.stdout


def test_logs_are_analysed(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    log.write_text(
        json.dumps({"time": "2026-11-23T10:15:02.120Z", "service": "WMS", "ms": 1}) + "\n"
    )
    done = run("log", log)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["check", "explain", "matrix", "test"])
def test_what_needs_qgis_says_so_in_one_sentence(project: Path, command: str) -> None:
    done = run(command, project)
    assert done.returncode == 2
    assert "this needs PyQGIS" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_what_it_could_find(project: Path, tmp_path: Path) -> None:
    broken = policy_project(tmp_path / "broken", access_rules='[{"layer": "*"}]')
    done = run("check", broken)
    assert (done.returncode, "access_rules[0].layer" in done.stdout) == (2, True)
