"""A client of the demo server, and a reader of its request log."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

UNAUTHORIZED = 401
PATIENCE_S = 5


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Asked:
    """A request that reached QGIS Server."""

    user: str
    request_id: str


@dataclass
class DemoClient:
    """Sends requests with the demo's password and remembers them."""

    base: str
    asked: list[Asked] = field(default_factory=list)

    def ask(self, user: str, body: str | None = None, **parameters: str) -> Answer:
        """One request; without a user to the open address, else to the one with a login."""
        path = "/login/ows" if user else "/ows"
        data = None if body is None else body.encode()
        request = urllib.request.Request(f"{self.base}{path}?{urlencode(parameters)}", data)
        request.add_header("Content-Type", "text/xml")
        request_id = uuid.uuid4().hex
        request.add_header("X-Request-ID", request_id)
        if user:
            token = base64.b64encode(f"{user}:demo".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        answer = _send(request)
        # nginx itself turns a wrong login away; QGIS Server never hears of it.
        if answer.status != UNAUTHORIZED:
            self.asked.append(Asked(user, request_id))
        return answer

    def log_lines(self, path: Path) -> dict[str, list[dict[str, Any]]]:
        """The lines of the log by request id; the last one may come after its answer."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            lines: dict[str, list[dict[str, Any]]] = {}
            if path.exists():
                for text in path.read_text(encoding="utf-8").splitlines():
                    line = json.loads(text)
                    lines.setdefault(line.get("request_id"), []).append(line)
            ours = {asked.request_id for asked in self.asked}
            if ours <= set(lines) or time.monotonic() > deadline:
                return {key: found for key, found in lines.items() if key in ours}
            time.sleep(0.2)


def _send(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except OSError as error:
        return Answer(0, str(error).encode())
