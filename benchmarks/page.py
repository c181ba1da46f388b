"""The figures as lines of Markdown tables, and between the marks of docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .policies import POLICY, POLICY_OWN

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- begin figures -->", "<!-- end figures -->"
HEAD = (
    "| scenario | bare | plugin | ratio | quartiles | processor | with log | naive | target | met |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
)
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


def _cells(result: dict[str, Any]) -> list[str]:
    unit, bound = result["unit"], result["bound"]
    spread = result["spread"]
    if unit == "ratio":
        cells = [_time(result["bare"]), _time(result["plugin"]), f"**{_ratio(result['value'])}**"]
        cells.append(f"{spread[0]:.3f}–{spread[1]:.3f}")
        cells += [_ratio(result[name]) for name in ("cpu", "log", "naive")]
        return [*cells, "" if bound is None else f"≤ {bound:.2f}"]
    if unit == "throughput":
        cells = [f"{result[mode]:.0f}/s" for mode in ("bare", "plugin")]
        cells += [f"**{_ratio(result['value'])}**", f"{spread[0]:.2f}–{spread[1]:.2f}"]
        return [*cells, _ratio(result["cpu"]), "", "", f"≥ {bound:g}"]
    cells = [f"{result[mode]:g} {unit}" if mode in result else "" for mode in ("bare", "plugin")]
    if unit == "request":
        return ["", result["text"], f"**no. {result['value']}**", "", "", "", "", ""]
    shown = "" if spread is None else f"{spread[0]:.1f}–{spread[1]:.1f}"
    target = "" if bound is None else f"≤ {bound:g} {unit}"
    return [*cells, f"**{result['value']:.1f} {unit}**", shown, "", "", "", target]


def line(result: dict[str, Any]) -> str:
    """Return a row of the table."""
    met = {None: "", True: "yes", False: "**no**"}[result["met"]]
    return f"| {result['name']} | {' | '.join(_cells(result))} | {met} |"


def _section(group: str, kept: dict[str, Any]) -> list[str]:
    told = (
        f"Measured {kept['time'][:16].replace('T', ' ')} UTC at commit {kept['machine']['commit']}"
    )
    lines = [f"### {TITLES[group]}", "", f"{told}, {kept['rounds']} rounds.", "", HEAD]
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
    lines += ["", f"Of {len(results)} targets {len(results) - len(missed)} are met."]
    apart = max(
        (abs(r["value"] - 1) for r in whole.get("control", {}).get("results", [])), default=0
    )
    if apart:
        lines += [
            "",
            f"In this run two equal bare servers were up to {apart:.0%} apart: whether a target nearer to 1",
            "than that is met cannot be told by it, neither way.",
        ]
    if missed:
        lines += ["", "Not met:", ""]
        lines += [f"* {r['name']}: {_told(r)}" for r in missed]
    lines += ["", *_policies()]
    for group in groups:
        lines += _section(group, whole[group])
    return "\n".join(lines)


def _told(result: dict[str, Any]) -> str:
    cells = _cells(result)
    return f"{cells[2].strip('*')} (quartiles {cells[3]}) where {cells[-1]} is the target"


def write(whole: dict[str, Any], order: Sequence[str]) -> None:
    """Put the tables between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has not both marks")
    PAGE.write_text(f"{before}{BEGIN}\n\n{text_of(whole, order)}\n{END}{after}", encoding="utf-8")
