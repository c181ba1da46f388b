"""Rounds in which the servers take turns, so that what else the machine does falls on all of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .processes import Worker
from .scenarios import Scenario

TURN_NS = 20_000_000
"""How long a turn is about: many short requests, few long ones. Short turns share a bad moment."""
SCENARIO_NS = 6_000_000_000
FEWEST_ROUNDS = 5
Result = dict[str, Any]


def measure(
    running: Mapping[str, Worker], scenario: Scenario, places: Mapping[str, Path], rounds: int
) -> Result:
    """Return the row of a scenario: medians, ratios to the bare server, and their spread."""
    commands = {mode: _command(scenario, places, mode) for mode in scenario.modes}
    warm: dict[str, Any] = {}
    for mode in scenario.modes:
        try:
            warm[mode] = running[mode].ask({**commands[mode], "times": 3})
        except RuntimeError:
            if mode != "naive":
                raise  # the naive filter may not be able to answer: then it has no figure
    servers = {mode: running[mode] for mode in warm}
    _hold_against_each_other(scenario, warm)
    times = {
        mode: max(1, min(scenario.longest, int(TURN_NS / (min(found["ns"]) or 1))))
        for mode, found in warm.items()
    }
    turn_ns = sum(times[mode] * min(found["ns"]) for mode, found in warm.items())
    rounds = max(FEWEST_ROUNDS, min(rounds, int(SCENARIO_NS / turn_ns)))
    walls: dict[str, list[float]] = {mode: [] for mode in servers}
    cpus: dict[str, list[float]] = {mode: [] for mode in servers}
    order = list(servers)
    for number in range(rounds):
        shift = number % len(order)
        turn = order[shift:] + order[:shift]
        for mode in turn if number % 2 else reversed(turn):
            found = servers[mode].ask({**commands[mode], "times": times[mode]})
            walls[mode].append(statistics.median(found["ns"]) / 1000)
            cpus[mode].append(statistics.median(found["cpu"]) / 1000)
    return _row(scenario, walls, cpus)


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
    }


def _hold_against_each_other(scenario: Scenario, found: Mapping[str, Any]) -> None:
    """Stop where the rules change nothing in an answer that they should change, or the reverse."""
    bare = found["bare"]
    for mode, answer in found.items():
        if mode in ("bare", "naive") or scenario.bare_project:
            continue  # the naive filter leaves in some documents what it hides elsewhere
        if scenario.same_answer and answer["bytes"] != bare["bytes"]:
            raise RuntimeError(f"{scenario.name}: {mode} has another answer than the bare server")
        if scenario.restricted and scenario.request.differs and answer["hash"] == bare["hash"]:
            raise RuntimeError(f"{scenario.name}: the rules change nothing ({mode})")


def _row(
    scenario: Scenario, walls: Mapping[str, list[float]], cpus: Mapping[str, list[float]]
) -> Result:
    middle = {mode: statistics.median(values) for mode, values in walls.items()}
    judged = next(mode for mode in scenario.modes if mode != "bare")
    bare = middle["bare"]
    value = middle[judged] / bare
    bound = scenario.bound
    if not scenario.restricted and bare < 1000:
        bound = None  # the bound is for requests of 1 ms or more
    return {
        "name": scenario.name,
        "unit": "ratio",
        "bare": round(bare, 1),
        "plugin": round(middle[judged], 1),
        "value": round(value, 4),
        "spread": quartiles([a / b for a, b in zip(walls[judged], walls["bare"])]),
        "cpu": round(statistics.median(cpus[judged]) / statistics.median(cpus["bare"]), 4),
        "log": _other(middle, "log", judged),
        "naive": _other(middle, "naive", judged),
        "bound": bound,
        "met": None if bound is None else value <= bound,
        "rounds": len(walls["bare"]),
    }


def _other(middle: Mapping[str, float], mode: str, judged: str) -> Any:
    if mode not in middle or mode == judged:
        return None
    return round(middle[mode] / middle["bare"], 4)


def quartiles(values: list[float]) -> list[float]:
    """Return the range in which the middle half of some values lies."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return [round(ordered[quarter], 4), round(ordered[-1 - quarter], 4)]


def figure(name: str, unit: str, values: list[float], bound: Any, **more: Any) -> Result:
    """Return a row that is no ratio: the median of some values against a bound in their unit."""
    value = statistics.median(values)
    return {
        "name": name,
        "unit": unit,
        "value": round(value, 2),
        "spread": quartiles(values),
        "bound": bound,
        "met": None if bound is None else value <= bound,
        **more,
    }
