"""What is no ratio: microseconds of admission and of the log line, memory, start, steady state."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .measuring import Result, figure
from .policies import NOBODY, VIEWER
from .processes import installed, workers
from .scenarios import ONE, get_features, get_info, get_map, requests_of

PAIRS = 3


def _url(project: Path, query: str, path: str = "/") -> str:
    return f"http://localhost{path}?MAP={quote(str(project), safe='/')}&{query}"


def admission(places: Mapping[str, Path], folder: Path, rounds: int) -> list[Result]:
    """Return what admission of a caller with rules takes more than a look at an open project."""
    by_wms = "&FILTER=layer_0000:%22value%22%20%3E%3D%200"
    by_wfs = "&EXP_FILTER=%22value%22%20%3E%3D%200"
    cases = {
        "admission of GetMap": get_map(ONE),
        "admission of GetMap with FILTER": get_map(ONE) + by_wms,
        "admission of GetFeature with EXP_FILTER": get_features(ONE, 1) + by_wfs,
    }
    found = []
    with workers(["plugin"], folder) as running:
        worker = running["plugin"]
        for name, query in cases.items():
            taken: dict[str, list[float]] = {"open": [], "protected": []}
            for _ in range(rounds + 1):
                for project, cgi in (("open", NOBODY), ("protected", VIEWER)):
                    command = {"do": "ready", "url": _url(places[project], query), "cgi": cgi}
                    answer = worker.ask({**command, "times": 25})
                    taken[project].append(statistics.median(answer["ns"][5:]) / 1000)
            more = [b - a for a, b in zip(taken["open"][1:], taken["protected"][1:])]
            found.append(
                figure(
                    f"{name}, beside an open project's",
                    "µs",
                    more,
                    60,
                    bare=round(statistics.median(taken["open"][1:]), 1),
                    plugin=round(statistics.median(taken["protected"][1:]), 1),
                )
            )
    return found


def log_line(places: Mapping[str, Path], folder: Path, rounds: int) -> list[Result]:
    """Return what the line of a request costs in it."""
    schema = f"SERVICE=WFS&REQUEST=DescribeFeatureType&VERSION=1.1.0&TYPENAME={ONE}"
    cases = (
        ("log line, DescribeFeatureType", schema, 20),
        ("log line, WMS GetCapabilities", "SERVICE=WMS&REQUEST=GetCapabilities", 20),
        ("log line, GetFeatureInfo", get_info(ONE, 1), 40),
    )
    found = []
    with workers(["log"], folder) as running:
        for name, query, bound in cases:
            command = {"url": _url(places["protected"], query), "cgi": VIEWER}
            running["log"].ask({**command, "times": 5})
            answer = running["log"].ask({**command, "do": "log", "times": rounds * 2})
            more = [(b - a) / 1000 for a, b in zip(answer["without"], answer["with"])]
            found.append(figure(name, "µs", more, bound))
    return found


def memory(places: Mapping[str, Path], folder: Path, size: int) -> list[Result]:
    """Return what a worker with the plugin needs more than a bare one, without cached documents."""
    more: dict[str, list[float]] = {"kib": [], "own_kib": [], "cache_kib": []}
    naive: dict[str, list[float]] = {"kib": [], "own_kib": [], "cache_kib": []}
    caches = []
    plugins = installed(folder, compiled=True)
    for _ in range(PAIRS):
        with workers(["bare", "plugin", "naive"], folder, plugins) as running:
            used = {mode: _used(worker, places, size) for mode, worker in running.items()}
        cache = used["plugin"]["cache_kib"]
        caches.append(cache / 1024)
        for kind, bare in used["bare"].items():
            more[kind].append((used["plugin"][kind] - bare - cache) / 1024)
            naive[kind].append((used["naive"][kind] - bare) / 1024)
    held = f"{statistics.median(caches):.1f} MB of documents, {size} layers"
    own = "its own memory alone, without pages of libraries that all workers share"
    return [
        figure(f"memory of a worker beside {held}", "MB", more["kib"], 8),
        figure(f"memory of a worker beside {held}: {own}", "MB", more["own_kib"], None),
        figure("memory of a worker with the naive filter", "MB", naive["kib"], None),
    ]


def _used(worker: Any, places: Mapping[str, Path], size: int) -> dict[str, Any]:
    for number in range(5):
        cgi = {"REMOTE_USER": f"user{number}", "REMOTE_ROLES": f"viewer,team{number}"}
        for request in requests_of(size):
            if worker.mode == "naive" and request.name == "OAPIF collections":
                continue  # QGIS 3.22 answers 404 when a filter closes one layer
            url = _url(places["protected"], request.query, request.path)
            worker.ask({"url": url, "cgi": cgi, "times": 3})
    used: dict[str, Any] = worker.ask({"do": "memory"})
    return used


def start(folder: Path) -> list[Result]:
    """Return what the start of a worker takes longer: compiled, from its source, and the naive filter."""
    compiled, source = installed(folder, compiled=True), installed(folder, compiled=False)
    cases = {
        "loading the plugin": ("plugin", compiled, 60),
        "loading the plugin where nobody compiled it": ("plugin", source, None),
        "loading the naive filter": ("naive", compiled, None),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(7):
        for name, (mode, plugins, _bound) in cases.items():
            with workers([mode], folder, plugins) as running:
                taken[name].append(running[mode].load_ms)
    return [
        figure(f"start of a worker: {name}", "ms", taken[name][1:], bound)
        for name, (_mode, _plugins, bound) in cases.items()
    ]


def steady(places: Mapping[str, Path], folder: Path, project: str, size: int) -> list[Result]:
    """Return the first requests of a new worker one by one, and when they take as long as later."""
    found = []
    url = _url(places[project], get_map(ONE))
    with workers(["bare", "plugin"], folder) as running:
        series = {}
        for mode, worker in running.items():
            series[mode] = [
                n / 1e6 for n in worker.ask({"url": url, "cgi": VIEWER, "times": 60})["ns"]
            ]
    for mode, taken in series.items():
        later = statistics.median(taken[30:])
        limit = 1.2 * later
        steady_from = next(
            n for n in range(60) if max(taken[n], statistics.median(taken[n : n + 5])) <= limit
        )
        first = ", ".join(f"{ms:.1f}" for ms in taken[:4])
        found.append(
            {
                "name": f"steady state of GetMap, {project} project of {size} layers, {mode} server",
                "unit": "request",
                "value": steady_from + 1,
                "spread": None,
                "bound": None,
                "met": None,
                "text": f"first requests {first} ms; later {later:.1f} ms",
            }
        )
    return found
