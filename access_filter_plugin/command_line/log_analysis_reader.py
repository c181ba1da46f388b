"""Reads request logs: plain, gzip, bzip2 or xz, with what other programs put around the lines.

A line is searched for its JSON object, so that a prefix of syslog or journald does no harm, and one
inside docker's or journald's own JSON is unpacked. What has no object is another program's line;
what has one that cannot be read is broken. Both are counted, neither stops anything.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any, BinaryIO, Optional

from .. import json_codec
from ..value_class import mutable_class
from .log_analysis_progress import Progress

MAX_LINE = 1_048_576
_OPENERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open))
_WRAPPERS = ("log", "MESSAGE")
"""Where docker's json-file and journalctl -o json put a line."""
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)


@mutable_class
class ReadCounts:
    """What was read, and what could not be."""

    lines: int = 0
    broken: int = 0
    other: int = 0
    """Lines without a JSON object: another program's, in the same stream."""
    unreadable: list[str] = field(default_factory=list)
    """Files that could not be opened or read to their end, and why."""


def with_rotated(paths: Iterable[str]) -> list[str]:
    """Return the files and, beside each, those that logrotate made of it; the oldest first."""
    found: dict[str, None] = {}
    for path in paths:
        beside = glob.glob(glob.escape(path) + "[.-]*") if path != "-" else []
        for name in [*sorted(beside, key=_changed), path]:
            found.pop(name, None)
            found[name] = None
    return list(found)


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def entries(paths: Iterable[str], counts: ReadCounts, progress: Progress) -> Iterator[Any]:
    """Return the entries of all files, one after the other."""
    for path in paths:
        try:
            with _opened(path) as raw:
                for line in _lines(_plain(raw), raw, progress):
                    entry = _entry(line, counts)
                    if entry is not None:
                        yield entry
        except _DAMAGED as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            counts.unreadable.append(f"{path}: {reason}")
    progress.done()


def _opened(path: str) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if path == "-" else open(path, "rb")


def _plain(raw: BinaryIO) -> Any:
    peek = getattr(raw, "peek", None)
    start = peek(6)[:6] if peek else b""
    for magic, opener in _OPENERS:
        if start.startswith(magic):
            return opener(raw, "rb")
    return raw


def _lines(stream: Any, raw: BinaryIO, progress: Progress) -> Iterator[bytes]:
    while True:
        line: bytes = stream.readline(MAX_LINE)
        if not line:
            progress.finish_file()
            return
        progress.at(raw, len(line))
        yield line


def _entry(line: bytes, counts: ReadCounts) -> Optional[dict[str, Any]]:
    if not line.strip():
        return None
    start = line.find(b'{"')
    if start < 0:
        counts.other += 1
        return None
    try:
        entry = _unpacked(json_codec.loads(line[start:]))
        if b"\\ud" in line:  # half surrogates, which nobody could write out again
            json_codec.dumps(entry)
    except (ValueError, TypeError, RecursionError):
        counts.broken += 1
        return None
    if entry is None:
        counts.other += 1
    else:
        counts.lines += 1
    return entry


def _unpacked(entry: Any) -> Optional[dict[str, Any]]:
    for name in _WRAPPERS:
        inner = entry.get(name) if isinstance(entry, dict) and "status" not in entry else None
        if isinstance(inner, str) and inner.startswith('{"'):
            entry = json_codec.loads(inner)
    return entry if isinstance(entry, dict) and "status" in entry else None
