"""Refused edits leave everything as it is and tell nothing; permitted ones are done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.noninterference.compare import canaries, difference
from tests.noninterference.requests_edit import PERMITTED, REFUSED, Edit
from tests.noninterference.runner import VARIANTS, Pair
from tests.noninterference.tables import EDITS
from tests.noninterference.world_data import rows_of
from tests.support.server import Answer

WRITING = [edit for edit in REFUSED if edit.writes_unguarded and "1.0.0" not in edit.request.name]


@pytest.fixture(scope="module")
def written(pair: Pair) -> Iterator[Pair]:
    """Return variants that edits are written to, for all tests: to load them takes a second."""
    spoiled = pair.fresh()
    yield spoiled
    spoiled.drop()


@pytest.fixture
def copy(written: Pair, pair: Pair) -> Pair:
    """Return the variants to be written to, with the data as it was in the beginning."""
    written.restore(pair)
    assert stored(written) == stored(pair)
    return written


@pytest.fixture(scope="module")
def untouched(pair: Pair) -> Iterator[Pair]:
    """Return variants that only refused edits are sent to."""
    kept = pair.fresh()
    yield kept
    kept.drop()


def stored(pair: Pair) -> dict[str, Any]:
    return {variant: rows_of(pair.project(variant).parent) for variant in VARIANTS}


def seen(pair: Pair, variant: str) -> dict[str, Any]:
    """Return what the restricted caller may see of the data."""
    rows = rows_of(pair.project(variant).parent)
    return {
        "edit": [(*row[:3], row[-1]) for row in rows["edit"] if row[2] == 1],
        "pub": rows["pub"],
    }


def is_done(answer: Answer) -> bool:
    return answer.status in (200, 201) and b"Exception" not in answer.body


def named(edits: list[Edit]) -> list[object]:
    return [pytest.param(edit, id=edit.request.name) for edit in edits]


@pytest.mark.parametrize("caller", ["anonymous", "bob"])
@pytest.mark.parametrize("edit", named(REFUSED))
def test_a_refused_edit_changes_and_tells_nothing(untouched: Pair, edit: Edit, caller: str) -> None:
    before = stored(untouched)
    first, second = untouched.both(edit.request, caller)
    assert difference(first, second) is None
    assert not canaries(edit.request, first) | canaries(edit.request, second)
    assert stored(untouched) == before


@pytest.mark.parametrize("edit", named(WRITING))
def test_without_the_plugin_it_would_be_done_or_told(copy: Pair, edit: Edit) -> None:
    before = stored(copy)
    with copy.server.unguarded():
        first = copy.ask(edit.request, "A")
        if stored(copy) == before:
            assert difference(first, copy.ask(edit.request, "B")) is not None


@pytest.mark.parametrize("edit", named(PERMITTED))
def test_a_permitted_edit_is_done_and_tells_nothing(copy: Pair, edit: Edit) -> None:
    before = stored(copy)
    first, second = copy.both(edit.request)
    assert is_done(first), first.text
    assert difference(first, second) is None
    assert not canaries(edit.request, first) | canaries(edit.request, second)
    after = stored(copy)
    for variant in VARIANTS:
        assert after[variant]["edit"] != before[variant]["edit"]
        hidden = [row for row in before[variant]["edit"] if row[2] == 0]
        assert [row for row in after[variant]["edit"] if row[2] == 0] == hidden
        assert {n: r for n, r in after[variant].items() if n != "edit"} == {
            n: r for n, r in before[variant].items() if n != "edit"
        }
    assert seen(copy, "A") == seen(copy, "B")


def test_both_kinds_of_edits_are_in_the_table() -> None:
    assert {edit.permitted for edit in EDITS} == {True, False}
