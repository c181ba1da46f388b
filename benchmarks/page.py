"""The figures as lines of Markdown tables, and between the marks of docs/performance.md."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .policies import POLICY, POLICY_OWN

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- begin figures -->", "<!-- end figures -->"
HEAD = (
    "| scenario | bare | plugin | ratio | range | floor | with log | naive | target | met |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
)
PLACES = {"of it": 2}
"""The digits of a unit behind the point, where that is not one."""
ONE_CREW = 0.1
"""How far two equal servers have been apart for their whole life, at most, in ratios to the bare one."""
TITLES = {
    "control": "The bare server against itself",
    "10": "10 layers",
    "100": "100 layers",
    "1000": "1 000 layers",
    "enriched": "GetFeatureInfo with labels, and a large answer",
    "figures": "Beside the requests",
    "postgis": "Rows of one's own on PostGIS",
    "fcgi": "Behind nginx",
    "megabyte": "A megabyte of rules",
}


def _time(microseconds: float) -> str:
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 100_000:
        return f"{microseconds / 1000:.2f} ms"
    return f"{microseconds / 1000:.0f} ms"


def _ratio(value: Any) -> str:
    return "" if value is None else f"{value:.3f}"


def _amount(value: float, unit: str) -> str:
    return f"{value:.{PLACES.get(unit, 1)}f} {unit}"


def _cells(result: dict[str, Any]) -> list[str]:
    unit, bound = result["unit"], result["bound"]
    spread = result["spread"]
    if unit == "ratio":
        cells = [_time(result["bare"]), _time(result["plugin"]), f"**{_ratio(result['value'])}**"]
        cells.append(f"{spread[0]:.3f}–{spread[1]:.3f}")
        cells += [_ratio(result.get(name)) for name in ("floor", "log", "naive")]
        return [*cells, "" if bound is None else f"≤ {bound:.2f}"]
    if unit == "throughput":
        cells = [f"{result[mode]:.0f}/s" for mode in ("bare", "plugin")]
        cells += [f"**{_ratio(result['value'])}**", f"{spread[0]:.2f}–{spread[1]:.2f}"]
        return [*cells, "", "", "", f"≥ {bound:g}"]
    cells = [f"{result[mode]:g} {unit}" if mode in result else "" for mode in ("bare", "plugin")]
    if unit == "request":
        return ["", result["text"], f"**no. {result['value']}**", "", "", "", "", ""]
    places = PLACES.get(unit, 1)
    shown = "" if spread is None else f"{spread[0]:.{places}f}–{spread[1]:.{places}f}"
    floor = _amount(result["floor"], unit) if "floor" in result else ""
    target = "" if bound is None else f"≤ {bound:g} {unit}"
    return [*cells, f"**{_amount(result['value'], unit)}**", shown, floor, "", "", target]


def is_narrow(result: dict[str, Any]) -> bool:
    """Return whether the target lies where the figure itself may lie in another run."""
    spread, bound = result["spread"], result["bound"]
    return spread is not None and bound is not None and bool(spread[0] <= bound <= spread[1])


def floor_misses(result: dict[str, Any]) -> bool:
    """Return whether filters that do nothing miss the target as well, and not narrowly.

    A target below 1 is for answers from a cache, which the floor has not. Where the servers were
    started only once, two equal ones may be some percent apart for their whole life.
    """
    spread, bound = result.get("floor_spread"), result["bound"]
    if spread is None or bound is None or bound < 1:
        return False
    apart = ONE_CREW if len(result.get("crews", [])) == 1 else 0
    return bool(spread[0] > bound + apart)


def line(result: dict[str, Any]) -> str:
    """Return a row of the table."""
    met = {None: "", True: "yes", False: "**no**"}[result["met"]]
    narrow = "~" if is_narrow(result) else ""
    return f"| {result['name']} | {' | '.join(_cells(result))} | {narrow}{met} |"


def _section(group: str, kept: dict[str, Any]) -> list[str]:
    told = (
        f"Measured {kept['time'][:16].replace('T', ' ')} UTC at commit {kept['machine']['commit']}"
    )
    lines = [f"### {TITLES[group]}", "", f"{told}, up to {kept['rounds']} rounds.", "", HEAD]
    return [*lines, *(line(result) for result in kept["results"]), ""]


def _policies() -> list[str]:
    lines = ["The rules in force, and those of the PostGIS variant:", "", "```json"]
    for policy in (POLICY, POLICY_OWN):
        rows = ",\n ".join(json.dumps(rule) for rule in policy)
        lines.append(f"[{rows}]")
    return [*lines, "```", ""]


def text_of(whole: dict[str, Any], order: Sequence[str]) -> str:
    """Return what stands between the marks."""
    groups = [group for group in order if group in whole]
    results = [r for group in groups for r in whole[group]["results"] if r["met"] is not None]
    missed = [r for r in results if not r["met"]]
    machine = whole[groups[-1]]["machine"]
    lines = [f"* {name}: {value}" for name, value in machine.items() if name != "commit"]
    lines += ["", *_summary(results, missed), *_control(whole)]
    if missed:
        lines += ["", "Not met (~: so narrowly that another run may say otherwise):", ""]
        lines += [f"* {r['name']}: {_told(r)}" for r in missed]
    lines += ["", *_policies()]
    for group in groups:
        lines += _section(group, whole[group])
    return "\n".join(lines)


def _summary(results: list[dict[str, Any]], missed: list[dict[str, Any]]) -> list[str]:
    narrow = sum(is_narrow(r) for r in results if r["met"])
    narrow_misses = sum(map(is_narrow, missed))
    floor = sum(map(floor_misses, missed))
    lines = [f"Of {len(results)} targets {len(results) - len(missed)} are met."]
    lines.append(
        f"Another run may say otherwise of {narrow} that are met and {narrow_misses} that are not."
    )
    if floor:
        lines.append(
            f"The floor misses {floor} of them itself: no plugin that answers QGIS's questions about"
            " access in Python could meet those here."
        )
    return lines


def _control(whole: dict[str, Any]) -> list[str]:
    apart = sorted(abs(r["value"] - 1) for r in whole.get("control", {}).get("results", []))
    if not apart:
        return []
    return [
        "",
        f"Two equal bare servers were {statistics.median(apart):.1%} apart in the middle of"
        f" {len(apart)} kinds of request, and {apart[-1]:.1%} at most.",
    ]


def _told(result: dict[str, Any]) -> str:
    cells = _cells(result)
    narrow = "~ " if is_narrow(result) else ""
    text = f"{narrow}{cells[2].strip('*')} ({cells[3]}) where {cells[-1]} is the target"
    if result.get("floor") is None or result["bound"] < 1:
        return text
    return f"{text}; the floor is {cells[4]}{', above the target itself' if floor_misses(result) else ''}"


def write(whole: dict[str, Any], order: Sequence[str]) -> None:
    """Put the tables between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has not both marks")
    PAGE.write_text(f"{before}{BEGIN}\n\n{text_of(whole, order)}\n{END}{after}", encoding="utf-8")
