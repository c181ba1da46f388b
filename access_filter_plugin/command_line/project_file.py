"""Reads and writes the variables of a .qgs or .qgz file without QGIS.

Everything but the ``<Variables>`` element stays as it is, byte for byte, and a .qgz keeps its other
members. A file is written beside the old one and then put in its place, so a reader never sees half
of it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from html import escape
from typing import Optional

from lxml import etree

from ..value_class import value_class

_VARIABLES = re.compile(rb"[ \t]*<Variables(?:\s*/>|\s*>.*?</Variables>)[ \t]*\r?\n?", re.DOTALL)
_PROPERTIES_END = re.compile(rb"[ \t]*</properties>")
_PROPERTIES_EMPTY = re.compile(rb"<properties\s*/>")
_MAX_XML = 1 << 30
_WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
OLDEST_MAJOR = 3
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)
BACKUP = ".backup"
"""What a backup's name ends with; the plugin never lets such a file be served."""


class ProjectFileError(ValueError):
    """A project file that cannot be read or written; one sentence with its path."""


@value_class
class ProjectFile:
    """A project file in memory."""

    path: str
    xml: bytes
    member: Optional[str] = None
    """The name of the .qgs inside a .qgz; None for a plain .qgs."""

    @property
    def variables(self) -> dict[str, str]:
        """The project's variables, by name."""
        return _read_variables(_root(self.path, self.xml))


def read_project_file(path: str) -> ProjectFile:
    """Return a project file; raise ProjectFileError when it is not one of QGIS 3 or later."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(_MAX_XML)
    except OSError as error:
        raise ProjectFileError(f"{path}: cannot be read: {error.strerror}") from error
    member = None
    if path.lower().endswith(".qgz") or data[:2] == b"PK":
        member, data = _unzipped(path, data)
    root = _root(path, data)
    version = root.get("version", "")
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < OLDEST_MAJOR:
        raise ProjectFileError(
            f"{path}: is a project of QGIS {version or '?'}; save it with QGIS 3"
        )
    return ProjectFile(path, data, member)


def _unzipped(path: str, data: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".qgs")]
            if len(names) != 1:
                raise ProjectFileError(f"{path}: holds {len(names)} .qgs files, not one")
            if archive.getinfo(names[0]).file_size > _MAX_XML:
                raise ProjectFileError(f"{path}: is larger than a project may be")
            return names[0], archive.read(names[0])
    except ProjectFileError:
        raise
    except _BAD_ARCHIVE as error:
        raise ProjectFileError(f"{path}: is not a readable .qgz: {error}") from error


def _root(path: str, xml: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise ProjectFileError(f"{path}: is not XML: {error.msg}") from error
    if root.tag != "qgis":
        raise ProjectFileError(f"{path}: is not a QGIS project")
    return root


def _read_variables(root: etree._Element) -> dict[str, str]:
    element = root.find("properties/Variables")
    if element is None:
        return {}
    names = [value.text or "" for value in element.iterfind("variableNames/value")]
    texts = [value.text or "" for value in element.iterfind("variableValues/value")]
    return dict(zip(names, texts))


def with_variables(project: ProjectFile, changes: Mapping[str, Optional[str]]) -> ProjectFile:
    """Return the file with these variables set (None removes one), the rest untouched.

    Raises ProjectFileError when the rest would not stay as it is.
    """
    variables: dict[str, str] = dict(project.variables)
    for name, text in changes.items():
        variables.pop(name, None)
        if text is not None:
            variables[name] = text
    xml = _spliced(project, _element(variables))
    _check_rest(project, xml, variables)
    return ProjectFile(project.path, xml, project.member)


def _element(variables: Mapping[str, str]) -> bytes:
    def values(texts: list[str]) -> str:
        return "".join(f"        <value>{escape(text, quote=False)}</value>\n" for text in texts)

    text = (
        "    <Variables>\n"
        f'      <variableNames type="QStringList">\n{values(list(variables))}'
        "      </variableNames>\n"
        f'      <variableValues type="QStringList">\n{values(list(variables.values()))}'
        "      </variableValues>\n"
        "    </Variables>\n"
    )
    return text.encode("utf-8", "strict")


def _spliced(project: ProjectFile, element: bytes) -> bytes:
    found = _VARIABLES.findall(project.xml)
    if len(found) > 1:
        raise ProjectFileError(f"{project.path}: has {len(found)} elements <Variables>")
    if found:
        return _VARIABLES.sub(lambda _match: element, project.xml, count=1)
    if _PROPERTIES_EMPTY.search(project.xml):
        whole = b"<properties>\n" + element + b"  </properties>"
        return _PROPERTIES_EMPTY.sub(lambda _match: whole, project.xml, count=1)
    ends = list(_PROPERTIES_END.finditer(project.xml))
    if not ends:
        raise ProjectFileError(f"{project.path}: has no <properties>")
    at = ends[-1].start() if len(ends) == 1 else _own_properties_end(project, ends)
    return project.xml[:at] + element + project.xml[at:]


def _own_properties_end(project: ProjectFile, ends: list[re.Match[bytes]]) -> int:
    """Return where the project's own ``</properties>`` begins: the one indented by two blanks."""
    own = [end for end in ends if end.group() == b"  </properties>"]
    if len(own) != 1:
        raise ProjectFileError(f"{project.path}: its <properties> cannot be told from others")
    return own[0].start()


def _check_rest(project: ProjectFile, xml: bytes, variables: Mapping[str, str]) -> None:
    """Refuse a result that differs in anything but the variables."""
    before, after = _root(project.path, project.xml), _root(project.path, xml)
    if _read_variables(after) != dict(variables):
        raise ProjectFileError(f"{project.path}: the variables cannot be written down as XML")
    texts = []
    for root in (before, after):
        for element in root.findall("properties/Variables"):
            _remove_keeping_tail(element)
        texts.append(re.sub(rb"\s+", b" ", etree.tostring(root, method="c14n")))
    if texts[0].replace(b" ", b"") != texts[1].replace(b" ", b""):
        raise ProjectFileError(f"{project.path}: more than the variables would change")


def _remove_keeping_tail(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def write_project_file(project: ProjectFile) -> str:
    """Write a project file in place of the old one; return the path of the backup.

    A symbolic link stays one: the file it leads to is replaced. The backup's name is one that QGIS
    Server is never made to serve by this plugin.
    """
    target = os.path.realpath(project.path)
    backup = target + BACKUP
    temporary = ""
    try:
        before = os.stat(target)
        if not before.st_mode & _WRITE_BITS:
            raise ProjectFileError(f"{project.path}: cannot be written: the file is read-only")
        data = project.xml if project.member is None else _zipped(project)
        temporary = _written_beside(target, data)
        os.chmod(temporary, stat.S_IMODE(before.st_mode))
        _keep_owner(temporary, before)
        shutil.copy2(target, backup)
        os.replace(temporary, target)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise ProjectFileError(f"{project.path}: cannot be written: {error.strerror}") from error
    return backup


def _written_beside(target: str, data: bytes) -> str:
    handle, path = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".access_filter-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        os.unlink(path)
        raise
    return path


def _keep_owner(path: str, before: os.stat_result) -> None:
    """Give a new file the owner of the old one, where that is another one than ours."""
    now = os.stat(path)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        os.chown(path, before.st_uid, before.st_gid)


def _zipped(project: ProjectFile) -> bytes:
    """Return the .qgz with its .qgs replaced, its other members with their dates and methods."""
    target = io.BytesIO()
    with zipfile.ZipFile(project.path) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = project.xml if info.filename == project.member else old.read(info.filename)
            new.writestr(info, data, compress_type=info.compress_type)
    return target.getvalue()
