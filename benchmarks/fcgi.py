"""Throughput of qgis_mapserv.fcgi behind nginx: two workers with the plugin against two without."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from operator import truediv
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .farm import Farm, memory_mb
from .load import Connection, hammer, request_bytes
from .scenarios import ONE, get_info, get_map
from .statistic import Result, interval

WORKERS = 2
CLIENTS = 4
SECONDS = 1.0
USER = {"X-Test-User": "vera", "X-Test-Roles": "viewer"}


def _mix(project: Path) -> list[bytes]:
    """Return maps of several places and sizes, an information and a legend."""
    ten = ",".join(f"layer_{number:04d}" for number in range(10))
    queries = [
        get_map(ONE).replace("BBOX=0,0,1000,1000", f"BBOX={x},{x},{x + 500},{x + 500}")
        for x in range(0, 500, 100)
    ]
    queries += [get_map(ten), get_map(f"{ONE},layer_0001"), get_info(ONE, 1)]
    legend = f"SERVICE=WMS&REQUEST=GetLegendGraphic&VERSION=1.3.0&LAYERS={ONE}&FORMAT=image/png"
    return [_request(project, query) for query in [*queries, legend]]


def _request(project: Path, query: str) -> bytes:
    return request_bytes(f"/?MAP={quote(str(project), safe='/')}&{query}", USER)


def throughput(places: Mapping[str, Path], rounds: int, size: int) -> list[Result]:
    """Return the rows: answers per second with the plugin, as a part of those without."""
    project = places["protected"]
    capabilities = [_request(project, "SERVICE=WMS&REQUEST=GetCapabilities")]
    cases: list[tuple[str, list[bytes], float]] = [
        (f"FCGI, 2 workers: map mix, {size} layers", _mix(project), 0.98),
        (f"FCGI, 2 workers: WMS GetCapabilities, {size} layers", capabilities, 5.0),
    ]
    found: list[Result] = []
    with Farm(WORKERS, with_plugin=False) as bare, Farm(WORKERS, with_plugin=True) as plugin:
        farms = {"bare": bare, "plugin": plugin}
        for name, requests, bound in cases:
            for farm in farms.values():
                _check(farm, requests, is_guarded=farm is plugin)
                hammer(farm.port, requests, 3.0, CLIENTS)
            found.append(_compare(name, farms, requests, bound, rounds))
        found.append(_memory(farms, size))
    return found


def _check(farm: Farm, requests: list[bytes], *, is_guarded: bool) -> None:
    connection = Connection(farm.port)
    for request in requests:
        answer = connection.ask(request)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
        if is_guarded and b"x-request-id" not in answer.head.lower():
            raise RuntimeError("the plugin is not in the server that was to have it")
        if b"GetCapabilities" in request and (b">hidden<" in answer.body) is is_guarded:
            raise RuntimeError("the rules are in force where they should not be, or not where")
    connection.close()


def _compare(
    name: str, farms: Mapping[str, Farm], requests: list[bytes], bound: float, rounds: int
) -> Result:
    """Let the farms take turns; each with the plugin is held against the bare ones around it."""
    rates: dict[str, list[float]] = {mode: [] for mode in farms}
    for number in range(2 * rounds + 1):
        mode = "plugin" if number % 2 else "bare"
        rates[mode].append(hammer(farms[mode].port, requests, SECONDS, CLIENTS))
    around = [(a + b) / 2 for a, b in zip(rates["bare"], rates["bare"][1:])]
    ratios = list(map(truediv, rates["plugin"], around))
    value = statistics.median(ratios)
    return {
        "name": name,
        "unit": "throughput",
        "bare": round(statistics.median(rates["bare"]), 1),
        "plugin": round(statistics.median(rates["plugin"]), 1),
        "value": round(value, 3),
        "spread": interval(ratios),
        "bound": bound,
        "met": value >= bound,
        "rounds": rounds,
    }


def _memory(farms: Mapping[str, Farm], size: int) -> dict[str, Any]:
    used = {
        mode: statistics.mean(memory_mb(worker.pid) for worker in farm.workers)
        for mode, farm in farms.items()
    }
    return {
        "name": f"FCGI: memory of a worker with its cached documents, {size} layers",
        "unit": "MB",
        "value": round(used["plugin"] - used["bare"], 1),
        "bare": round(used["bare"], 1),
        "plugin": round(used["plugin"], 1),
        "spread": None,
        "bound": None,
        "met": None,
    }
