"""Project files are changed in their variables and nowhere else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from access_filter_plugin.command_line.project_file import (
    ProjectFileError,
    read_project_file,
    with_variables,
    write_project_file,
)

HEAD = (
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    "<qgis version=\"3.22.16-Białowieża\"  projectname='odd &amp; quotes'>\n"
    "  <title>a   <!-- kept --> b</title>\n"
    "  <properties>\n    <Gui>\n      <x   type='int'>1</x>\n    </Gui>\n"
)
VARIABLES = (
    '    <Variables>\n      <variableNames type="QStringList">\n        <value>old</value>\n'
    '      </variableNames>\n      <variableValues type="QStringList">\n'
    "        <value>1 &lt; 2</value>\n      </variableValues>\n    </Variables>\n"
)
TAIL = "  </properties>\n  <!-- end -->\n</qgis>\n"


def project(tmp_path: Path, text: str, name: str = "p.qgs") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8"))
    return path


def test_the_variables_of_a_project_are_read(tmp_path: Path) -> None:
    path = project(tmp_path, HEAD + VARIABLES + TAIL)
    assert read_project_file(str(path)).variables == {"old": "1 < 2"}


@pytest.mark.parametrize("before", [VARIABLES, "", "    <Variables/>\n"])
def test_everything_else_stays_byte_for_byte(tmp_path: Path, before: str) -> None:
    path = project(tmp_path, HEAD + before + TAIL)
    changed = with_variables(read_project_file(str(path)), {"access_rules": '[{"layers":"<&>"}]'})
    write_project_file(changed)
    data = path.read_bytes()
    assert data.startswith(HEAD.encode())
    assert data.endswith(TAIL.encode())
    assert read_project_file(str(path)).variables["access_rules"] == '[{"layers":"<&>"}]'


def test_other_variables_stay_and_named_ones_go(tmp_path: Path) -> None:
    path = project(tmp_path, HEAD + VARIABLES + TAIL)
    kept = with_variables(read_project_file(str(path)), {"new": "x"})
    assert kept.variables == {"old": "1 < 2", "new": "x"}
    assert with_variables(kept, {"old": None}).variables == {"new": "x"}


def test_a_backup_holds_the_old_file(tmp_path: Path) -> None:
    path = project(tmp_path, HEAD + VARIABLES + TAIL)
    backup = write_project_file(with_variables(read_project_file(str(path)), {"a": "b"}))
    assert Path(backup).read_bytes() == (HEAD + VARIABLES + TAIL).encode()


def test_a_qgz_keeps_its_other_members(tmp_path: Path) -> None:
    path = tmp_path / "p.qgz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.qgs", HEAD + VARIABLES + TAIL)
        archive.writestr("p_styles.db", b"\x00binary\xff")
    write_project_file(with_variables(read_project_file(str(path)), {"a": "b"}))
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert archive.namelist() == ["p.qgs", "p_styles.db"]
        assert archive.read("p_styles.db") == b"\x00binary\xff"
    assert read_project_file(str(path)).variables["a"] == "b"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.qgz", "PK but not a zip", "not a readable .qgz"),
        ("p.qgs", "<qgis version='2.18'/>", "project of QGIS 2.18"),
        ("p.qgs", "<qgis version='3.22'", "is not XML"),
        ("p.qgs", "<html/>", "is not a QGIS project"),
        ("p.qgs", "<qgis/>", "project of QGIS ?"),
    ],
)
def test_what_is_not_a_project_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(ProjectFileError, match=words):
        read_project_file(str(project(tmp_path, text, name)))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProjectFileError, match="cannot be read"):
        read_project_file(str(tmp_path / "none.qgs"))


def test_an_entity_is_not_resolved(tmp_path: Path) -> None:
    text = (
        '<!DOCTYPE qgis [<!ENTITY e SYSTEM "file:///etc/hostname">]><qgis version="3.22">'
        "<properties><Variables><variableNames><value>a</value></variableNames><variableValues>"
        "<value>&e;</value></variableValues></Variables></properties></qgis>"
    )
    assert read_project_file(str(project(tmp_path, text))).variables == {"a": ""}


def test_two_elements_of_variables_are_refused(tmp_path: Path) -> None:
    path = project(tmp_path, HEAD + VARIABLES + VARIABLES + TAIL)
    with pytest.raises(ProjectFileError, match="2 elements"):
        with_variables(read_project_file(str(path)), {"a": "b"})


def test_a_control_character_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = project(tmp_path, HEAD + VARIABLES + TAIL)
    with pytest.raises(ProjectFileError):
        with_variables(read_project_file(str(path)), {"a": "b\x01"})
    assert path.read_bytes() == (HEAD + VARIABLES + TAIL).encode()
