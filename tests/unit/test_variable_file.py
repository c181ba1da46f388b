"""``file:`` values: a file beside the project, and no way out of that folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from access_filter_plugin.strict_json import StrictJsonError
from access_filter_plugin.variable_file import MAX_BYTES, VariableFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "project"
    (inside / "deep").mkdir(parents=True)
    (inside / "rules.json").write_text("[]")
    (inside / "deep" / "rules.json").write_text("[1]")
    (tmp_path / "outside.json").write_text("[2]")
    return inside


def read(folder: Path, value: str) -> str:
    return VariableFiles(str(folder)).text("access_rules", value)


def refused(folder: Path, value: str) -> str:
    with pytest.raises(StrictJsonError) as caught:
        read(folder, value)
    return str(caught.value)


def test_any_other_text_is_itself(folder: Path) -> None:
    assert read(folder, '["file:x"]') == '["file:x"]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("file:rules.json", "[]"),
        (" file: deep/rules.json ", "[1]"),
        ("file:./deep/../rules.json", "[]"),
    ],
)
def test_a_file_beside_or_below_the_project_is_read(folder: Path, value: str, text: str) -> None:
    assert read(folder, value) == text


@pytest.mark.parametrize(
    "value",
    [
        "file:",
        "file:../outside.json",
        "file:deep/../../outside.json",
        "file:/etc/passwd",
        "file:rules.txt",
        "file:missing.json",
        "file:deep",
        "file:a\0.json",
        "file:\ud800.json",
        "file:" + "x" * 5000 + ".json",
    ],
)
def test_no_other_file_is_read(folder: Path, value: str) -> None:
    assert refused(folder, value).startswith("access_rules: ")


def test_an_absolute_name_is_refused_even_of_a_file_inside(folder: Path) -> None:
    assert "beside the project" in refused(folder, f"file:{folder / 'rules.json'}")


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "link.json").symlink_to(folder.parent / "outside.json")
    assert "outside the project's folder" in refused(folder, "file:link.json")


def test_a_linked_folder_is_no_way_out(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)
    assert "outside the project's folder" in refused(folder, "file:up/outside.json")


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "link.json").symlink_to(folder / "deep" / "rules.json")
    assert read(folder, "file:link.json") == "[1]"


def test_a_link_to_itself_is_refused(folder: Path) -> None:
    (folder / "loop.json").symlink_to("loop.json")
    assert refused(folder, "file:loop.json")


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    assert "not a regular file" in refused(folder, "file:pipe.json")


def test_a_file_that_is_too_large_is_refused(folder: Path) -> None:
    with (folder / "big.json").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert "larger than" in refused(folder, "file:big.json")


def test_a_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "latin.json").write_bytes(b'["\xe9"]')
    assert "not UTF-8" in refused(folder, "file:latin.json")


def test_a_byte_order_mark_is_left_out(folder: Path) -> None:
    (folder / "mark.json").write_bytes(b"\xef\xbb\xbf[]")
    assert read(folder, "file:mark.json") == "[]"


def test_a_project_that_is_no_file_has_no_files_beside_it() -> None:
    with pytest.raises(StrictJsonError, match="not a file itself"):
        VariableFiles("").text("access_rules", "file:rules.json")


def test_an_unchanged_file_is_current(folder: Path) -> None:
    files = VariableFiles(str(folder))
    files.text("access_rules", "file:rules.json")
    assert files.are_unchanged()


def test_a_rewritten_file_is_a_change(folder: Path) -> None:
    files = VariableFiles(str(folder))
    files.text("access_rules", "file:rules.json")
    (folder / "rules.json").write_text("[1, 2]")
    assert not files.are_unchanged()


def test_a_file_rewritten_to_the_same_size_and_time_is_a_change(folder: Path) -> None:
    """So do tools that give every file the time of its commit."""
    path = folder / "rules.json"
    files = VariableFiles(str(folder))
    files.text("access_rules", "file:rules.json")
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # as long as the kernel's clock stands
        path.write_text("{}")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert not files.are_unchanged()


def test_a_file_that_appears_is_a_change(folder: Path) -> None:
    files = VariableFiles(str(folder))
    with pytest.raises(StrictJsonError):
        files.text("access_rules", "file:later.json")
    assert files.are_unchanged()
    (folder / "later.json").write_text("[]")
    assert not files.are_unchanged()


def test_a_link_that_is_pointed_elsewhere_is_a_change(folder: Path) -> None:
    link = folder / "link.json"
    link.symlink_to(folder / "rules.json")
    files = VariableFiles(str(folder))
    files.text("access_rules", "file:link.json")
    link.unlink()
    link.symlink_to(folder / "deep" / "rules.json")
    assert not files.are_unchanged()
