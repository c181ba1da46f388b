"""The decision table on the real server: every policy and subject, read by three services."""

from __future__ import annotations

import pytest

from tests.server.policy_server import READERS, Observed, Seen
from tests.support.projects import TABLES
from tests.unit.policies import CASES, LAYERS, ROWS, SUBJECTS, Case, sees

#: What depends on the clock is shown on the pure core.
VALID = [case for case in CASES if not case.invalid and not case.number.startswith("27")]
INVALID = [case for case in CASES if case.invalid]


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


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_what_is_read_is_what_the_table_says(observed: Observed, case: Case, who: str) -> None:
    if case.lower_case and who == "bob":
        return  # the identity is folded when the operator's settings are read: tests/unit
    rows = observed.rows(case, who)
    for service, operation in READERS:
        for layer in ROWS:
            if service == "WMS" and layer == "owners":
                continue  # a table without geometry is not drawn
            expected = wanted(case, who, layer, service, operation)
            assert (rows[service, layer] or {}) == expected, (service, layer)


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_what_is_drawn_is_what_the_table_says(observed: Observed, case: Case, who: str) -> None:
    if case.lower_case and who == "bob":
        return  # as above
    drawn = observed.drawn(case, who)
    for layer in LAYERS:
        if layer == "owners":
            continue
        like = sees(case.of(who), layer, "WMS", "GetMap")
        is_drawn = bool(like.rows) or like.empty
        assert drawn[layer] is is_drawn, layer


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_an_invalid_policy_closes_the_project_to_everybody(observed: Observed, case: Case) -> None:
    for who in SUBJECTS:
        answer = observed.caller(case, who).get(SERVICE="WMS", REQUEST="GetCapabilities")
        assert (answer.status, answer.text.count("\n")) == (503, 0)
