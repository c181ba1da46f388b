"""Runs the requests of the tables on both variants, guarded and not."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from tests.noninterference.table import Request
from tests.noninterference.world import build
from tests.support.server import Answer, Server

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

    def ask(self, request: Request, variant: str, caller: str = "anonymous") -> Answer:
        """Return a variant's answer to a request."""
        user = CALLERS.get(caller, caller)
        roles = "root" if caller == "root" else ""
        hidden = {"CN_ENV_SECRET": f"CN{variant}env"}
        if request.landing:
            return self._landing_page(request, variant, user, roles)
        client = self.server.client(self.project(variant), user, roles, **hidden)
        answer = _send(client, request)
        if request.then is None:
            return answer
        second = _send(client, request.then)
        return Answer(second.status, second.headers, second.body)

    def _landing_page(
        self, request: Request, variant: str, user: Optional[str], roles: str
    ) -> Answer:
        """Ask the landing page of a server whose folder of projects holds this variant."""
        folder = Path(LANDING_FOLDER)
        folder.unlink(missing_ok=True)
        folder.symlink_to(self.folder / f"var{variant}")
        self.server.forget(folder / "world.qgs")
        name = hashlib.md5(str(folder / "world.qgs").encode()).hexdigest()  # as the page names it
        variables = {"REMOTE_ADDR": "198.51.100.7"}
        if user is not None:
            variables |= {"REMOTE_USER": user, "REMOTE_ROLES": roles}
        path = request.path.replace("HASH", name)
        return self.server.run(f"http://localhost{path}", cgi=variables)

    def both(self, request: Request, caller: str = "anonymous") -> tuple[Answer, Answer]:
        """Return both variants' answers."""
        return self.ask(request, "A", caller), self.ask(request, "B", caller)


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
