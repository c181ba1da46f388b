"""The decision table on the real server: every policy and subject, read by three services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.policy_server import (
    Seen,
    by_oapif,
    by_wfs,
    by_wms,
    client,
    draws,
    make_project,
    operator_rules,
)
from tests.support.projects import TABLES
from tests.support.server import Client, Server
from tests.unit.policies import CASES, LAYERS, ROWS, SUBJECTS, Case, sees

#: What depends on the clock is shown on the pure core.
VALID = [case for case in CASES if not case.invalid and not case.number.startswith("27")]
INVALID = [case for case in CASES if case.invalid]
READERS = {
    "WFS": ("GetFeature", by_wfs),
    "OAPIF": ("Items", by_oapif),
    "WMS": ("GetFeatureInfo", by_wms),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policies")


@pytest.fixture(scope="module")
def projects(folder: Path) -> dict[str, Path]:
    return {case.number: make_project(folder / case.number, case.variables) for case in CASES}


def caller_of(server: Server, project: Path, case: Case, who: str) -> Client:
    login = case.users.get(who, "")
    return client(server, project, who, login, REMOTE_ADDR=case.address)


def wanted(case: Case, who: str, layer: str, service: str, operation: str) -> Seen:
    """Return the rows and attributes that the table promises."""
    like = sees(case.of(who), layer, service, operation)
    rows = list(ROWS[layer]) if like.rows == "all" else [int(row) for row in like.rows.split()]
    shown = frozenset(("fid", *ROWS[layer][1])) - frozenset(like.hidden.split())
    return dict.fromkeys(rows, shown)


def test_the_rows_of_the_table_are_those_of_the_project() -> None:
    for name, (_kind, fields, rows) in TABLES.items():
        written = {fid: dict(zip(fields, values)) for fid, _x, _y, values in rows}
        assert ROWS[name] == written


def operator_file(folder: Path, rules: Any) -> Any:
    if rules is None:
        return None
    path = folder / "operator.json"
    path.write_text(json.dumps(rules))
    return path


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_what_is_read_is_what_the_table_says(
    server: Server, folder: Path, projects: dict[str, Path], case: Case, who: str
) -> None:
    if case.lower_case and who == "bob":
        return  # the identity is folded when the operator's settings are read: tests/unit
    caller = caller_of(server, projects[case.number], case, who)
    with operator_rules(server, operator_file(folder, case.operator), lower=case.lower_case):
        for service, (operation, read) in READERS.items():
            for layer in ROWS:
                if service == "WMS" and layer == "owners":
                    continue  # a table without geometry is not drawn
                expected = wanted(case, who, layer, service, operation)
                assert (read(caller, layer) or {}) == expected, (service, layer)


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_what_is_drawn_is_what_the_table_says(
    server: Server, folder: Path, projects: dict[str, Path], case: Case, who: str
) -> None:
    if case.lower_case and who == "bob":
        return  # as above
    caller = caller_of(server, projects[case.number], case, who)
    with operator_rules(server, operator_file(folder, case.operator), lower=case.lower_case):
        for layer in LAYERS:
            if layer == "owners":
                continue
            like = sees(case.of(who), layer, "WMS", "GetMap")
            is_drawn = bool(like.rows) or like.empty
            assert draws(caller, layer) is is_drawn, layer


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_an_invalid_policy_closes_the_project_to_everybody(
    server: Server, projects: dict[str, Path], case: Case
) -> None:
    for who in SUBJECTS:
        answer = caller_of(server, projects[case.number], case, who).get(
            SERVICE="WMS", REQUEST="GetCapabilities"
        )
        assert (answer.status, answer.text.count("\n")) == (503, 0)
