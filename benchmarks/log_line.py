"""What the line of a request costs: alone, and added to requests of a QGIS Server in this process.

    python3 benchmarks/log_line.py [--rounds 400]

Alone: our line against the standard ``logging`` module with ``json``, both into a file.
In requests: the plugin without the request log, with it, and with one written by ``logging`` and
``json``, in turns of some dozen requests within one process. What a request costs more there is far
more than the line costs alone: QGIS has used the processor's caches for itself. The request that
frees a large DOM is a known trap (docs/logging.md) and therefore among them.
All numbers are microseconds; the differences are between the medians of a turn, in the middle.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from access_filter_plugin.ows_request import OwsRequest  # noqa: E402 (the path is set above)
from access_filter_plugin.request_context import DecisionRecord, RequestContext  # noqa: E402
from access_filter_plugin.request_log.entry import LineWriter, RequestFacts  # noqa: E402
from access_filter_plugin.request_log.pseudonym import Pseudonyms  # noqa: E402
from access_filter_plugin.request_log.settings import LogSettings  # noqa: E402
from access_filter_plugin.request_log.sink import make_sink  # noqa: E402
from access_filter_plugin.subject import Subject  # noqa: E402

GET_MAP = {
    "LAYERS": "parcels,roads",
    "STYLES": ",",
    "CRS": "EPSG:3857",
    "BBOX": "1055683.2,6041226.7,1057683.2,6043226.7",
    "WIDTH": "512",
    "HEIGHT": "512",
    "FORMAT": "image/png",
    "TRANSPARENT": "true",
}
TURN = 30
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class StandardLog:
    """The same line by the standard means: a dict, json.dumps, and a logging.FileHandler."""

    def __init__(self, path: Path) -> None:
        self._logger = logging.getLogger("standard")
        self._logger.propagate = False
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(logging.FileHandler(path))

    def write(self, context: RequestContext, facts: RequestFacts) -> None:
        request, subject, decision = context.request, context.subject, context.decision
        sent = request.parameters.get
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(facts.time)),
            "level": "info",
            "request_id": context.request_id,
            "pid": os.getpid(),
            "project": request.project,
            "service": request.service,
            "request": request.operation,
            "version": request.version,
            "layers": sent("LAYERS", "").split(","),
            "styles": sent("STYLES", "").split(","),
            "crs": sent("CRS"),
            "bbox": sent("BBOX"),
            "width": sent("WIDTH"),
            "height": sent("HEIGHT"),
            "format": sent("FORMAT"),
            "method": request.method,
            "path": request.path,
            "status": facts.status,
            "ms": facts.ms,
            "bytes": facts.bytes,
            "user": subject.user,
            "roles": sorted(subject.roles),
            "client": str(subject.address),
            "user_agent": facts.user_agent,
            "decision": {"effect": decision.effect, "rules": decision.rules},
        }
        self._logger.info(json.dumps(entry))


def alone(folder: Path, rounds: int) -> None:
    request = OwsRequest(
        "WMS", "GetMap", "1.3.0", GET_MAP, "GET", "http://x/", "/ows/", b"", "/data/town.qgs"
    )
    subject = Subject("alice", frozenset({"viewer", "editor"}), ip_address("203.0.113.9"))
    decision = DecisionRecord("allow", ("public", "staff"), filtered=("parcels",))
    context = RequestContext(request, subject, decision=decision, request_id="0123456789abcdef-1")
    facts = RequestFacts(time.time(), 12.3, 200, 48213, user_agent=AGENT)
    writer, settings = LineWriter(Pseudonyms("key")), LogSettings()
    sink = make_sink(str(folder / "ours.log"), print)
    standard = StandardLog(folder / "standard.log")
    print(f"alone, a GetMap line of {len(writer.line(context, facts, settings, 'info'))} bytes:")
    ways: dict[str, Callable[[], Any]] = {
        "our line": lambda: writer.line(context, facts, settings, "info"),
        "our line, written": lambda: sink.write(
            writer.line(context, facts, settings, "info"), "info"
        ),
        "logging with json": lambda: standard.write(context, facts),
    }
    for name, way in ways.items():
        print(f"  {name:24}{measured(way, rounds * 5):8.1f}")


def measured(way: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        way()
        times.append(time.perf_counter() - started)
    return median(times) * 1e6


class StandardFeature:
    """A request log as a pipeline's feature, by the standard means."""

    name = "standard_log"

    def __init__(self, path: Path) -> None:
        self._log = StandardLog(path)

    def compile(self, _state: Any) -> None:
        return None

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        context.request_id = handler.requestHeader("X-Request-ID") or os.urandom(8).hex()
        handler.setResponseHeader("X-Request-ID", context.request_id)

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        ms = (time.perf_counter() - context.started) * 1000
        size = None if handler.headersSent() else handler.body().size()
        agent = handler.requestHeader("User-Agent")
        facts = RequestFacts(time.time(), ms, handler.statusCode() or 200, size, user_agent=agent)
        self._log.write(context, facts)


def wide_project(folder: Path, layers: int) -> Path:
    """A project of memory layers whose DescribeFeatureType is a large document."""
    from qgis.core import QgsProject, QgsVectorLayer

    from tests.support.projects import publish, save

    folder.mkdir()
    project = QgsProject()
    fields = "&".join(f"field=f{number}:string" for number in range(20))
    for number in range(layers):
        uri = f"Point?crs=EPSG:4326&{fields}"
        project.addMapLayer(QgsVectorLayer(uri, f"l{number}", "memory"))
    publish(project)
    return save(project, folder / "wide.qgs", {})


def in_requests(folder: Path, rounds: int) -> None:
    from tests.support.projects import policy_project
    from tests.support.server import Client, start_server

    log = folder / "requests.log"
    server = start_server(ACCESS_FILTER_LOG=str(log))
    rules = {"access_rules": [{"id": "all", "layers": "*"}]}
    town = server.client(policy_project(folder / "town", **rules), "alice", "viewer")
    wide = server.client(wide_project(folder / "wide", 100), "alice", "viewer")
    info = {
        **GET_MAP,
        "SERVICE": "WMS",
        "REQUEST": "GetFeatureInfo",
        "VERSION": "1.3.0",
        "LAYERS": "parcels",
        "QUERY_LAYERS": "parcels",
        "STYLES": "",
        "CRS": "EPSG:4326",
        "BBOX": "0,0,2,2",
        "WIDTH": 100,
        "HEIGHT": 100,
        "I": 50,
        "J": 50,
        "INFO_FORMAT": "application/json",
    }
    described = {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "VERSION": "1.1.0"}
    cases: dict[str, tuple[Client, dict[str, Any]]] = {
        "DescribeFeatureType, 1 layer": (town, {**described, "TYPENAME": "parcels"}),
        "GetFeatureInfo, 1 feature": (town, info),
        "WMS GetCapabilities": (town, {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}),
        "DescribeFeatureType, 100 layers (large DOM)": (wide, described),
    }
    pipeline = server.plugin.wall.target
    features = pipeline._features
    without = tuple(f for f in features if f.name != "request_log")
    standard = (*without, StandardFeature(folder / "standard-requests.log"))
    variants = {"none": without, "ours": features, "logging": standard}
    print("\nin requests:")
    print(f"  {'':46}{'none':>9}{'+ ours':>9}{'+ logging':>11}")
    for name, (client, parameters) in cases.items():
        medians = compared(partial(client.get, **parameters), pipeline, variants, rounds)
        base, ours, other = (medians[variant] for variant in variants)
        more = median(b - a for a, b in zip(base, ours))
        most = median(b - a for a, b in zip(base, other))
        print(f"  {name:46}{median(base):9.0f}{more:9.1f}{most:11.1f}", flush=True)


def compared(
    send: Callable[[], Any], pipeline: Any, variants: dict[str, Any], rounds: int
) -> dict[str, list[float]]:
    """Medians of turns of each variant; the order changes with every turn."""
    medians: dict[str, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for number in range(max(4, rounds // TURN)):
        for name in names:
            pipeline._features = variants[name]
            turn = [timed(send) for _ in range(TURN)]
            if number:
                medians[name].append(median(turn[5:]) * 1e6)
        names.append(names.pop(0))
    return medians


def timed(send: Callable[[], Any]) -> float:
    started = time.perf_counter()
    answer = send()
    took = time.perf_counter() - started
    if answer.status != 200:
        raise SystemExit(f"the benchmark's request failed: {answer.text[:500]}")
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1200)
    parser.add_argument("--alone", action="store_true", help="without QGIS")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        alone(Path(scratch), options.rounds)
        if not options.alone:
            in_requests(Path(scratch), options.rounds)
            sys.stdout.flush()
            os._exit(0)  # a QGIS in process does not always end well
    return 0


if __name__ == "__main__":
    sys.exit(main())
