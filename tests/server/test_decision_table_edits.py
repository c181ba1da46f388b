"""The decision table for edits: who may insert, update and delete what, by WFS-T and by OAPIF."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Optional

import pytest

from tests.server.policy_server import client, make_project, operator_rules
from tests.support.server import Client, Server
from tests.support.wfs import by_id, delete, insert, transaction, update
from tests.unit.policies import CASES, ROWS, SUBJECTS, Case, Sees, sees

#: Cases in which somebody may edit, each with its own data; in all others nothing ever changes.
EDITED = ("14", "15", "16", "17a", "17b", "18")
VALID = [case for case in CASES if not case.invalid and not case.number.startswith("27")]
#: An attribute that no rule of the table asks about.
WRITTEN = {"parcels": "owner_name", "reports": "title"}


def stored(project: Path, layer: str) -> dict[int, Any]:
    data = project.parent / "data.gpkg"
    with closing(sqlite3.connect(f"file:{data}?mode=ro", uri=True)) as source:
        return dict(source.execute(f'SELECT fid, "{WRITTEN[layer]}" FROM "{layer}"'))


def by_wfs(caller: Client, layer: str, action: str, row: int, text: str) -> None:
    """Ask for one edit by a WFS transaction."""
    edits = {
        "insert": lambda: insert(layer, **{WRITTEN[layer]: text}),
        "update": lambda: update(layer, by_id(f"{layer}.{row}"), **{WRITTEN[layer]: text}),
        "delete": lambda: delete(layer, by_id(f"{layer}.{row}")),
    }
    transaction(caller, edits[action]())


def by_oapif(caller: Client, layer: str, action: str, row: int, text: str) -> None:
    """Ask for one edit by OGC API Features."""
    item = f"/collections/{layer}/items/{row}"
    if action == "insert":
        feature = {
            "type": "Feature",
            "properties": {WRITTEN[layer]: text},
            "geometry": {"type": "Point", "coordinates": [6, 6]},
        }
        caller.api(f"/collections/{layer}/items", "POST", feature)
    elif action == "update":
        caller.api(item, "PATCH", {"modify": {WRITTEN[layer]: text}})
    else:
        caller.api(item, "DELETE")


def may(like: Sees, layer: str, action: str, row: int) -> bool:
    if action == "insert":
        return like.insert
    rows = like.update if action == "update" else like.delete
    return rows == "all" or str(row) in rows.split()


def happened(before: dict[int, Any], after: dict[int, Any], action: str, row: int) -> bool:
    if action == "insert":
        return len(after) > len(before)
    if action == "delete":
        return row in before and row not in after
    return before.get(row) != after.get(row)


def check(server: Server, project: Path, case: Case, who: str) -> None:
    """Try every edit, deleting last: what happened must be what the table says."""
    login = case.users.get(who, "")
    caller = client(server, project, who, login, REMOTE_ADDR=case.address)
    for service, edit, operation in (
        ("WFS", by_wfs, "Transaction"),
        ("OAPIF", by_oapif, "Update"),
    ):
        for layer in WRITTEN:
            like = sees(case.of(who), layer, service, operation)
            half = list(ROWS[layer])[:: 1 if service == "OAPIF" else -1]
            for action in ("insert", "update", "delete"):
                # Each service deletes one row, from its own end, so that there is one left.
                for row in half if action == "update" else half[:1]:
                    before = stored(project, layer)
                    if row not in before:
                        continue
                    edit(caller, layer, action, row, f"{who} by {service}")
                    done = happened(before, stored(project, layer), action, row)
                    assert done is may(like, layer, action, row), (service, layer, action, row)


def operator_file(folder: Path, rules: Any) -> Optional[Path]:
    if rules is None:
        return None
    path = folder / "operator.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    return path


@pytest.mark.parametrize("number", EDITED)
@pytest.mark.parametrize("who", SUBJECTS)
def test_what_is_edited_is_what_the_table_says(
    server: Server, tmp_path: Path, number: str, who: str
) -> None:
    case = next(case for case in CASES if case.number == number)
    check(server, make_project(tmp_path, case.variables), case, who)


@pytest.mark.parametrize("case", [c for c in VALID if c.number not in EDITED], ids=str)
def test_where_no_rule_opens_edits_nothing_changes(
    server: Server, tmp_path: Path, case: Case
) -> None:
    project = make_project(tmp_path, case.variables)
    with operator_rules(server, operator_file(tmp_path, case.operator), lower=case.lower_case):
        for who in ("anon", "alice"):
            check(server, project, case, who)
