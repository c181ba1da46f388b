"""The request log when things go wrong: other plugins, projects, clients that hang up."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from qgis.core import Qgis

ROOT = Path(__file__).resolve().parents[2]
MAP = {
    "SERVICE": "WMS",
    "REQUEST": "GetMap",
    "VERSION": "1.3.0",
    "LAYERS": "pub",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "47,8,48,9",
    "WIDTH": "64",
    "HEIGHT": "64",
    "FORMAT": "image/png",
}
FEATURES = {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "pub"}
OTHER_PLUGIN = """
from qgis.server import QgsServerFilter

class Filter(QgsServerFilter):
    def crash(self, moment):
        if self.serverInterface().requestHandler().parameter("CRASH") == moment:
            raise RuntimeError("another plugin's mistake")

    def requestReady(self):
        self.crash("ready")

    def responseComplete(self):
        self.crash("complete")

class Plugin:
    def __init__(self, iface):
        self.filter = Filter(iface)
        iface.registerFilter(self.filter, 100)

def serverClassFactory(iface):
    return Plugin(iface)
"""
METADATA = """[general]
name=other
qgisMinimumVersion=3.0
description=another plugin
version=1
author=x
email=x@example.org
server=True
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this plugin and another one, which raises when it is asked to."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "access_filter_plugin").symlink_to(ROOT / "access_filter_plugin")
    (folder / "other").mkdir()
    (folder / "other" / "__init__.py").write_text(OTHER_PLUGIN)
    (folder / "other" / "metadata.txt").write_text(METADATA)
    return folder


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Path]) -> Path:
    return make_project(access_rules=json.dumps([{"id": "all", "layers": "*"}]))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "requests.log"


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], project: Path, log: Path) -> Any:
    environment = {
        "ACCESS_FILTER_LOG": str(log),
        "QGIS_SERVER_IGNORE_BAD_LAYERS": "1",
        "QGIS_SERVER_LOG_PROFILE": "1",
    }
    return serve(project, environment)


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def entry_of(log: Path, request_id: str) -> dict[str, Any]:
    """The one line of a request; it may come a moment after the answer."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        found = [entry for entry in entries(log) if entry["request_id"] == request_id]
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.05)
    pytest.fail(f"no line for {request_id}")


@pytest.mark.crash
@pytest.mark.parametrize("parameters", [MAP, FEATURES], ids=["map", "features"])
@pytest.mark.parametrize("moment", ["ready", "complete"])
def test_a_request_that_another_plugin_broke_has_its_line_if_the_process_lives(
    serve: Callable[..., Any],
    project: Path,
    plugins: Path,
    tmp_path: Path,
    moment: str,
    parameters: dict[str, str],
) -> None:
    log = tmp_path / "requests.log"
    server = serve(project, {"ACCESS_FILTER_LOG": str(log)}, plugins=plugins)
    answer = server.ask(**parameters, CRASH=moment)
    if answer.status == 502:  # QGIS 3.44 ends the process; nginx tells that it did
        assert server.processes[0].wait(timeout=60) != 0
        assert entries(log) == []
        return
    server.ask({"X-Request-ID": "after"}, **parameters)
    entry_of(log, "after")
    broken, _after = entries(log)
    assert (broken["service"], broken["request"]) == (parameters["SERVICE"], parameters["REQUEST"])
    assert (broken["status"], broken["level"]) == (500, "error")


@pytest.mark.parametrize("parameters", [MAP, FEATURES], ids=["map", "features"])
def test_a_line_stands_in_the_log_when_the_next_request_is_answered(
    server: Any, log: Path, parameters: dict[str, str]
) -> None:
    server.ask({"X-Request-ID": "first"}, **parameters)
    server.ask({"X-Request-ID": "second"}, **parameters)
    assert "first" in [entry["request_id"] for entry in entries(log)]


def seconds_worked(server: Any) -> float:
    """Return the processor time that the worker has had: it tells that a request has reached it."""
    stat = Path(f"/proc/{server.processes[0].pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a_client_that_hung_up_is_told(server: Any, log: Path) -> None:
    query = urlencode({"MAP": server.project, **MAP, "WIDTH": 6000, "HEIGHT": 6000})
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        head = f"GET /?{query} HTTP/1.1\r\nHost: x\r\nX-Request-ID: gone\r\n\r\n"
        before = seconds_worked(server)
        client.sendall(head.encode())
        limit = time.monotonic() + 60
        while seconds_worked(server) < before + 0.1:
            assert time.monotonic() < limit, "the worker does not draw"
            time.sleep(0.01)
    entry = entry_of(log, "gone")
    assert entry["error"] == {"code": "aborted", "text": "the client closed the connection"}


def test_a_client_that_waits_is_not_said_to_have_hung_up(server: Any, log: Path) -> None:
    answer = server.ask({"X-Request-ID": "waits"}, **{**MAP, "WIDTH": 6000, "HEIGHT": 6000})
    entry = entry_of(log, "waits")
    assert (answer.status, entry["status"], "error" in entry) == (200, 200, False)
    assert entry["ms"] > 200


def test_the_bad_layers_of_a_project_are_told_once_per_load(
    server: Any, log: Path, make_project: Callable[..., Path]
) -> None:
    project = make_project(access_rules=json.dumps([{"id": "all", "layers": "*"}]))
    (project.parent / "staff.geojson").unlink()
    for request_id in ("bad-1", "bad-2"):
        server.get({"MAP": str(project), **MAP}, {"X-Request-ID": request_id})
    first = entry_of(log, "bad-1")
    assert first["bad_layers"] == [{"name": "staff", "reason": "file not found"}]
    assert "bad_layers" not in entry_of(log, "bad-2")


def test_the_time_of_each_layer_is_told_where_qgis_measures_it(server: Any, log: Path) -> None:
    server.ask({"X-Request-ID": "profile"}, **MAP)
    measured = entry_of(log, "profile").get("layer_ms", {})
    assert ("pub" in measured) is (Qgis.versionInt() >= 33600)


def test_without_a_setting_lines_go_to_the_standard_error(
    serve: Callable[..., Any], project: Path
) -> None:
    server = serve(project)
    server.ask({"X-Request-ID": "to-stderr"}, **MAP)
    lines = [line for line in server.log.splitlines() if '"request_id":"to-stderr"' in line]
    assert len(lines) == 1
    assert json.loads(lines[0])["status"] == 200
