"""Runs the requests of the tables on both variants, guarded and not."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.noninterference.requests_oapif import LANDING
from tests.noninterference.table import Request
from tests.noninterference.world import build
from tests.support.server import Answer, OpenTarget, Server

VARIANTS = ("A", "B")
LANDING_FOLDER = f"/tmp/access-filter-landing-{os.getpid()}"
"""The folder that the server's landing page lists: a link to one variant."""
CALLERS = {"anonymous": None, "bob": "bob"}


@dataclass
class Pair:
    """The two variants of the world in one folder."""

    folder: Path
    server: Server
    copies: int = field(default=0)
    answers: dict[tuple[Request, str, str, bool], Answer] = field(default_factory=dict)
    """What was asked once; nothing changes this pair, so that it need not be asked again."""

    def project(self, variant: str) -> Path:
        """Return the path of a variant's project."""
        return self.folder / f"var{variant}" / "world.qgs"

    def fresh(self) -> Pair:
        """Return a copy that a request may spoil."""
        self.copies += 1
        folder = self.folder.parent / f"{self.folder.name}{self.copies:04}"
        shutil.copytree(self.folder, folder)
        return Pair(folder, self.server)

    def drop(self) -> None:
        """Forget a spoiled copy."""
        for variant in VARIANTS:
            self.server.forget(self.project(variant))
        shutil.rmtree(self.folder)

    def restore(self, pristine: Pair) -> None:
        """Write the data of another pair into this one, below projects that stay loaded.

        SQLite copies what its readers may read on; what QGIS knows of a GeoJSON file it keeps.
        """
        for variant in VARIANTS:
            folder, source = self.project(variant).parent, pristine.project(variant).parent
            original = f"file:{source / 'data.gpkg'}?mode=ro"
            with (
                closing(sqlite3.connect(original, uri=True)) as read,
                closing(sqlite3.connect(folder / "data.gpkg")) as written,
            ):
                read.backup(written)
            rows = (source / "nokey.geojson").read_bytes()
            if (folder / "nokey.geojson").read_bytes() != rows:
                self.server.forget(self.project(variant))
                (folder / "nokey.geojson").write_bytes(rows)

    @property
    def is_guarded(self) -> bool:
        """Whether the plugin looks at what is asked now."""
        return not isinstance(self.server.plugin.wall.target, OpenTarget)

    def asked(self, request: Request, variant: str, caller: str = "anonymous") -> Answer:
        """Return a variant's answer to a request, which is sent once for all tests."""
        key = (request, variant, caller, self.is_guarded)
        if key not in self.answers and request.landing:
            self._visit_landing_page(variant)
        if key not in self.answers:
            self.answers[key] = self.ask(request, variant, caller)
        return self.answers[key]

    def _visit_landing_page(self, variant: str) -> None:
        """Ask all at once that is asked of a variant's landing page: each change loads a project."""
        guarded = self.is_guarded
        self._link(variant)
        for caller in CALLERS if guarded else ("anonymous",):
            for request in LANDING:
                if guarded or request.facts:
                    answer = self._landing_page(request, caller)
                    self.answers[request, variant, caller, guarded] = answer

    def ask(self, request: Request, variant: str, caller: str = "anonymous") -> Answer:
        """Return a variant's answer to a request."""
        user = CALLERS.get(caller, caller)
        roles = "root" if caller == "root" else ""
        hidden = {"CN_ENV_SECRET": f"CN{variant}env"}
        if request.landing:
            self._link(variant)
            return self._landing_page(request, caller)
        client = self.server.client(self.project(variant), user, roles, **hidden)
        answer = _send(client, request)
        if request.then is None:
            return answer
        second = _send(client, request.then)
        return Answer(second.status, second.headers, second.body)

    def _link(self, variant: str) -> None:
        """Let the landing page list a variant, which is loaded anew."""
        folder = Path(LANDING_FOLDER)
        folder.unlink(missing_ok=True)
        folder.symlink_to(self.folder / f"var{variant}")
        self.server.forget(folder / "world.qgs")

    def _landing_page(self, request: Request, caller: str) -> Answer:
        """Ask the landing page of a server whose folder of projects holds the linked variant."""
        project = Path(LANDING_FOLDER) / "world.qgs"
        name = hashlib.md5(str(project).encode()).hexdigest()  # as the page names it
        variables = {"REMOTE_ADDR": "198.51.100.7"}
        user = CALLERS[caller]
        if user is not None:
            variables |= {"REMOTE_USER": user, "REMOTE_ROLES": ""}
        path = request.path.replace("HASH", name)
        return self.server.run(f"http://localhost{path}", cgi=variables)

    def both(self, request: Request, caller: str = "anonymous") -> tuple[Answer, Answer]:
        """Return both variants' answers."""
        return self.ask(request, "A", caller), self.ask(request, "B", caller)

    def both_asked(self, request: Request, caller: str = "anonymous") -> tuple[Answer, Answer]:
        """Return both variants' answers to a request, which are sent once for all tests."""
        return self.asked(request, "A", caller), self.asked(request, "B", caller)


def _send(client: Any, request: Request) -> Answer:
    project = quote(str(client.project), safe="")
    query = "&".join([f"MAP={project}", *(f"{n}={quote(v, safe='')}" for n, v in request.query)])
    headers = {"Content-Type": request.content_type}
    url = f"http://localhost{request.path}?{query}"
    return client.server.run(url, request.method, request.body, headers, client.cgi)


def make_pair(folder: Path, server: Server) -> Pair:
    """Build both variants."""
    for variant in VARIANTS:
        build(folder / f"var{variant}", variant)
    return Pair(folder, server)
