"""One QGIS Server in a process: bare, with the plugin, or with the naive reference filter.

Reads one JSON command per line from standard input, ``{"url", "cgi", "times"}``, runs the request that
many times and answers with the nanoseconds of each, the status and the length of the body.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from qgis.core import QgsApplication
from qgis.server import QgsBufferServerRequest, QgsBufferServerResponse, QgsServer


def memory_kib() -> int:
    """Return the resident memory of this process, in KiB."""
    with open("/proc/self/status", encoding="ascii") as stream:
        lines = [line for line in stream if line.startswith("VmRSS:")]
    return int(lines[0].split()[1])


def start(mode: str) -> tuple[QgsServer, Any, float]:
    """Return the server, what keeps its plugin alive, and the milliseconds the plugin took."""
    server = QgsServer()
    began = time.perf_counter()
    plugin: Any = None
    if mode == "plugin":
        from access_filter_plugin import serverClassFactory

        plugin = serverClassFactory(server.serverInterface())
    elif mode == "naive":
        from benchmarks.reference_plugin import NaiveAccessControl

        plugin = NaiveAccessControl(server.serverInterface())
        server.serverInterface().registerAccessControl(plugin, 100)
    return server, plugin, (time.perf_counter() - began) * 1000


def run(server: QgsServer, command: dict[str, Any]) -> dict[str, Any]:
    """Run one command and return its measurements."""
    os.environ.update({"REQUEST_METHOD": "GET", **command.get("cgi", {})})
    times = []
    response = QgsBufferServerResponse()
    for _ in range(command["times"]):
        request = QgsBufferServerRequest(command["url"])
        response = QgsBufferServerResponse()
        began = time.perf_counter_ns()
        server.handleRequest(request, response)
        times.append(time.perf_counter_ns() - began)
    body = bytes(response.body())
    return {"ns": times, "status": response.statusCode(), "bytes": len(body), "kib": memory_kib()}


def main() -> None:
    """Serve commands until standard input ends."""
    application = QgsApplication([], False)
    application.initQgis()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server, plugin, load_ms = start(sys.argv[1])
    out.write(json.dumps({"load_ms": load_ms, "kib": memory_kib(), "plugin": bool(plugin)}) + "\n")
    out.flush()
    for line in sys.stdin:
        out.write(json.dumps(run(server, json.loads(line))) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
