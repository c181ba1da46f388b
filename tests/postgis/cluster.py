"""A PostgreSQL cluster with PostGIS of our own: in a temporary folder, on loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "postgres"


@dataclass(frozen=True)
class Cluster:
    """A running cluster and how to reach it."""

    binaries: Path
    folder: Path
    port: int

    def sql(self, text: str, database: str = "gis") -> str:
        """Run SQL and return what psql prints, without headers."""
        command = [
            "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database,
            "-v", "ON_ERROR_STOP=1", "-q", "-A", "-t", "-c", text,
        ]  # fmt: skip
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def source(
        self, table: str, key: str = "id", geometry: str = "geom", kind: str = "Point"
    ) -> str:
        """Return a QGIS data source of a table; an empty key leaves it out."""
        key_part = f"key='{key}' " if key else ""
        return (
            f"dbname='gis' host=127.0.0.1 port={self.port} user='{USER}' {key_part}"
            f'srid=4326 type={kind} checkPrimaryKeyUnicity=\'0\' table="public"."{table}" ({geometry})'
        )


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed: apt-get install postgresql postgresql-postgis"
        )
    return found[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_owner(command: Sequence[str]) -> None:
    """Run a command as the user postgres when we are root, who may not run a cluster."""
    words = list(command)
    if os.geteuid() == 0:
        words = ["runuser", "-u", USER, "--", *words]
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}
    subprocess.run(words, check=True, capture_output=True, env=environment, cwd="/")


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster with a database ``gis`` that has PostGIS, and remove it afterwards."""
    binaries, port = _binaries(), _free_port()
    folder = Path(tempfile.mkdtemp(prefix="access-filter-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    control = str(binaries / "pg_ctl")
    data = str(folder / "data")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    try:
        _as_owner([str(binaries / "initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"])
        _as_owner([control, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start"])
        try:
            cluster = Cluster(binaries, folder, port)
            cluster.sql("CREATE DATABASE gis", database="postgres")
            cluster.sql("CREATE EXTENSION postgis")
            yield cluster
        finally:
            _as_owner([control, "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
