"""The request log of four workers behind nginx: as many lines as nginx's own log, and the same."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ACCESS_LINE = re.compile(r'^\S+ - \S+ \[[^]]+\] "[^"]*" (\d{3}) \d+ "[^"]*" "load-([0-9a-z-]+)"$')
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
LOAD: list[tuple[str, dict[str, Any]]] = [
    ("/", MAP),
    ("/", {**MAP, "LAYERS": "staff"}),
    ("/", {**MAP, "LAYERS": "nonsense"}),
    ("/", {**MAP, "SLD_BODY": "<x/>"}),
    ("/", {**MAP, "TOKEN": "x" * 4000, "LAYERS": "pub," * 500}),
    ("/", {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}),
    ("/", {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "pub"}),
    ("/", {"SERVICE": "WFS", "REQUEST": "GetFeature", "VERSION": "1.1.0", "TYPENAME": "nope"}),
    ("/", {"SERVICE": "ACCESS", "REQUEST": "Health"}),
    ("/", {"SERVICE": "NONSENSE"}),
    ("/wfs3/collections/pub/items", {}),
    ("/wfs3/collections/nope/items", {}),
    ("/", {**MAP, "MAP": "/no/such/project.qgs"}),
]
RULES = [{"id": "public", "layers": "pub"}]


@pytest.fixture(scope="module")
def project(make_project: Callable[..., Path]) -> Path:
    return make_project(access_rules=json.dumps(RULES))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], project: Path, logs: Path) -> Any:
    return serve(
        project,
        {"ACCESS_FILTER_LOG": str(logs / "requests.log")},
        directives=f"access_log {logs}/access.log combined; large_client_header_buffers 4 64k;",
        workers=4,
    )


def send_load(server: Any, name: str, rounds: int) -> None:
    for number in range(rounds):
        for index, (path, parameters) in enumerate(LOAD):
            request_id = f"{name}-{number}-{index}"
            headers = {"X-Request-ID": request_id, "User-Agent": f"load-{request_id}"}
            query = {"MAP": str(server.project), **parameters}
            server.get(query, headers, path=path)


def mixed_load(server: Any, rounds: int, clients: int = 6, name: str = "") -> None:
    threads = [
        threading.Thread(target=send_load, args=(server, f"{name}{client}", rounds))
        for client in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def entries_in(*paths: Path) -> list[dict[str, Any]]:
    """Every line of the logs; each must be one whole entry."""
    found = []
    for path in paths:
        data = path.read_bytes()
        found += [
            json.loads(line)
            for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
        ]
    return found


def wait_for(read: Callable[[], list[Any]], count: int) -> list[Any]:
    """Return what is read when it is as much as expected, or after long waiting what there is."""
    limit = time.monotonic() + 60
    while True:
        found = read()
        if len(found) >= count or time.monotonic() > limit:
            return found
        time.sleep(0.05)


def test_a_mixed_load_has_the_lines_and_statuses_of_nginx(server: Any, logs: Path) -> None:
    mixed_load(server, rounds=4)
    sent = 6 * 4 * len(LOAD)
    entries = wait_for(lambda: entries_in(logs / "requests.log"), sent)
    ours = {entry["request_id"]: entry["status"] for entry in entries}
    # nginx writes its line when the client has long had the answer.
    lines = wait_for(lambda: (logs / "access.log").read_text().splitlines(), sent)
    found = [ACCESS_LINE.match(line) for line in lines]
    theirs = {match[2]: int(match[1]) for match in found if match}
    assert len(entries) == len(lines) == len(ours) == len(theirs) == sent
    assert ours == theirs
    assert len(set(ours.values())) > 2
    assert len({entry["pid"] for entry in entries}) > 1


def test_the_sizes_are_those_that_the_client_got(server: Any, logs: Path) -> None:
    for path, parameters in LOAD:
        request_id = f"size-{time.monotonic_ns()}"
        query = {"MAP": str(server.project), **parameters}
        answer = server.get(query, {"X-Request-ID": request_id}, path=path)
        entry = next(
            entry
            for entry in reversed(entries_in(logs / "requests.log"))
            if entry["request_id"] == request_id
        )
        assert answer.headers["X-Request-ID"] == request_id
        assert entry["bytes"] in (len(answer.body), None)
        assert (entry["bytes"] is None) is (
            parameters.get("REQUEST") == "GetFeature" and answer.status == 200
        )


def test_rotation_by_rename_loses_and_tears_no_line(server: Any, logs: Path) -> None:
    before = len(entries_in(logs / "requests.log"))
    load = threading.Thread(target=mixed_load, args=(server, 3, 4, "rename-"))
    load.start()
    number = 0
    while load.is_alive():
        time.sleep(0.3)
        if (logs / "requests.log").exists():
            (logs / "requests.log").rename(logs / f"requests.log.{number}")
            number += 1
    load.join()
    sent = 4 * 3 * len(LOAD)
    entries = wait_for(lambda: entries_in(*logs.glob("requests.log*")), before + sent)
    ids = {entry["request_id"] for entry in entries if entry["request_id"].startswith("rename-")}
    assert (len(entries), len(ids)) == (before + sent, sent)
    assert number > 0
