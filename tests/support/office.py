"""A town office for the tests with clients: rules, users with passwords, and what a log refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "right"
ROLES = {"bob": "editor", "boss": "boss", "guest": ""}
EDITS = ["read", "insert", "update", "delete"]
RULES = [
    {"id": "public", "layers": "ortho"},
    {"id": "zone 1", "layers": "parcels", "filter": "zone = 1", "attributes": ["*", "!owner"]},
    {
        "id": "own notes",
        "roles": "editor",
        "layers": "notes",
        "actions": EDITS,
        "filter": "author = @access_user",
        "attributes": ["*", "!remark"],
    },
    {"id": "boss", "roles": "boss", "layers": "*", "actions": EDITS},
]


class Desktop:
    """QGIS Desktop of one user, in a process of its own."""

    def __init__(self, base: str, user: str, home: Path) -> None:
        self._errors = home / "errors"
        # Without a folder for its network cache, it asks the server every time.
        places = {"HOME": str(home), "XDG_CACHE_HOME": "/dev/null/none"}
        environment = {**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"}
        script = ROOT / "tests" / "fcgi" / "desktop.py"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, script, base, user, PASSWORD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            )

    def __call__(self, command: str, **arguments: Any) -> Any:
        """Run a command of desktop.py and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._errors.read_text()
        return json.loads(answer)

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate(timeout=30)


@dataclass
class Office:
    """A running server, its project, and the log of what it was asked."""

    server: Any
    log: Path
    home: Path
    desktops: dict[str, Desktop] = field(default_factory=dict)
    position: int = 0

    @property
    def base(self) -> str:
        """The address that users type."""
        return f"http://127.0.0.1:{self.server.port}/"

    def desktop(self, user: str) -> Desktop:
        """Return the one QGIS Desktop of a user."""
        if user not in self.desktops or not self.desktops[user].is_alive:
            home = self.home / user
            home.mkdir(exist_ok=True)
            self.desktops[user] = Desktop(self.base, user, home)
        return self.desktops[user]

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log since the last time."""
        data = self.log.read_bytes() if self.log.exists() else b""
        new, self.position = data[self.position :], len(data)
        return [json.loads(line) for line in new.splitlines()]

    def refused(self) -> list[str]:
        """Return what was refused since the last time, with the reasons."""
        return [
            f"{line['service']} {line['request']} {line['status']}: {reason}"
            for line in self.lines()
            if (reason := line["decision"].get("refused")) or line["status"] >= 400
        ]

    def close(self) -> None:
        """End every QGIS Desktop."""
        for desktop in self.desktops.values():
            desktop.close()


@cache
def _project() -> TemporaryDirectory[str]:
    """Write the project once: every office gets a copy of its own."""
    folder: TemporaryDirectory[str] = TemporaryDirectory()
    script = [sys.executable, "-m", "tests.fcgi.make_client_project"]
    subprocess.run([*script, folder.name, json.dumps(RULES)], check=True, cwd=ROOT)
    return folder


def open_office(
    serve: Any, folder: Path, plugins: Optional[Path] = None, **environment: str
) -> Office:
    """Start a server whose nginx asks for a password, as in docs/identity.md."""
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # nginx reads the passwords as somebody else
    shutil.copytree(_project().name, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    users = folder / "users"
    users.write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in ROLES))
    roles = "".join(f' if ($remote_user = {u}) {{ set $roles "{r}"; }}' for u, r in ROLES.items())
    project, log = folder / "project.qgs", folder / "log.json"
    server = serve(
        project,
        {"QGIS_PROJECT_FILE": str(project), "ACCESS_FILTER_LOG": str(log), **environment},
        {"REMOTE_ROLES": "$roles"},
        plugins=plugins,
        # QGIS writes its own address into capabilities; Debian's file leaves the port out.
        first={"HTTP_HOST": "$http_host"},
        directives=(
            f'server_name 127.0.0.1; auth_basic "QGIS Server"; auth_basic_user_file {users};'
            f' client_max_body_size 0; set $roles "";{roles}'
        ),
    )
    return Office(server, log, folder)
