"""Measures the plugin against the same server without it, and writes docs/performance.md's tables.

Groups can be measured one by one: the figures of each are kept in one file until it is measured
again. Every answer is checked before and while it is timed. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from access_filter_plugin.json_codec import CODEC  # noqa: E402 (the path is set above)
from benchmarks import figures, page  # noqa: E402
from benchmarks.fcgi import throughput  # noqa: E402
from benchmarks.measuring import FEWEST_ROUNDS, Used, load, measure, row  # noqa: E402
from benchmarks.postgis import postgis_projects  # noqa: E402
from benchmarks.processes import CACHE, projects, workers  # noqa: E402
from benchmarks.scenarios import (  # noqa: E402
    Scenario,
    control,
    enriched,
    megabyte,
    native,
    scenarios,
)
from benchmarks.statistic import Result  # noqa: E402

RESULTS = CACHE / "access_filter_plugin" / "bench" / "figures.json"


CREWS = 4
"""How often the servers are started anew: equal processes are some percent apart, each for its life."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    rounds: int
    only: str
    folder: Path

    def chosen(self, found: Sequence[Scenario]) -> list[Scenario]:
        """Return the scenarios whose name contains the text asked for."""
        return [scenario for scenario in found if self.only.lower() in scenario.name.lower()]


def _timed(
    options: Options, found: Sequence[Scenario], places: dict[str, Path], crews: int = CREWS
) -> list[Result]:
    chosen = options.chosen(found)
    modes = list(dict.fromkeys(mode for scenario in chosen for mode in scenario.modes))
    used: list[list[Used]] = [[] for _ in chosen]
    crews = min(crews, max(1, options.rounds // FEWEST_ROUNDS))
    for number in range(crews):
        print(f"crew {number + 1} of {crews}", file=sys.stderr, flush=True)
        with workers(modes, options.folder) as running:
            load(running, chosen, places)
            for scenario, so_far in zip(chosen, used):
                so_far.append(measure(running, scenario, places, options.rounds, crews))
    return _told(row(*both) for both in zip(chosen, used))


def _layers(size: int) -> Callable[[Options], list[Result]]:
    crews = 1 if size == 1000 else CREWS  # they load for minutes
    return lambda options: _timed(
        options, scenarios(size), projects(size, ["open", "protected"]), crews
    )


def _control(options: Options) -> list[Result]:
    return _timed(options, control(100), projects(100, ["open"]))


def _enriched(options: Options) -> list[Result]:
    return _timed(options, enriched(), projects(10, ["enriched"]))


def _megabyte(options: Options) -> list[Result]:
    return _timed(options, megabyte(1000), projects(1000, ["megabyte"]), 1)


def _postgis(options: Options) -> list[Result]:
    with postgis_projects(options.folder) as (places, port):
        return _timed(options, native(port), places)


def _figures(options: Options) -> list[Result]:
    places = projects(100, ["open", "protected"])
    parts: dict[str, Callable[[], list[Result]]] = {
        "admission": lambda: figures.admission(places, options.folder),
        "log line": lambda: figures.log_line(places, options.folder),
        "memory": lambda: figures.memory(places, options.folder, 100),
        "start": lambda: figures.start(options.folder),
        "steady": lambda: figures.steady(places, options.folder, "protected", 100),
    }
    return _told(r for name, part in parts.items() if options.only in name for r in part())


def _fcgi(options: Options) -> list[Result]:
    rounds = max(2, options.rounds // 3)
    return _told(throughput(projects(100, ["protected"]), rounds, 100))


def _told(results: Iterable[Result]) -> list[Result]:
    found = []
    for result in results:
        print(page.line(result), flush=True)
        found.append(result)
    return found


GROUPS: dict[str, Callable[[Options], list[Result]]] = {
    "control": _control,
    "10": _layers(10),
    "100": _layers(100),
    "1000": _layers(1000),
    "enriched": _enriched,
    "figures": _figures,
    "postgis": _postgis,
    "fcgi": _fcgi,
    "megabyte": _megabyte,
}


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    version = ["dpkg-query", "-W", "-f=${Version}", "qgis-server"]
    qgis = subprocess.run(version, capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.platform()),
        "QGIS Server": qgis,
        "Python": platform.python_version(),
        "JSON": CODEC.backend,
        "commit": commit,
    }


def keep(path: Path, group: str, results: list[Result], rounds: int, seconds: float) -> None:
    """Put the figures of a group into the file, beside those of the others."""
    whole = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    whole[group] = {
        "machine": machine(),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
        "rounds": rounds,
        "seconds": round(seconds),
        "results": results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"one or more of: {', '.join(GROUPS)}"
    )
    parser.add_argument("--only", default="", help="scenarios whose name contains this text")
    parser.add_argument("--rounds", type=int, default=56)
    parser.add_argument("--quick", action="store_true", help="a minute: 10 layers, three rounds")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of the figures")
    parser.add_argument(
        "--page", action="store_true", help="write the tables into docs/performance.md afterwards"
    )
    parser.add_argument("--page-only", action="store_true", help="measure nothing, only write them")
    options = parser.parse_args()
    unknown = [group for group in options.groups if group not in GROUPS]
    if unknown:
        parser.error(f"no group is called {unknown[0]}")
    return options


def main() -> int:
    """Measure what was asked for, print it, and keep the figures."""
    options = arguments()
    # Ended from outside, the servers are ended as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    groups = options.groups or (["10", "figures"] if options.quick else list(GROUPS))
    rounds = 3 if options.quick else options.rounds
    if options.page_only:
        groups = []
    for group in groups:
        print(f"\n{group}\n\n{page.HEAD}", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            results = GROUPS[group](Options(rounds, options.only, Path(folder)))
        if not options.quick and not options.only:
            keep(options.results, group, results, rounds, time.monotonic() - began)
    if options.page or options.page_only:
        page.write(json.loads(options.results.read_text(encoding="utf-8")), list(GROUPS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
