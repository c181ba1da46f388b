"""The command line says what is wrong in one sentence, whatever the shell and the reader do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project

from .conftest import Result

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
#: Python without lxml and QGIS, as on a machine that has neither.
BARE = """
import runpy, sys
for name in ("qgis", "osgeo", "PyQt5", "PyQt6", "lxml", "orjson"):
    sys.modules[name] = None
sys.argv = ["access_filter_plugin", *sys.argv[1:]]
runpy.run_module("access_filter_plugin", run_name="__main__")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy_project(tmp_path_factory.mktemp("friendly"), access_rules=[{"layers": "*"}])


def program(
    *arguments: object, before: tuple[str, ...] = ("-m", "access_filter_plugin"), **more: Any
) -> subprocess.Popen[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **more}
    return subprocess.Popen(
        [sys.executable, *before, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_terminal_without_unicode_gets_the_help_all_the_same() -> None:
    out, err = program("--help", PYTHONIOENCODING="ascii").communicate()
    assert ("check" in out, err) == (True, "")


def test_a_reader_that_hangs_up_is_no_traceback(project: Path) -> None:
    process = program("matrix", project)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        errors = stream.read()
    assert (process.wait(), "Traceback" in errors, "BrokenPipe" in errors) == (2, False, False)


def test_nothing_but_the_answer_is_written(project: Path) -> None:
    """QGIS complains where something asks for its files before it has started."""
    process = program("check", project)
    _out, err = process.communicate()
    assert (process.returncode, "Application path" in err) == (0, False)


@pytest.mark.parametrize("command", ["check", "explain", "matrix", "test", "set"])
def test_a_machine_without_lxml_is_told_so(project: Path, command: str) -> None:
    process = program(command, project, before=("-c", BARE))
    out, err = process.communicate()
    assert (process.returncode, out, "Traceback" in err) == (2, "", False)
    assert "this needs lxml (python3-lxml)" in err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--service", "XYZ"], "--service"),
        (["--role", "viewer"], "--role"),
        (["--address", "here"], "--address"),
        (["--layer", "nothing"], "--layer"),
        (["--url", "nonsense"], "--url"),
    ],
)
def test_explain_names_the_option_that_it_cannot_use(
    run: Run, project: Path, arguments: list[str], name: str
) -> None:
    result = run("explain", project, *arguments)
    assert (result.code, result.err.split(":")[0], result.err.count("\n")) == (2, name, 1)


@pytest.mark.parametrize("command", ["explain", "matrix", "test"])
def test_rules_that_are_not_valid_are_told_by_every_command(
    run: Run, tmp_path: Path, command: str
) -> None:
    asserted = [{"layer": "parcels", "expect": {"read": True}}]
    closed = policy_project(tmp_path, access_rules=[{"layer": "*"}], access_tests=asserted)
    result = run(command, closed)
    assert result.code == 2
    assert "denied to everybody" in result.err
    assert 'access_rules[0].layer: unknown key, did you mean "layers"?' in result.err


@pytest.mark.parametrize("command", ["explain", "matrix"])
def test_a_project_without_rules_is_not_called_invalid(
    run: Run, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = policy_project(tmp_path, other="1")
    assert "has no access rules; it is open to everybody" in run(command, plain).err
    monkeypatch.setenv("ACCESS_FILTER_REQUIRE_RULES", "1")
    assert "denied to everybody: it has no access rules" in run(command, plain).err


def test_set_says_what_it_removed_and_what_was_not_there(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=[{"layers": "*"}], access_default="allow")
    before = project.read_bytes()
    unknown = run("set", project, "--remove", "access_defualt")
    assert (unknown.code, project.read_bytes()) == (2, before)
    assert 'has no variable "access_defualt", did you mean "access_default"?' in unknown.err
    done = run("set", project, "--remove", "access_default")
    assert (done.code, "removed access_default; the old file is" in done.out) == (0, True)
    assert "set " not in done.out


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "cannot be read: it is not UTF-8"),
    ],
)
def test_a_rules_file_that_cannot_be_read_is_named_once(
    run: Run, project: Path, tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / "rules.json"
    make(path)
    result = run("set", project, "--rules", path)
    assert result.err == f"{path}: {sentence}\nNothing was written.\n"


def test_an_archive_without_a_project_is_one_sentence(run: Run, tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "two.qgz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.txt", "")
    assert run("check", path).err == f"{path}: holds 0 .qgs files, not one\n"
