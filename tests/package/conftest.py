"""The zip as a server operator gets it: built by script/package, unpacked into an empty folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def plugin_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [ROOT / "script/package", target], check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def plugin_folder(plugin_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What QGIS_PLUGINPATH names: a folder that holds the unpacked plugin and nothing else."""
    folder = tmp_path_factory.mktemp("plugins")
    with zipfile.ZipFile(plugin_zip) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a layer for everybody (parks) and a layer for staff (depots)."""
    path = tmp_path_factory.mktemp("project") / "town.qgs"
    script = Path(__file__).with_name("make_project.py")
    subprocess.run([sys.executable, script, path], check=True)
    return path
