"""Counts and extents of visible rows: shared by equal filters, and found again in time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from access_filter_plugin.access_control import qgis_oapif, qgis_visible_rows
from access_filter_plugin.access_control.qgis_visible_rows import Figure, VisibleRows
from access_filter_plugin.access_control.redaction import oapif_items
from tests.support.projects import policy_project
from tests.support.server import Client, Server

RULES = [
    {"layers": "parcels", "roles": "editor", "actions": ["read", "insert"], "attributes": "*"},
    {"layers": "parcels", "roles": "viewer", "filter": "public = 1"},
    {"layers": "parcels", "roles": "owner", "filter": "owner = @access_user"},
]
ITEMS = "/collections/parcels/items"


class Clock:
    """A clock that a test moves, and that looking for something moves by what that takes."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(qgis_visible_rows, "time", found)
    return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[Optional[str]]:
    """Return the filters that rows were counted by."""
    filters: list[Optional[str]] = []

    def noted(layer: Any, rows: Optional[str]) -> int:
        filters.append(rows)
        return int(qgis_visible_rows._count(layer, rows))

    monkeypatch.setattr(qgis_visible_rows, "COUNT", Figure("count", noted, 5.0, 0.05))
    return filters


def matched(client: Client) -> int:
    return int(client.api(ITEMS, limit=1).json["numberMatched"])


def test_callers_with_the_same_filter_share_a_count(
    server: Server, tmp_path: Path, counted: list[Optional[str]]
) -> None:
    project = policy_project(tmp_path, access_rules=RULES)
    found = [matched(server.client(project, name, "viewer")) for name in ("alice", "bob", "eve")]
    assert found == [2, 2, 2]
    assert len(counted) == 1


def test_callers_with_another_filter_have_their_own_count(
    server: Server, tmp_path: Path, counted: list[Optional[str]]
) -> None:
    project = policy_project(tmp_path, access_rules=RULES)
    callers = [("alice", "viewer"), ("alice", "owner"), ("nobody", "owner")]
    found = [matched(server.client(project, *caller)) for caller in callers]
    with server.unguarded():
        everything = matched(server.client(project))
    assert found[0] == 2
    assert 0 < found[1] < everything
    assert found[2] == 0
    assert len(counted) == 3


def test_rows_are_counted_again_when_the_time_is_over(
    server: Server, tmp_path: Path, counted: list[Optional[str]], clock: Clock
) -> None:
    client = server.client(policy_project(tmp_path, access_rules=RULES), "alice", "viewer")
    for moved in (0.0, 4.9, 0.2):
        clock.now += moved
        assert matched(client) == 2
    assert len(counted) == 2


def test_rows_are_counted_again_after_an_edit(
    server: Server, tmp_path: Path, counted: list[Optional[str]]
) -> None:
    project = policy_project(tmp_path, access_rules=RULES)
    viewer, editor = (server.client(project, role, role) for role in ("viewer", "editor"))
    assert matched(viewer) == 2
    point = {"type": "Point", "coordinates": [1, 1]}
    row = {"type": "Feature", "geometry": point, "properties": {"name": "new", "public": 1}}
    assert editor.api(ITEMS, "POST", row).status == 201
    assert matched(viewer) == 3
    assert len(counted) == 2


def test_what_takes_long_is_kept_longer(clock: Clock) -> None:
    calls = []

    def slow(_layer: Any, _rows: Optional[str]) -> int:
        calls.append(clock.now)
        clock.now += 10.0
        return len(calls)

    layer = SimpleNamespace(id=lambda: "a_layer_of_the_test")
    figure, rows = Figure("count", slow, seconds=5.0, share=0.05), VisibleRows()
    assert rows.find(figure, layer, None) == 1
    clock.now += 199.0
    assert rows.find(figure, layer, None) == 1
    clock.now += 1.0
    assert rows.find(figure, layer, None) == 2


def test_what_is_kept_is_bounded(clock: Clock) -> None:
    layer = SimpleNamespace(id=lambda: "a_layer_of_the_test")
    figure, rows = Figure("count", lambda _layer, text: text, 5.0, 0.05), VisibleRows(limit=10)
    for number in range(30):
        assert rows.find(figure, layer, f"x = {number}") == f"x = {number}"
    assert len(rows._known) == 10


def test_a_page_of_a_restricted_caller_is_not_written_anew(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QGIS writes pages in the form that can be redacted without it (3.22 to 3.44)."""
    rules = [{"layers": "parcels", "filter": "public = 1", "attributes": ["fid", "name", "zone"]}]
    client = server.client(policy_project(tmp_path, access_rules=rules))
    monkeypatch.setattr(oapif_items, "redact_features", lambda *_: 1 / 0)
    assert matched(client) == 2


def test_an_offset_is_judged_again_by_the_rows_there_are_now(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = server.client(policy_project(tmp_path, access_rules=RULES), "eve", "viewer")
    assert viewer.api(ITEMS, offset=1).status == 200
    monkeypatch.setattr(qgis_oapif, "visible_count", lambda *_: 0)
    assert viewer.api(ITEMS, offset=1).status == 400


def test_an_equal_request_for_items_is_judged_once(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = server.client(policy_project(tmp_path, access_rules=RULES), "eve", "viewer")
    assert viewer.api(ITEMS, limit=1).status == 200
    monkeypatch.setattr(qgis_oapif, "check_query", lambda *_: 1 / 0)
    assert viewer.api(ITEMS, limit=1).status == 200
    assert viewer.api(ITEMS, limit=2).status >= 400
