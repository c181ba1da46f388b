"""Whether a project's text can see the caller's variables: whatever is not certain is a use."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from pathlib import Path

import pytest

from access_filter_plugin.access_control.project_text import (
    may_use_variables,
    names_variables,
    read_project_text,
)

PLAIN = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.40" projectname="{title}"><layer expression="{expression}"/>{more}
<properties><Variables><variableNames><value>access_rules</value></variableNames><variableValues>
<value>[{{"filter": "\\"owner\\" = {rule}"}}]</value></variableValues></Variables></properties></qgis>
"""


def text(
    expression: str = "1", more: str = "", title: str = "town", rule: str = "@access_user"
) -> bytes:
    return PLAIN.format(expression=expression, more=more, title=title, rule=rule).encode()


@pytest.mark.parametrize(
    "unused",
    [
        text(),
        text("&quot;name&quot; || @project_title"),
        text("a&#xa;+ b"),
        text("variant + evaluation + my_var"),
        text(more='<LayoutMultiFrame type="65647" url=""/>'),
        text(more="<Layer embedded_widgets='1'/>"),
        text(rule="@access_roles"),
    ],
)
def test_a_project_that_names_none_of_them_uses_none(unused: bytes) -> None:
    assert not may_use_variables(unused)


@pytest.mark.parametrize(
    "used",
    [
        text("@access_user"),
        text("@ACCESS_Roles"),
        text("if(@access_is_anonymous, 1, 2)"),
        text("var('access' || '_' || 'user')"),
        text("var&#xa;(&quot;name&quot;)"),
        text("VAR /* a comment */ ('x')"),
        text("eval(&quot;name&quot;)"),
        text("eval_template('x')"),
        text("?query=select%20var%28%27access%27%7C%7C%27_user%27%29"),
        text("map_to_json(item_variables('map'))"),
        text("@acc&#101;ss_user"),
        text("@&#x61;ccess_user"),
        text(rule="var('access_user')"),
        text(more='<maplayer embedded="1" project="other.qgs"/>'),
        text(more='<layer-tree-group embedded_project="other.qgs"/>'),
        text(more='<LayoutMultiFrame a="1"\n url="http://page/"/>'),
        text(more='<HtmlAnnotationItem htmlfile="page.html"/>'),
        text(more="<Variables><a>x</a></Variables>"),
        text().decode().encode("utf-16"),
        b"",
        b"<html/>",
    ],
)
def test_what_names_one_or_is_not_certain_is_a_use(used: bytes) -> None:
    assert may_use_variables(used)


def test_a_name_stands_in_a_text_in_any_case() -> None:
    assert names_variables("hello @Access_User")
    assert names_variables("\ud800 access_roles")
    assert not names_variables("@access_rules @user")


def later() -> float:
    return time.time() + 60


def test_a_file_is_read_that_has_not_changed_since_qgis_was_asked(tmp_path: Path) -> None:
    plain = tmp_path / "town.qgs"
    plain.write_bytes(text())
    assert read_project_text(str(plain), later()) == text()
    zipped = tmp_path / "town.QGZ"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("town.qgs", text())
        archive.writestr("town.qgd", b"auxiliary data")
    assert read_project_text(str(zipped), later()) == text()


def test_an_archive_that_python_cannot_open_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = tmp_path / "town.qgz"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("town.qgs", text())
    assert read_project_text(str(zipped), later()) == text()
    monkeypatch.setitem(sys.modules, "zipfile", None)
    assert read_project_text(str(zipped), later()) is None


def test_a_file_that_may_be_newer_than_the_loaded_project_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "town.qgs"
    path.write_bytes(text())
    assert read_project_text(str(path), 0.0) is None
    assert read_project_text(str(path), path.stat().st_ctime) is None
    # The time a copy brings along says nothing: what counts is when it came here.
    os.utime(path, (1, 1))
    assert read_project_text(str(path), time.time() - 60) is None


def test_what_is_no_single_project_file_is_not_read(tmp_path: Path) -> None:
    broken, several, other = (tmp_path / name for name in ("a.qgz", "b.qgz", "c.xml"))
    broken.write_bytes(b"no archive")
    other.write_bytes(text())
    with zipfile.ZipFile(several, "w") as archive:
        archive.writestr("one.qgs", text())
        archive.writestr("two.qgs", text())
    for path in (broken, several, other, tmp_path / "missing.qgs", tmp_path):
        assert read_project_text(str(path), later()) is None
    assert read_project_text("postgresql://host/db?project=town", later()) is None


def test_a_file_that_changes_while_it_is_read_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from access_filter_plugin.access_control import project_text

    path = tmp_path / "town.qgs"
    path.write_bytes(text())
    read = project_text._read

    def and_replaced(name: str) -> object:
        found = read(name)
        (tmp_path / "new").write_bytes(text("@access_user"))
        os.replace(tmp_path / "new", name)
        return found

    monkeypatch.setattr(project_text, "_read", and_replaced)
    assert read_project_text(str(path), later()) is None


def test_a_file_whose_time_is_still_to_come_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "town.qgs"
    path.write_bytes(text())
    os.utime(path, (later() + 60, later() + 60))
    assert read_project_text(str(path), later()) is None


def test_a_project_that_is_too_large_to_be_searched_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from access_filter_plugin.access_control import project_text

    plain, zipped = tmp_path / "town.qgs", tmp_path / "town.qgz"
    large = text(more=" " * 10_000)
    plain.write_bytes(large)
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("town.qgs", large)
    assert read_project_text(str(plain), later()) == read_project_text(str(zipped), later())
    # In the archive it is small.
    monkeypatch.setattr(project_text, "MAX_BYTES", len(large) - 1)
    assert zipped.stat().st_size < len(large) - 1
    assert read_project_text(str(plain), later()) is None
    assert read_project_text(str(zipped), later()) is None
