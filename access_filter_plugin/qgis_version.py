"""Which plugin on which QGIS: for the load line, Health and the command line."""

from __future__ import annotations

import configparser
import functools
import os

from qgis.core import Qgis

OLDEST_QGIS = 32200


class OldQgisError(RuntimeError):
    """This QGIS is older than the plugin supports (the server itself does not check)."""


@functools.lru_cache(maxsize=1)
def plugin_version() -> str:
    """Return the version in metadata.txt."""
    parser = configparser.ConfigParser(interpolation=None)
    path = os.path.join(os.path.dirname(__file__), "metadata.txt")
    with open(path, encoding="utf-8") as stream:
        parser.read_file(stream)
    return parser.get("general", "version")


def qgis_version() -> str:
    """Return the version of QGIS, as ``3.22.16``; raise OldQgisError below 3.22."""
    if Qgis.versionInt() < OLDEST_QGIS:
        raise OldQgisError(f"QGIS {Qgis.version()} is older than 3.22")
    return str(Qgis.version()).split("-", maxsplit=1)[0]
