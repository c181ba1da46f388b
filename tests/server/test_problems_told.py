"""Every problem of a project is told at once, at Critical level, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qgis.core import Qgis, QgsApplication

from access_filter_plugin.problem_report import MAX_LINES
from tests.support.projects import policy_project
from tests.support.server import Server

Heard = list[tuple[str, int]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What the plugin writes into QGIS's log, with its level."""
    entries: Heard = []

    def hear(text: str, tag: str, level: Any) -> None:
        if tag == "access_filter":
            entries.append((text, int(level)))

    log = QgsApplication.messageLog()
    log.messageReceived.connect(hear)
    yield entries
    log.messageReceived.disconnect(hear)


def told(server: Server, project: Path, heard: Heard) -> list[str]:
    """Return the lines of the one Critical entry that a request makes QGIS log."""
    assert server.client(project).get(SERVICE="WMS", REQUEST="GetCapabilities").status == 503
    critical = int(Qgis.MessageLevel.Critical)
    entries = [text for text, level in heard if level == critical]
    assert len(entries) == 1
    return entries[0].split("\n")[1:]


def test_what_cannot_be_read_does_not_keep_the_rest_from_being_looked_up(
    server: Server, tmp_path: Path, heard: Heard
) -> None:
    rules = [
        {"layers": "*"},
        {"effect": "deny", "layers": "salary"},
        {"layer": "*"},
        {"layers": "parcels", "filter": '"name" ='},
    ]
    lines = told(server, policy_project(tmp_path, access_rules=rules, access_x="1"), heard)
    assert 'access_rules[2].layer: unknown key, did you mean "layers"?' in lines
    assert "access_x: unknown access variable" in [line[:33] for line in lines]
    message = (
        'access_rules[1].layers: "salary": the project has no such layer, did you mean "salaries"?'
    )
    assert message in lines
    expression = [
        line for line in lines if line.startswith("access_rules[3].filter: does not parse")
    ]
    assert len(expression) == 1
    assert expression[0].endswith('is "\\"name\\" ="')


def test_a_hostile_variable_is_one_entry_of_bounded_length(
    server: Server, tmp_path: Path, heard: Heard
) -> None:
    project = policy_project(tmp_path, access_rules=[{"layer": "*"}] * 20_000)
    lines = told(server, project, heard)
    assert (len(lines), lines[-1]) == (MAX_LINES + 1, f"and {40_000 - MAX_LINES} more")
