"""What an administrator should know of a server that answers as it was told to."""

from __future__ import annotations

import os
from typing import Any

from qgis.server import QgsAccessControlFilter, QgsServerCacheFilter, QgsServerFilter

from ..operator_settings import OperatorSettings
from ..project_admission import BACKUP_SUFFIXES
from ..qgis_stand_in import AccessControl, FirstFilter, KeptElsewhere, LastFilter

_OWN = (
    ("access control filter", AccessControl),
    ("server filter", FirstFilter),
    ("server filter", LastFilter),
    ("cache filter", KeptElsewhere),
)
_COPIES = BACKUP_SUFFIXES


def warnings_of(settings: OperatorSettings, server_iface: Any, project_path: str) -> list[str]:
    """Return sentences about identity, other filters and forgotten copies of the project."""
    found = identity_warnings(settings)
    found += [f"another {name} is loaded" for name in _other_filters(server_iface)]
    found += [f"{name} lies beside the project" for name in forgotten_copies(project_path)]
    return found


def identity_warnings(settings: OperatorSettings) -> list[str]:
    """Return what is doubtful about where identities come from."""
    proven = settings.proxy_secret or settings.trusted_proxies or settings.trust_any_proxy
    if not settings.identity.uses_headers:
        return []
    if not proven:
        return ["identity headers have no proof: everybody is anonymous"]
    if settings.trust_any_proxy and not settings.proxy_secret:
        return ["identity headers are believed from any address"]
    return []


def _other_filters(server_iface: Any) -> list[str]:
    """Return what other plugins registered, as far as QGIS or Python can tell."""
    filters = server_iface.filters()
    lists = filters.values() if isinstance(filters, dict) else []
    kinds = {type(item) for group in lists for item in _as_list(group)}
    found = {f"server filter {kind.__name__}" for kind in kinds - {QgsServerFilter}}
    # QGIS does not list these two; a plugin that registers one has made a class of its own.
    for base, words in (
        (QgsAccessControlFilter, "access control filter"),
        (QgsServerCacheFilter, "cache filter"),
    ):
        found |= {f"{words} {kind.__name__}" for kind in _subclasses(base)}
    own = {f"{words} {kind.__name__}" for words, kind in _OWN}
    return sorted(found - own)


def _as_list(group: Any) -> list[Any]:
    return list(group) if isinstance(group, (list, tuple)) else [group]


def _subclasses(base: Any) -> set[Any]:
    direct = set(base.__subclasses__())
    return direct.union(*(_subclasses(kind) for kind in direct))


def forgotten_copies(project_path: str) -> list[str]:
    """Return the names of copies beside a project, which may have no rules."""
    if not project_path:
        return []
    return [
        os.path.basename(project_path) + ending
        for ending in _COPIES
        if os.path.exists(project_path + ending)
    ]
