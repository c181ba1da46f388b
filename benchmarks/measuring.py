"""Rounds in which the servers run side by side, so that what the machine does falls on all of them.

A machine shared with others is faster and slower by half within milliseconds, and processor time
says so as well: it is the processor that is slower. Two equal servers that take turns of 20 ms are
therefore up to 30 % apart in a round. All servers of a scenario run at the same time on one core:
the scheduler changes between them every few milliseconds, each has its share of every moment, and
the processor times of a round can be divided by each other.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import truediv
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .processes import Worker
from .scenarios import Scenario
from .statistic import Result, between

TURN_NS = 16_000_000
"""How much a server runs in a round, at least one request: some slices of the scheduler's."""
MOST_NS = 8_000_000_000
"""How long a scenario may take in all, but for the fewest rounds."""
FEWEST_ROUNDS = 5
FEWEST_LONG_ROUNDS = 3
LONG_ROUND_NS = 3_000_000_000
LONG_NS = 20_000_000
"""A request of which two are enough to warm a server up."""
NAMED = ("log", "naive", "floor")
Used = dict[str, list[float]]
"""The microseconds of processor time of a request, for each server and round."""


def measure(
    running: Mapping[str, Worker],
    scenario: Scenario,
    places: Mapping[str, Path],
    rounds: int,
    crews: int = 1,
) -> Used:
    """Let the servers run a scenario side by side, and return what each of them used."""
    commands = {mode: _command(scenario, places, mode) for mode in scenario.modes}
    warm = _warmed(running, scenario, commands)
    servers = {mode: running[mode] for mode in warm}
    _hold_against_each_other(scenario, warm)
    one = {mode: min(found["cpu"]) or 1 for mode, found in warm.items()}
    for mode, needed in one.items():
        commands[mode]["times"] = max(1, min(scenario.longest, TURN_NS // needed))
    round_ns = sum(commands[mode]["times"] * needed for mode, needed in one.items())
    fewest = FEWEST_ROUNDS if round_ns < LONG_ROUND_NS else FEWEST_LONG_ROUNDS
    rounds = max(fewest, min(rounds // crews, int(MOST_NS / crews / round_ns)))
    used: Used = {mode: [] for mode in servers}
    order = list(servers)
    for _ in range(rounds):
        order.append(order.pop(0))
        for mode in order:
            servers[mode].tell(commands[mode])
        for mode in order:
            used[mode].append(statistics.mean(servers[mode].answer()["cpu"]) / 1000)
    return used


def load(
    running: Mapping[str, Worker], scenarios: Sequence[Scenario], places: Mapping[str, Path]
) -> None:
    """Let the servers load their projects on all cores, and stay on one of them afterwards."""
    firsts: dict[str, Scenario] = {}
    for scenario in scenarios:
        firsts.setdefault(scenario.project, scenario)
    for scenario in firsts.values():
        for mode in scenario.modes:
            running[mode].tell({**_command(scenario, places, mode), "times": 1})
        for mode in scenario.modes:
            _answered(running[mode])
    for worker in running.values():
        worker.ask({"do": "stay"})


def _answered(worker: Worker) -> Any:
    """Return what a server found; None of a naive filter that cannot answer the request."""
    try:
        return worker.answer()
    except RuntimeError:
        if worker.mode != "naive":
            raise
    return None


def _warmed(
    running: Mapping[str, Worker], scenario: Scenario, commands: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    warm: dict[str, Any] = {}
    for mode, command in commands.items():
        for number, times in enumerate((1, 1, 3)):  # the first may make what the second finds
            running[mode].tell({**command, "times": times})
            found = _answered(running[mode])
            if found is None or (number and found["cpu"][0] > LONG_NS):
                break
        if found is None:
            continue  # the naive filter has no figure then
        warm[mode] = found
        if scenario.database and not found["backends"]:
            raise RuntimeError(f"{scenario.name}: no backend of the {mode} server was found")
    return warm


def _command(scenario: Scenario, places: Mapping[str, Path], mode: str) -> dict[str, Any]:
    request = scenario.request
    is_bare = mode in ("bare", "control")
    project = places[(is_bare and scenario.bare_project) or scenario.project]
    query = (is_bare and scenario.bare_query) or request.query
    expect = dict(request.expect)
    if scenario.restricted and mode in ("plugin", "log") and request.lacks:
        expect["lacks"] = request.lacks
    elif request.lacks and not scenario.bare_project and mode != "naive":
        # What is hidden is there: a policy that hides nothing would be measured otherwise.
        expect["contains"] = request.lacks
    return {
        "url": f"http://localhost{request.path}?MAP={quote(str(project), safe='/')}&{query}",
        "cgi": scenario.cgi,
        "expect": expect,
        "first": scenario.first,
        "project": str(project),
        "database": scenario.database,
    }


def _hold_against_each_other(scenario: Scenario, found: Mapping[str, Any]) -> None:
    """Stop where the rules change nothing in an answer that they should change, or the reverse."""
    bare = found["bare"]
    for mode, answer in found.items():
        if mode in ("bare", "naive") or scenario.bare_project:
            continue  # the naive filter leaves in some documents what it hides elsewhere
        opens = scenario.same_answer or mode == "floor"
        if opens and answer["bytes"] != bare["bytes"]:
            raise RuntimeError(f"{scenario.name}: {mode} has another answer than the bare server")
        if not opens and scenario.request.differs and answer["hash"] == bare["hash"]:
            raise RuntimeError(f"{scenario.name}: the rules change nothing ({mode})")


def row(scenario: Scenario, crews: Sequence[Used]) -> Result:
    """Return the row of a scenario from what all crews used: medians, ratios, and their bounds."""
    judged = next(mode for mode in scenario.modes if mode != "bare")
    bare = statistics.median(value for used in crews for value in used["bare"])
    ratios = {
        mode: [list(map(truediv, used[mode], used["bare"])) for used in crews]
        for mode in scenario.modes
        if all(mode in used for used in crews)
    }
    middle = {mode: round(statistics.median(chain(*found)), 4) for mode, found in ratios.items()}
    bound = scenario.bound
    if not scenario.restricted and bare < 1000:
        bound = None  # the bound is for requests of 1 ms or more
    return {
        "name": scenario.name,
        "unit": "ratio",
        "bare": round(bare, 1),
        "plugin": round(statistics.median(x for used in crews for x in used[judged]), 1),
        "value": middle[judged],
        "spread": between(ratios[judged]),
        **{mode: middle.get(mode) for mode in NAMED if mode != judged},
        "floor_spread": between(ratios["floor"]) if "floor" in ratios else None,
        "bound": bound,
        "met": None if bound is None else middle[judged] <= bound,
        "rounds": sum(map(len, ratios[judged])),
        "crews": [round(statistics.median(found), 4) for found in ratios[judged]],
    }
