"""The edit rows of policies.md that the other edit tests do not name, by WFS and OGC API alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from tests.server.test_edits_wfs import stored
from tests.support.projects import policy_project
from tests.support.server import Client, Server
from tests.support.wfs import by_id, transaction, update

Send = Callable[..., None]


def by_wfs(client: Client, fid: int, layer: str = "parcels", **values: Any) -> None:
    transaction(client, update(layer, by_id(f"{layer}.{fid}"), **values))


def by_oapif(client: Client, fid: int, layer: str = "parcels", **values: Any) -> None:
    body = {"type": "Feature", "properties": values}
    client.api(f"/collections/{layer}/items/{fid}", "PUT", body)


BOTH = pytest.mark.parametrize("send", [by_wfs, by_oapif])
READ = {"layers": "*"}


@BOTH
def test_17_one_rule_without_filter_opens_what_another_makes_readonly(
    server: Server, tmp_path: Path, send: Send
) -> None:
    rules = [
        READ,
        {"layers": "parcels", "actions": "update", "readonly": "zone", "filter": "zone = 1"},
        {"layers": "parcels", "actions": "update"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    send(client, 1, zone=7)
    assert stored(client.project)[1]["zone"] == 7


@BOTH
def test_17_two_rules_with_filters_keep_it_readonly(
    server: Server, tmp_path: Path, send: Send
) -> None:
    rules = [
        READ,
        {"layers": "parcels", "actions": "update", "readonly": "zone", "filter": "zone = 1"},
        {"layers": "parcels", "actions": "update", "filter": "zone > 0"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    send(client, 1, zone=7)
    assert stored(client.project)[1]["zone"] == 1
    send(client, 1, name="uno")
    assert stored(client.project)[1]["name"] == "uno"


def test_22_a_service_that_is_closed_closes_only_itself(server: Server, tmp_path: Path) -> None:
    rules = [
        {"layers": "*", "actions": ["read", "update"]},
        {"effect": "deny", "services": "WFS", "layers": "parcels"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    by_wfs(client, 1, name="uno")
    assert stored(client.project)[1]["name"] == "one"
    by_oapif(client, 1, name="uno")
    assert stored(client.project)[1]["name"] == "uno"


@BOTH
def test_26_a_filter_opens_nothing_where_its_attribute_is_missing(
    server: Server, tmp_path: Path, send: Send
) -> None:
    rules = [{"layers": "*", "actions": ["read", "update"], "filter": "owner = @access_user"}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules), "alice")
    send(client, 1, name="uno")
    send(client, 2, name="dos")
    send(client, 1, layer="reports", title="x")
    rows = stored(client.project)
    assert (rows[1]["name"], rows[2]["name"]) == ("uno", "two")
    assert stored(client.project, "reports")[1]["title"] == "first"


@BOTH
def test_a_check_without_filter_binds_the_new_row_only(
    server: Server, tmp_path: Path, send: Send
) -> None:
    rules = [READ, {"layers": "parcels", "actions": "update", "check": "owner = @access_user"}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules), "bob")
    send(client, 1, owner="bob", name="mine now")
    send(client, 4, name="not mine")
    rows = stored(client.project)
    assert (rows[1]["name"], rows[4]["name"]) == ("mine now", "four")


@BOTH
def test_a_denied_row_is_neither_left_nor_entered(
    server: Server, tmp_path: Path, send: Send
) -> None:
    rules = [
        {"layers": "*", "actions": ["read", "update"]},
        {"effect": "deny", "actions": "update", "layers": "parcels", "filter": "status = 'draft'"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    before = stored(client.project)
    send(client, 1, name="x")
    send(client, 2, status="draft")
    send(client, 3, name="a NULL status is covered too")
    assert stored(client.project) == before
    send(client, 2, name="dos")
    assert stored(client.project)[2]["name"] == "dos"
