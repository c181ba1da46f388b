"""``file:NAME.json`` values: a file beside the project, and no way out of that folder."""

from __future__ import annotations

import os
from dataclasses import field

from .strict_json import Problem, StrictJsonError, shown
from .value_class import mutable_class, value_class

PREFIX = "file:"
MAX_BYTES = 32 * 1024 * 1024


@value_class
class FileStamp:
    """What tells that a file changed: times and size; all -1 where it is missing.

    The time of its last change of any kind tells of one whose time of writing was put back.
    """

    mtime_ns: int = -1
    ctime_ns: int = -1
    size: int = -1
    inode: int = -1

    @classmethod
    def of(cls, path: str) -> FileStamp:
        """Return the stamp of a file as it is now; the default stamp when it is not there."""
        try:
            status = os.stat(path)
        except OSError:
            return cls()
        return cls(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


@mutable_class
class VariableFiles:
    """Follows the ``file:`` values of one project and remembers what it read."""

    folder: str
    """The project's folder, absolute; empty for a project that is not a file."""
    stamps: dict[str, FileStamp] = field(default_factory=dict)

    def text(self, name: str, value: str) -> str:
        """Return the text of a variable, or of the file it names; raise StrictJsonError."""
        if not value.strip().startswith(PREFIX):
            return value
        relative = value.strip()[len(PREFIX) :].strip()
        path = self._inside(name, relative)
        # The name as written: a symbolic link that is pointed elsewhere is a changed file.
        written = os.path.join(self.folder, relative)
        self.stamps[written] = FileStamp.of(written)
        return self._read(name, path)

    def are_unchanged(self) -> bool:
        """Return whether every file that was read is still as it was."""
        stamps = self.stamps
        return not stamps or all(FileStamp.of(path) == stamp for path, stamp in stamps.items())

    def _inside(self, name: str, relative: str) -> str:
        if not self.folder:
            raise _problem(name, "names a file, but the project is not a file itself")
        unfit = "\0" in relative or not relative.isprintable()
        if unfit or not relative.lower().endswith(".json"):
            raise _problem(name, f"must name a .json file, is {shown(relative)}")
        if os.path.isabs(relative):
            raise _problem(name, f"must name a file beside the project, is {shown(relative)}")
        folder = os.path.realpath(self.folder)
        path = os.path.realpath(os.path.join(folder, relative))
        if os.path.commonpath([folder, path]) != folder:
            raise _problem(name, f"{shown(relative)} lies outside the project's folder")
        return path

    @staticmethod
    def _read(name: str, path: str) -> str:
        shown_name = shown(os.path.basename(path))
        if os.path.exists(path) and not os.path.isfile(path):
            raise _problem(name, f"{shown_name} is not a regular file")  # a pipe would wait forever
        try:
            with open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise _problem(name, f"{shown_name} cannot be read: {error.strerror}") from error
        if len(data) > MAX_BYTES:
            raise _problem(name, f"{shown_name} is larger than {MAX_BYTES} bytes")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _problem(name, f"{shown_name} is not UTF-8") from error


def _problem(name: str, message: str) -> StrictJsonError:
    return StrictJsonError([Problem(name, message)])
