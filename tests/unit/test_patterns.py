"""Names with wildcards and exclusions, matched in linear time."""

from __future__ import annotations

import time

import pytest

from access_filter_plugin.access_control.patterns import NameList, matches


@pytest.mark.parametrize(
    ("pattern", "name", "result"),
    [
        ("parcels", "parcels", True),
        ("parcels", "Parcels", False),
        ("*", "", True),
        ("?", "", False),
        ("?", "ä", True),
        ("a*c", "abbc", True),
        ("a*c", "abbcd", False),
        ("*a*b", "xaxbxab", True),
        ("a?c", "abc", True),
        ("a**", "a", True),
        ("[ab]", "a", False),
        (".*", "ab", False),
        ("a*", "a\nb", True),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_a_pattern_matches_whole_names(pattern: str, name: str, *, result: bool) -> None:
    assert matches(pattern, name) is result


def test_a_wildcard_bomb_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    assert not matches("*a" * 500 + "b", "a" * 2000)
    assert time.process_time() - began < 4


def test_only_exclusions_start_from_all() -> None:
    names = NameList.parse(["!secret_*"])
    assert "open" in names
    assert "secret_x" not in names


def test_taking_away_wins_whatever_the_order() -> None:
    for entries in (["!b", "*"], ["*", "!b"], ["b", "!b"]):
        assert "b" not in NameList.parse(entries)


def test_an_empty_list_matches_nothing() -> None:
    assert NameList.parse([]).select(["a", ""]) == frozenset()


def test_everything_is_a_star_and_nothing_taken_away() -> None:
    assert NameList.parse(["*", "a"]).is_everything
    assert not NameList.parse(["*", "!a"]).is_everything


def test_what_is_not_text_is_in_no_list() -> None:
    assert 3 not in NameList.parse(["*"])


def test_folding_ignores_case_on_both_sides() -> None:
    names = NameList.parse(["GetMap", "!WFS"], fold_case=True)
    assert "GETMAP" in names
    assert names.excludes("wfs")


def test_exact_entries_are_those_without_wildcards() -> None:
    names = NameList.parse(["a", "b*", "!c", "!d?"])
    assert (names.exact_names(), names.exact_removals()) == (("a",), ("c",))
