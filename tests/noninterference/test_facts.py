"""The tables cover every fact of part A, and are as large as they claim."""

from __future__ import annotations

import pytest

from tests.noninterference.tables import (
    EDITS,
    FACTS,
    NOT_SEEN,
    POISON,
    READING,
    applies,
    leaking,
)

EDITING = [edit.request for edit in EDITS]
ELSEWHERE = {"X7": "test_another_server_is_asked_only_without_the_plugin",
             "X8": "test_without_the_plugin_a_style_stays_behind"}  # fmt: skip
"""Facts whose difference is no difference of answers, and the tests that show them."""


def test_there_are_enough_requests_of_different_names() -> None:
    names = [request.name for request in (*READING, *EDITING, *POISON)]
    assert len(names) >= 600
    assert len(set(names)) == len(names)


def test_enough_of_them_must_work_for_the_restricted_caller() -> None:
    working = [request for request in READING if request.works is not None]
    assert len(working) + sum(edit.permitted for edit in EDITS) >= 80
    services = {request.name.split()[0] for request in working}
    assert services >= {"WMS", "WFS", "WCS", "WMTS", "OAPIF"}


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_is_shown_by_a_request_or_has_a_reason(fact: str) -> None:
    shown = any(fact in request.facts for request in leaking([*READING, *EDITING]))
    interval, reason = NOT_SEEN.get(fact, ((0, 0), ""))
    excused = applies(interval)
    assert shown or excused or fact in ELSEWHERE
    assert bool(reason) == (fact in NOT_SEEN)


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_has_a_neighbour_that_must_work(fact: str) -> None:
    working = [*READING, *(edit.request for edit in EDITS if edit.permitted)]
    assert any(fact in request.near for request in working)
