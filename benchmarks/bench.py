"""Ratios to the same server without the plugin, measured in one run, interleaved.

Each scenario runs in rounds; a round asks every mode (bare, plugin, naive) in changing order, so that
what else the machine does falls on all of them. A ratio is that of the medians; the spread is the range
of the ratios of the rounds between the quartiles.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
MODES = ("bare", "plugin", "naive")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")))
BOX = "BBOX=0,0,1000,1000&WIDTH=400&HEIGHT=400&CRS=EPSG:3857&VERSION=1.3.0"


@dataclass
class Scenario:
    """One request to measure, with the bound of issue 7."""

    name: str
    query: str
    project: str
    bound: Optional[float] = None
    times: int = 10
    path: str = "/"
    cgi: dict[str, str] = field(default_factory=dict)
    warm: int = 3
    log: str = "off"


def _map(layers: int) -> str:
    names = ",".join(f"layer_{number:04d}" for number in range(layers))
    return f"SERVICE=WMS&REQUEST=GetMap&LAYERS={names}&STYLES=&FORMAT=image/png&{BOX}"


def _info(features: int, layers: int = 1) -> str:
    names = ",".join(f"layer_{number:04d}" for number in range(layers))
    return (
        f"SERVICE=WMS&REQUEST=GetFeatureInfo&LAYERS={names}&QUERY_LAYERS={names}&STYLES="
        f"&INFO_FORMAT=application/json&FEATURE_COUNT={features}&I=200&J=200&{BOX}"
        "&FI_POINT_TOLERANCE=200"
    )


def _requests(size: int) -> list[tuple[str, str, str, float, int]]:
    """Return (name, path, query, bound for a restricted caller, repetitions)."""
    one = "layer_0000"
    legend = f"SERVICE=WMS&REQUEST=GetLegendGraphic&LAYERS={one}&FORMAT=image/png"
    features = f"SERVICE=WFS&REQUEST=GetFeature&TYPENAME={one}&OUTPUTFORMAT=GeoJSON"
    tile = (
        f"SERVICE=WMTS&REQUEST=GetTile&LAYER={one}&STYLE=default&FORMAT=image/png"
        "&TILEMATRIXSET=EPSG:3857&TILEMATRIX=14&TILEROW=8191&TILECOL=8192"
    )
    schema = "SERVICE=WFS&REQUEST=DescribeFeatureType&VERSION=1.1.0"
    return [
        ("GetMap 1 layer", "/", _map(1), 1.03, 10),
        ("GetMap 10 layers", "/", _map(10), 1.03, 5),
        ("GetFeatureInfo", "/", _info(1), 1.03, 10),
        ("GetLegendGraphic", "/", legend, 1.03, 10),
        ("GetFeature 1k", "/", features, 1.03, 3),
        ("GetTile", "/", tile, 1.03, 10),
        ("DescribeFeatureType one", "/", f"{schema}&TYPENAME={one}", 1.10, 20),
        ("DescribeFeatureType all", "/", schema, 1.05, 3 if size > 100 else 10),
        ("OAPIF items", f"/wfs3/collections/{one}/items.json", "limit=10", 1.08, 10),
        ("OAPIF collections", "/wfs3/collections.json", "", 1.11, 2 if size > 100 else 5),
        ("WFS GetCapabilities", "/", "SERVICE=WFS&REQUEST=GetCapabilities", 0.03, 3),
        ("WMTS GetCapabilities", "/", "SERVICE=WMTS&REQUEST=GetCapabilities", 0.03, 3),
        ("WMS GetCapabilities", "/", "SERVICE=WMS&REQUEST=GetCapabilities", 0.05, 10),
        ("GetProjectSettings", "/", "SERVICE=WMS&REQUEST=GetProjectSettings", 0.03, 10),
    ]


def scenarios(size: int) -> list[Scenario]:
    """Return the scenarios of one project size."""
    viewer = {"REMOTE_USER": "vera", "REMOTE_ROLES": "viewer"}
    nobody = {"REMOTE_USER": "", "REMOTE_ROLES": ""}
    found = []
    for name, path, query, bound, times in _requests(size):
        open_bound = {"OAPIF items": 1.06, "OAPIF collections": 1.10}.get(name, 1.02)
        label = f"{name}, {size} layers"
        found.append(
            Scenario(f"open: {label}", query, f"open_{size}", open_bound, times, path, nobody)
        )
        caps = {10: 0.20, 100: 0.05, 1000: 0.02}[size]
        wanted = caps if name == "WMS GetCapabilities" else bound
        found.append(
            Scenario(
                f"restricted: {label}", query, f"protected_{size}", wanted, times, path, viewer
            )
        )
    if size == 10:
        for count, bound in ((1, 1.10), (10, 1.06), (100, 1.05), (1000, 1.05)):
            found.append(
                Scenario(
                    f"enriched GetFeatureInfo, {count} features",
                    _info(count),
                    "info_10",
                    bound,
                    10 if count < 100 else 3,
                    cgi=viewer,
                )
            )
    return found


class Worker:
    """A server process."""

    def __init__(self, mode: str, log: str) -> None:
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "ACCESS_FILTER_LOG": log,
            "QGIS_SERVER_LOG_LEVEL": "2",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.started = self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("a server process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, url: str, cgi: dict[str, str], times: int) -> dict[str, Any]:
        """Run a request some times and return the measurements."""
        if self._process.stdin is None:
            raise RuntimeError("a server process has no input")
        self._process.stdin.write(json.dumps({"url": url, "cgi": cgi, "times": times}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=60)


def measure(
    workers: dict[str, Worker], scenario: Scenario, projects: dict[str, Path], rounds: int
) -> dict[str, Any]:
    """Return medians in microseconds and ratios of one scenario."""
    times: dict[str, list[float]] = {mode: [] for mode in workers}
    statuses = {}
    for mode, worker in workers.items():
        answer = worker.ask(_url(scenario, projects, mode), scenario.cgi, scenario.warm)
        statuses[mode] = answer["status"]
    order = list(workers)
    for number in range(rounds):
        for mode in order[number % len(order) :] + order[: number % len(order)]:
            answer = workers[mode].ask(_url(scenario, projects, mode), scenario.cgi, scenario.times)
            times[mode].append(statistics.median(answer["ns"]) / 1000)
    result: dict[str, Any] = {"name": scenario.name, "bound": scenario.bound, "status": statuses}
    for mode in workers:
        result[mode] = round(statistics.median(times[mode]), 1)
    for mode in [m for m in workers if m != "bare"]:
        ratios = sorted(own / bare for own, bare in zip(times[mode], times["bare"]))
        result[f"{mode}_ratio"] = round(result[mode] / result["bare"], 4)
        quarter = len(ratios) // 4
        result[f"{mode}_spread"] = [round(ratios[quarter], 3), round(ratios[-1 - quarter], 3)]
    return result


def _url(scenario: Scenario, projects: dict[str, Path], mode: str) -> str:
    """Return the URL; the bare and the naive server get a project of the same layers."""
    project = quote(str(projects[scenario.project]), safe="/")
    return f"http://localhost{scenario.path}?MAP={project}&{scenario.query}"


def row_of(result: dict[str, Any]) -> str:
    """Return a result as a line of a Markdown table."""
    spread = result["plugin_spread"]
    naive = result.get("naive_ratio")
    bound = result["bound"]
    met = "" if bound is None else ("yes" if result["plugin_ratio"] <= bound else "**no**")
    return (
        f"| {result['name']} | {result['bare']:.0f} | {result['plugin']:.0f} | "
        f"{result['plugin_ratio']:.3f} | {spread[0]:.3f}–{spread[1]:.3f} | "
        f"{'' if naive is None else f'{naive:.3f}'} | {'' if bound is None else f'≤ {bound}'} | {met} |"
    )


def _projects(folder: Path, sizes: list[int]) -> dict[str, Path]:
    """Build the projects in a process of its own, so that every server starts alike."""
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1]);"
        "from qgis.core import QgsApplication; a = QgsApplication([], False); a.initQgis();"
        "from benchmarks.make import make; make(sys.argv[2], json.loads(sys.argv[3]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(HERE.parent), str(folder), json.dumps(sizes)],
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    found = {}
    for size in sizes:
        found[f"open_{size}"] = folder / str(size) / "open.qgs"
        found[f"protected_{size}"] = folder / str(size) / "protected.qgs"
        found[f"info_{size}"] = folder / str(size) / "protected_info.qgs"
    return found


def main() -> int:
    """Measure, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10,100", help="layers per project, e.g. 10,100,1000")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    parser.add_argument("--output", default="", help="write the figures as JSON")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    projects = _projects(CACHE / "access_filter_plugin" / "bench", sizes)
    results = []
    workers = {mode: Worker(mode, "off") for mode in MODES}
    try:
        print(f"machine: {platform.platform()}, {os.cpu_count()} cores")
        print(f"plugin load: {workers['plugin'].started['load_ms']:.0f} ms")
        print("| scenario | bare µs | plugin µs | ratio | quartiles | naive | bound | met |")
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for size in sizes:
            for scenario in scenarios(size):
                if options.only and options.only not in scenario.name:
                    continue
                result = measure(workers, scenario, projects, options.rounds)
                results.append(result)
                print(row_of(result), flush=True)
    finally:
        for worker in workers.values():
            worker.stop()
    if options.output:
        Path(options.output).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
