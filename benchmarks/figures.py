"""What is no ratio: microseconds of admission and of the log line, memory, start, steady state."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .policies import NOBODY, VIEWER
from .processes import installed, workers
from .scenarios import ONE, get_features, get_info, get_map, requests_of
from .statistic import Result, figure, interval

PAIRS = 2
SMALL = "layer_0060"
"""A layer of few rows, of a project of 100."""
PREPARED = 400
LINES = 1200


def _url(project: Path, query: str, path: str = "/") -> str:
    return f"http://localhost{path}?MAP={quote(str(project), safe='/')}&{query}"


def admission(places: Mapping[str, Path], folder: Path) -> list[Result]:
    """Return what admission of a caller with rules takes more than a look at an open project."""
    by_wms = f"&FILTER={SMALL}:%22value%22%20%3E%3D%200"
    by_wfs = "&RESULTTYPE=hits&EXP_FILTER=%22value%22%20%3E%3D%200"
    cases = {
        "GetMap": _tiny_map(),
        "GetMap with FILTER": _tiny_map() + by_wms,
        "GetFeature with EXP_FILTER": get_features(SMALL, 1) + by_wfs,
    }
    found = []
    with workers(["plugin"], folder) as running:
        for name, query in cases.items():
            turn = {
                project: {"url": _url(places[project], query), "cgi": cgi}
                for project, cgi in (("open", NOBODY), ("protected", VIEWER))
            }
            running["plugin"].ask({"do": "ready", "turn": turn, "times": 20})
            answer = running["plugin"].ask({"do": "ready", "turn": turn, "times": PREPARED})
            more = [(b - a) / 1000 for a, b in zip(answer["open"], answer["protected"])]
            seen = {
                kind: round(statistics.median(answer[project]) / 1000, 1)
                for kind, project in (("bare", "open"), ("plugin", "protected"))
            }
            title = f"admission of {name}, beside an open project's"
            found.append(figure(title, "µs", more, 60, **seen))
    return found


def _tiny_map() -> str:
    """Return a GetMap of few rows and few pixels: the image is not what is measured."""
    return get_map(SMALL).replace("WIDTH=400&HEIGHT=400", "WIDTH=16&HEIGHT=16")


def log_line(places: Mapping[str, Path], folder: Path) -> list[Result]:
    """Return what the line of a request costs in it, beside the least and the standard means."""
    schema = f"SERVICE=WFS&REQUEST=DescribeFeatureType&VERSION=1.1.0&TYPENAME={ONE}"
    cases = (
        ("DescribeFeatureType", schema, 20),
        ("WMS GetCapabilities", "SERVICE=WMS&REQUEST=GetCapabilities", 20),
        ("GetFeatureInfo", get_info(ONE, 1), 40),
    )
    found = []
    with workers(["log"], folder) as running:
        for name, query, bound in cases:
            url = _url(places["protected"], query)
            command = {"do": "log", "url": url, "cgi": VIEWER, "folder": str(folder)}
            running["log"].ask({**command, "times": 5})
            answer = running["log"].ask({**command, "times": LINES})
            found += _log_rows(f"log line, {name}", answer, bound)
    return found


def _log_rows(name: str, answer: Mapping[str, list[int]], bound: int) -> list[Result]:
    more = {
        kind: [(with_it - without) / 1000 for with_it, without in zip(values, answer["without"])]
        for kind, values in answer.items()
    }
    least = statistics.median(more["floor"])
    floor = {"floor": round(least, 1), "floor_spread": interval(more["floor"])}
    logging = statistics.median(more["logging"])
    parts = [value / logging for value in more["ours"]]
    return [
        figure(name, "µs", more["ours"], bound, **floor),
        figure(f"{name}: ten constants by orjson, one write", "µs", more["sketch"], None),
        figure(f"{name}: by logging and json", "µs", more["logging"], None),
        figure(f"{name}: ours as a part of that", "of it", parts, 0.33),
    ]


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
            worker.ask({"url": url, "cgi": cgi, "times": 2})
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
