"""One QGIS Server in a process: bare, with the plugin, or with one of the two reference filters.

Reads one JSON command per line from standard input and answers each with one line. A request is
timed by the clock and by the processor time of the process; every answer is held against what the
scenario expects, and one that is wrong ends the measurement.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from hashlib import sha256
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Optional

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, os.environ.get("BENCH_PLUGINS", sys.path[0]))

from qgis.core import QgsApplication
from qgis.server import (
    QgsBufferServerRequest,
    QgsBufferServerResponse,
    QgsServer,
)

from benchmarks.clocks import backends_of, stay, used_ns

FAILURES = (b"ServiceException", b"ExceptionReport", b"<ServerException")


def memory_kib() -> dict[str, int]:
    """Return the resident memory of this process in KiB, without what malloc keeps in reserve.

    ``kib`` is all of it, ``own_kib`` what it shares with no other: libraries are in memory once,
    however many workers use them.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = {
        name: int(text.split()[0])
        for name, _, text in (x.partition(":") for x in lines)
        if name in ("VmRSS", "RssAnon")
    }
    return {"kib": found["VmRSS"], "own_kib": found["RssAnon"]}


class Process:
    """A server, and what it is told to do."""

    def __init__(self, mode: str) -> None:
        self.server = QgsServer()
        self.plugin: Any = None
        self._roles = count()
        interface = self.server.serverInterface()
        began = time.perf_counter()
        if mode in ("plugin", "log"):
            from access_filter_plugin import serverClassFactory

            self.plugin = serverClassFactory(interface)
        elif mode == "naive":
            from benchmarks.reference_plugin import NaiveAccessControl

            self.plugin = NaiveAccessControl(interface)
            interface.registerAccessControl(self.plugin, 100)
        elif mode == "floor":
            from benchmarks.floor_plugin import register

            self.plugin = register(interface)
        self.load_ms = (time.perf_counter() - began) * 1000
        self.has_wall = mode in ("plugin", "log")
        if self.has_wall and type(self.plugin.wall.target).__name__ == "Closed":
            raise RuntimeError(f"the plugin is closed: {self.plugin.wall.target.reason}")

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """Run one command and return what it found."""
        action = command.get("do", "time")
        found: dict[str, Any] = getattr(self, f"do_{action}")(command)
        return found

    def do_time(self, command: dict[str, Any]) -> dict[str, Any]:
        """Time a request some times."""
        url, times, processor = command["url"], [], []
        self._set(command)
        backends = backends_of(command["database"]) if command.get("database") else []
        body = b""
        for _ in range(command["times"]):
            if command.get("first"):
                self._forget(command)
            request, response = QgsBufferServerRequest(url), QgsBufferServerResponse()
            used = used_ns(backends)
            began = time.perf_counter_ns()
            self.server.handleRequest(request, response)
            times.append(time.perf_counter_ns() - began)
            processor.append(used_ns(backends) - used)
            body = check(response, command.get("expect", {}))
        found = {"ns": times, "cpu": processor, "backends": len(backends)}
        return {**found, "bytes": len(body), "hash": _hash(body)}

    def do_stay(self, _command: dict[str, Any]) -> dict[str, Any]:
        """Stay on the one core on which servers are compared: see measuring.py."""
        stay()
        return {}

    def do_memory(self, _command: dict[str, Any]) -> dict[str, Any]:
        """Tell the memory, and what of it the documents in the cache are counted for."""
        size = self._documents()._cache.size if self.has_wall else 0
        return {**memory_kib(), "cache_kib": size / 1024}

    def do_ready(self, command: dict[str, Any]) -> dict[str, Any]:
        """Time what the plugin does before QGIS runs the service, of some requests in turn."""
        target = self.plugin.wall.target
        found: dict[str, list[int]] = {name: [] for name in command["turn"]}
        taken: list[int] = []
        whole = target.request_ready

        def timed(handler: Any) -> None:
            began = time.process_time_ns()
            whole(handler)
            taken.append(time.process_time_ns() - began)

        target.request_ready = timed
        try:
            for _ in range(command["times"]):
                for name, request in command["turn"].items():
                    self.do_time({**request, "times": 1})
                    found[name].append(taken.pop())
        finally:
            del target.request_ready
        return found

    def do_log(self, command: dict[str, Any]) -> dict[str, Any]:
        """Time a request without and with the log's line and others, in turn.

        Each comes twice, and the second counts: after one of its own, as on any server.
        """
        from benchmarks.log_rivals import variants

        target = self.plugin.wall.target
        features = target._features
        chosen = variants(features, Path(command["folder"]))
        found: dict[str, list[int]] = {name: [] for name in chosen}
        order = list(chosen)
        for _ in range(command["times"]):
            order.append(order.pop(0))
            for name in order:
                target._features = chosen[name]
                found[name] += self.do_time({**command, "times": 2})["cpu"][1:]
        target._features = features
        return found

    def _documents(self) -> Any:
        return self.plugin.wall.target._access_control._documents

    def _forget(self, command: dict[str, Any]) -> None:
        """Make the next document the first: of a role never seen, or from no cache of QGIS's."""
        if self.has_wall:
            self._documents()._cache.__init__()
            os.environ["REMOTE_ROLES"] = f"viewer,new{next(self._roles)}"
        else:
            cache = self.server.serverInterface().capabilitiesCache()
            cache.removeCapabilitiesDocument(command["project"])

    @staticmethod
    def _set(command: dict[str, Any]) -> None:
        os.environ.update({"REQUEST_METHOD": "GET", **command.get("cgi", {})})


def check(response: Any, expect: dict[str, Any]) -> bytes:
    """Return the body of an answer, or raise when it is not what was to be measured."""
    body = bytes(response.body())
    kind = response.headers().get("Content-Type", "")
    start = body[:2000]
    wrong: Optional[str] = None
    if response.statusCode() != 200:
        wrong = f"status {response.statusCode()}"
    elif not kind.startswith(expect.get("type", "")):
        wrong = f"{kind} is not {expect['type']}"
    elif any(failure in start for failure in FAILURES):
        wrong = "an exception"
    elif expect.get("contains", "").encode() not in body:
        wrong = f"no {expect['contains']}"
    elif expect.get("lacks") and expect["lacks"].encode() in body:
        wrong = f"{expect['lacks']} in it"
    elif body.count(expect.get("counted", "\0").encode()) < expect.get("count", 0):
        wrong = f"fewer than {expect['count']} times {expect['counted']}"
    if wrong is not None:
        raise RuntimeError(f"{wrong}: {start[:500]!r}")
    return body


def _hash(body: bytes) -> str:
    return sha256(body).hexdigest()[:16]


def main() -> None:
    """Serve commands until standard input ends."""
    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import_module("qgis.utils")  # as QGIS Server does, whatever plugins there are
    process = Process(sys.argv[1])
    out.write(json.dumps({"load_ms": process.load_ms}) + "\n")
    out.flush()
    for line in sys.stdin:
        try:
            answer = process.run(json.loads(line))
        except Exception as error:  # noqa: BLE001 (told to the one who asked, who stops)
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()
    os._exit(0)  # QGIS's own teardown is not what is measured


if __name__ == "__main__":
    main()
