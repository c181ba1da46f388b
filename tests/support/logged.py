"""Holds every answer of a server's tests against the request log: one line each, same status."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.server import Answer, Server


class AnswerBook:
    """Notes what a server answers, by the id that the plugin puts on every answer."""

    def __init__(self, server: Server, log: Path) -> None:
        self._run = server.run
        server.run = self.run  # type: ignore[method-assign]
        self._log = log
        self._position = 0
        self._answers: Counter[tuple[str, int]] = Counter()

    def run(self, *arguments: Any, **options: Any) -> Answer:
        """Run a request and note its answer; without the id the plugin was not asked."""
        answer = self._run(*arguments, **options)
        request_id = answer.headers.get("X-Request-ID")
        if request_id:
            self._answers[request_id, answer.status] += 1
        return answer

    def forget(self) -> None:
        """Begin anew: neither the answers nor the lines so far count."""
        self._answers.clear()
        self._new_lines()

    def check(self) -> None:
        """Hold the answers since the last time against the lines since then."""
        lines = [json.loads(line) for line in self._new_lines()]
        told = Counter((line["request_id"], line["status"]) for line in lines)
        assert told == self._answers
        self._answers.clear()

    def _new_lines(self) -> list[bytes]:
        if not self._log.exists():
            return []
        with self._log.open("rb") as stream:
            stream.seek(self._position)
            data = stream.read()
        self._position += len(data)
        return data.splitlines()
