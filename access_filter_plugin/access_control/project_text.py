"""Whether anything in a project can see the caller's expression variables.

Setting them makes QGIS build the project's scope anew, which names every layer: a quarter of a
millisecond a request at 100 layers, and more with more. Few projects use them. So the text of the
project is searched, once per load; whatever is not certain counts as a use of them.
"""

from __future__ import annotations

import os
import re
import zlib
from typing import Optional

from ..late_pattern import late_pattern
from .expression import PLACEHOLDERS

MAX_BYTES = 256 * 1024 * 1024
_CLOCK_TICK = 0.05
"""Seconds by which a file's time may lie before the moment that it was written in."""

_OWN_RULES = late_pattern(rb"<Variables>.*?</Variables>", re.DOTALL)
_NAMES = late_pattern("|".join(PLACEHOLDERS).encode())
# Functions that find a variable by a name they compute, or tell them all; in the source of a virtual
# layer a blank before them is written %20.
_BY_COMPUTED_NAME = late_pattern(rb"(?:\b|%[0-9a-f]{2})(?:var|eval|eval_template|item_variables)\b")
# What lies in other files: layers of another project, pages that a layout or an annotation loads.
_ELSEWHERE = late_pattern(
    rb"""embedded(?:=|_project)|\bhtmlfile\b|<layoutmultiframe\b[^>]*\burl\s*=\s*["'][^"']"""
)
_BLANKS = late_pattern(rb"&#(?:x0*[9ad]|0*9|0*1[03]);")


def may_use_variables(text: bytes) -> bool:
    """Return False only where nothing in a project's XML can name the caller's variables.

    The project's own variables are left out, as the rules among them may name these freely: they
    are to be looked at by :func:`names_variables`, one by one.
    """
    plain = _BLANKS.sub(b" ", text.lower())
    if b"&#" in plain or b"<qgis" not in plain:
        return True  # written in a way that QGIS does not write
    if _BY_COMPUTED_NAME.search(plain) is not None or _ELSEWHERE.search(plain) is not None:
        return True
    found = list(_OWN_RULES.finditer(text))
    if len(found) > 1:
        return True
    rest = _OWN_RULES.sub(b"", text).lower()
    return _NAMES.search(rest) is not None


def names_variables(text: str) -> bool:
    """Return whether a text names one of the caller's variables."""
    return _NAMES.search(text.lower().encode("utf-8", "replace")) is not None


def may_name_variables(text: str) -> bool:
    """Return whether an expression names one of them, or finds variables by computed names."""
    plain = text.lower().encode("utf-8", "replace")
    return _NAMES.search(plain) is not None or _BY_COMPUTED_NAME.search(plain) is not None


def read_project_text(path: str, not_before: float) -> Optional[bytes]:
    """Return the XML of a project's file, or None where it may not be what QGIS has loaded.

    ``not_before`` is a Unix time in seconds before which QGIS did not load it: a file that has
    changed since then may be a newer one.
    """
    try:
        before = os.stat(path)
        changed = max(before.st_mtime, before.st_ctime)
        if before.st_size > MAX_BYTES or changed > not_before - _CLOCK_TICK:
            return None
        text = _read(path)
        after = os.stat(path)
    except (OSError, zlib.error, RuntimeError, NotImplementedError):
        return None
    return text if _identity(before) == _identity(after) else None


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns


def _read(path: str) -> Optional[bytes]:
    if path.lower().endswith(".qgs"):
        with open(path, "rb") as stream:
            return stream.read()
    return _read_archive(path) if path.lower().endswith(".qgz") else None


def _read_archive(path: str) -> Optional[bytes]:
    try:
        import zipfile  # noqa: PLC0415 (8 ms of a start, with all that it imports itself)
    except ImportError:
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = [item for item in archive.infolist() if item.filename.lower().endswith(".qgs")]
            if len(names) != 1 or names[0].file_size > MAX_BYTES:
                return None
            return archive.read(names[0])
    except zipfile.BadZipFile:
        return None
