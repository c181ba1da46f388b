"""Which projects a request may name with ``MAP`` (contract, section 5, ``ACCESS_FILTER_PROJECTS``).

A project file in another folder, or an old copy of this one, may hold no rules. So the operator can
name the folders and databases that are served, and backups are refused to everybody.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Optional
from urllib.parse import parse_qsl

from .late_pattern import late_pattern
from .operator_settings import OperatorSettings

PROJECT_SUFFIXES = (".qgs", ".qgz")
BACKUP_SUFFIXES = ("~", ".bak", ".backup", ".old", ".orig", ".save", ".swp", ".tmp")
#: What may be added to a database prefix: it chooses a project there, never another database.
PROJECT_KEYS = frozenset({"schema", "project", "projectName"})
GEOPACKAGE = "geopackage:"
_CONTROL = late_pattern(r"[\x00-\x1f\x7f]")
_SCHEME = late_pattern(r"[A-Za-z][A-Za-z0-9+.-]+:")  # a single letter is a drive of Windows


def project_refusal(path: str, settings: OperatorSettings) -> Optional[str]:
    """Return why a project may not be served, or None; ``path`` is what QGIS is about to load."""
    if not path:
        return None  # no project is loaded
    refusal = _name_refusal(path)
    if refusal is not None:
        return refusal
    if settings.projects is None:
        return None
    if is_allowed(path, settings.projects):
        return None
    return "the project is not in ACCESS_FILTER_PROJECTS"


@lru_cache(maxsize=512)
def _name_refusal(path: str) -> Optional[str]:
    """Return why a name alone is refused; it depends on nothing but the name."""
    if _CONTROL.search(path):
        return "the project's name has control characters"
    return "the project is a backup" if is_backup(path) else None


def is_backup(path: str) -> bool:
    """Return whether a name is that of a copy which QGIS or an editor left beside a project."""
    is_geopackage = path.lower().startswith(GEOPACKAGE)
    if _SCHEME.match(path) and not is_geopackage:
        return path.endswith("~")
    file = path.partition("?")[0] if is_geopackage else path
    name = os.path.basename(file.rstrip("/\\")).lower()
    if name.endswith(PROJECT_SUFFIXES):
        return False
    return name.endswith(BACKUP_SUFFIXES) or any(suffix in name for suffix in PROJECT_SUFFIXES)


def is_allowed(path: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a path lies in one of the folders, or a database in one of the prefixes."""
    if path.lower().startswith(GEOPACKAGE):
        prefixes = [entry for entry in allowed if entry.lower().startswith(GEOPACKAGE)]
        return any(_is_in_geopackage(path, prefix) for prefix in prefixes)
    if _SCHEME.match(path):
        return any(_begins_with(path, entry) for entry in allowed if _SCHEME.match(entry))
    real = os.path.realpath(path)
    folders = (entry for entry in allowed if not _SCHEME.match(entry))
    return not is_backup(real) and any(_is_within(real, folder) for folder in folders)


def _is_within(real: str, folder: str) -> bool:
    root = os.path.realpath(folder)
    return real == root or real.startswith(os.path.join(root, ""))


def _is_in_geopackage(uri: str, prefix: str) -> bool:
    """Return whether a project lies in a GeoPackage that the prefix names, or in its folder."""
    file = uri[len(GEOPACKAGE) :].partition("?")[0]
    if "%" in file or "#" in uri or _keys(uri) != ["projectName"]:
        return False
    return _is_within(os.path.realpath(file), prefix[len(GEOPACKAGE) :].partition("?")[0])


def _begins_with(uri: str, prefix: str) -> bool:
    """Return whether a database's address is the prefix, with nothing added that changes it."""
    if not uri.startswith(prefix) or "#" in uri or "\\" in uri:
        return False
    rest = uri[len(prefix) :]
    if _SCHEME.fullmatch(prefix.rstrip("/")):
        return True  # the operator allows every database of this kind
    if rest and not prefix.endswith(("?", "&", "/")) and rest[0] not in "?&/":
        return False
    keys = _keys(uri)
    added = keys[len(_keys(prefix)) :]
    return len(set(keys)) == len(keys) and PROJECT_KEYS.issuperset(added)


def _keys(uri: str) -> list[str]:
    """Return the names of a query's parameters, decoded as QGIS decodes them."""
    return [key for key, _ in parse_qsl(uri.partition("?")[2], keep_blank_values=True)]
