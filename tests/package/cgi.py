"""Asks the real server binary one question, as a web server does that speaks plain CGI."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from urllib.parse import urlencode

SERVER = "/usr/lib/cgi-bin/qgis_mapserv.fcgi"


@dataclass(frozen=True)
class Answer:
    """Status and body, with the server's log for when a test fails."""

    status: int
    body: str
    log: str


def ask(folder: Path, scratch: Path, user: dict[str, str], **parameters: str) -> Answer:
    """The answer of a server that knows nothing but the plugin folder and this request."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(folder),
        "QGIS_SERVER_LOG_STDERR": "1",
        "QGIS_SERVER_LOG_LEVEL": "1",
        "REQUEST_METHOD": "GET",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "/qgis",
        "REQUEST_URI": "/qgis?" + urlencode(parameters),
        "QUERY_STRING": urlencode(parameters),
        **user,
    }
    done = subprocess.run(
        [SERVER],
        env=environment,
        cwd=scratch,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    # Text mode made one kind of line end of both.
    head, _, body = done.stdout.partition("\n\n")
    status = message_from_string(head).get("Status", "200")
    return Answer(int(status.split()[0]), body, done.stderr)
