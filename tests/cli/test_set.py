"""``set`` keeps what is not its own, and writes everything or nothing."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProject

from access_filter_plugin.command_line.project_file import ProjectFileError, read_project_file
from tests.support.projects import policy_project, save, vector_layer, write_geopackage

from .conftest import Result

Run = Callable[..., Result]
NEW = '[{"layers": "parcels", "filter": "\\"owner\\" = @access_user"}]'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.json"
    path.write_text(NEW)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "project", access_rules=[{"layers": "*"}], other="kept")


def qgz(folder: Path) -> Path:
    folder.mkdir()
    write_geopackage(folder / "data.gpkg")
    project = QgsProject()
    project.addMapLayer(vector_layer(folder, "parcels"))
    project.setCustomVariables({"other": "kept"})
    project.write(str(folder / "project.qgz"))
    return folder / "project.qgz"


def names_beside(path: Path) -> set[str]:
    return set(os.listdir(path.parent))


def test_what_set_writes_is_what_qgis_reads(run: Run, project: Path, rules: Path) -> None:
    assert run("set", project, "--rules", rules).code == 0
    read = QgsProject()
    assert read.read(str(project))
    assert read.customVariables() == {"access_rules": NEW, "other": "kept"}


def test_a_qgz_is_one_afterwards(run: Run, tmp_path: Path, rules: Path) -> None:
    path = qgz(tmp_path / "zipped")
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
    assert run("set", path, "--rules", rules).code == 0
    with zipfile.ZipFile(path) as archive:
        assert (archive.testzip(), archive.namelist()) == (None, members)
    read = QgsProject()
    assert read.read(str(path))
    assert read.customVariables()["access_rules"] == NEW
    assert len(read.mapLayers()) == 1


def test_a_link_stays_a_link(run: Run, project: Path, tmp_path: Path, rules: Path) -> None:
    link = tmp_path / "published.qgs"
    link.symlink_to(project)
    assert run("set", link, "--rules", rules).code == 0
    assert link.is_symlink()
    assert read_project_file(str(project)).variables["access_rules"] == NEW
    assert f"{project.name}.backup" in names_beside(project)


def test_the_rights_of_the_file_stay(run: Run, project: Path, rules: Path) -> None:
    project.chmod(0o640)
    assert run("set", project, "--rules", rules).code == 0
    assert stat.S_IMODE(project.stat().st_mode) == 0o640


def test_the_backup_is_never_served() -> None:
    from access_filter_plugin.command_line.project_file import BACKUP
    from access_filter_plugin.project_admission import is_backup

    assert is_backup(f"/srv/project.qgs{BACKUP}")


def test_a_read_only_file_is_left_alone(run: Run, project: Path, rules: Path) -> None:
    before, beside = project.read_bytes(), names_beside(project)
    project.chmod(0o444)
    result = run("set", project, "--rules", rules)
    assert (result.code, "the file is read-only" in result.err) == (2, True)
    assert (project.read_bytes(), names_beside(project)) == (before, beside)


def refuse(*_arguments: object, **_more: object) -> Any:
    raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("step", [(tempfile, "mkstemp"), (os, "replace"), (os, "fsync")])
def test_a_folder_that_cannot_be_written_leaves_the_project_whole(
    run: Run, project: Path, rules: Path, step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.read_bytes()
    monkeypatch.setattr(*step, refuse)
    result = run("set", project, "--rules", rules)
    assert result.code == 2
    assert "cannot be written: Read-only file system" in result.err
    assert project.read_bytes() == before
    assert not [name for name in names_beside(project) if name.startswith(".access_filter")]


@pytest.mark.parametrize(
    "text", ["<qgis version='2.18.3'><properties/></qgis>", "<qgis version='3.22'", ""]
)
@pytest.mark.parametrize("command", ["set", "check", "explain", "matrix", "test"])
def test_every_command_names_a_file_that_is_no_project(
    run: Run, tmp_path: Path, rules: Path, command: str, text: str
) -> None:
    path = tmp_path / "project.qgs"
    path.write_text(text)
    more = ("--rules", rules) if command == "set" else ()
    result = run(command, path, *more)
    assert result.code == 2
    assert str(path) in result.err
    assert path.read_text() == text
    assert "Traceback" not in result.err


def test_damage_to_any_part_of_a_qgz_is_one_sentence_or_none(tmp_path: Path) -> None:
    path = tmp_path / "project.qgz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.qgs", "<qgis version='3.40'><properties/></qgis>")
    whole = path.read_bytes()
    sentences: list[str] = []
    for index in range(len(whole)):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 0xFF]) + whole[index + 1 :])
        try:
            read_project_file(str(path))
        except ProjectFileError as error:
            sentences.append(str(error))
        path.write_bytes(whole[:index])
        with pytest.raises(ProjectFileError):
            read_project_file(str(path))
    assert len(sentences) > len(whole) // 3
    assert all(str(path) in sentence for sentence in sentences)


def test_a_setting_that_is_not_valid_keeps_the_rules_out_as_well(
    run: Run, project: Path, tmp_path: Path, rules: Path
) -> None:
    tests = tmp_path / "tests.json"
    tests.write_text('[{"layer": "parcels", "expect": {"raed": true}}]')
    before = project.read_bytes()
    result = run("set", project, "--rules", rules, "--tests", tests)
    assert (result.code, "raed" in result.err) == (2, True)
    assert project.read_bytes() == before


def test_a_project_that_qgis_cannot_load_is_named(run: Run, tmp_path: Path) -> None:
    project = save(QgsProject(), tmp_path / "project.qgs", {"access_rules": [{"layers": "*"}]})
    assert run("check", project).code == 0
    missing = tmp_path / "none.qgs"
    assert str(missing) in run("check", missing).err
