"""What the plugin repository looks at when a zip is uploaded."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from script.check_zip import problems

SOURCE = Path(__file__).resolve().parents[2] / "access_filter_plugin"


def bandit(folder: Path) -> subprocess.CompletedProcess[str]:
    """Every severity counts there, and a "nosec" may not be honoured."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--ignore-nosec", folder]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def secrets(folder: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "."]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    found: dict[str, object] = json.loads(done.stdout)["results"]
    return found


def test_bandit_finds_nothing_in_the_zip(plugin_folder: Path) -> None:
    done = bandit(plugin_folder)
    assert done.returncode == 0, done.stdout


def test_detect_secrets_finds_nothing_in_the_zip(plugin_folder: Path) -> None:
    assert secrets(plugin_folder) == {}


def test_both_scanners_find_what_they_should(tmp_path: Path) -> None:
    password = "password" + ' = "hunter2-hunter2"\n'
    (tmp_path / "bad.py").write_text(password)
    assert (bandit(tmp_path).returncode, list(secrets(tmp_path))) == (1, ["bad.py"])


def test_every_module_of_the_checkout_is_in_the_zip(plugin_folder: Path) -> None:
    def modules(folder: Path) -> list[str]:
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))

    assert modules(plugin_folder / SOURCE.name) == modules(SOURCE)


def test_the_licence_and_metadata_of_the_zip_are_files(plugin_folder: Path) -> None:
    shipped = [plugin_folder / SOURCE.name / name for name in ("LICENSE", "metadata.txt")]
    assert [(path.is_file(), path.is_symlink()) for path in shipped] == [(True, False)] * 2


def test_the_metadata_of_the_zip_still_says_server_true(plugin_folder: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read(plugin_folder / SOURCE.name / "metadata.txt", encoding="utf-8")
    assert parser["general"]["server"] == "True"


def test_the_zip_is_fit_to_be_shipped(plugin_zip: Path) -> None:
    with zipfile.ZipFile(plugin_zip) as archive:
        assert problems(archive, SOURCE) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("access_filter_plugin/__pycache__/plugin.cpython-311.pyc", "not to be shipped"),
        ("access_filter_plugin/.git/config", "not to be shipped"),
        ("access_filter_plugin/access_control/.hidden.py", "not to be shipped"),
        ("access_filter_plugin/data.gpkg", "not to be shipped"),
        ("other/module.py", "not to be shipped"),
    ],
)
def test_a_foreign_file_in_a_zip_is_named(tmp_path: Path, name: str, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, "")
        assert f"{said}: {name}" in problems(archive, tmp_path)


def test_a_missing_licence_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        assert "missing: access_filter_plugin/LICENSE" in problems(archive, tmp_path)
