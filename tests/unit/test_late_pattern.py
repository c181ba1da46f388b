"""Patterns that are compiled by their first use."""

from __future__ import annotations

import re

import pytest

from access_filter_plugin.late_pattern import late_pattern


def test_a_pattern_is_compiled_by_its_first_use() -> None:
    pattern = late_pattern("(")
    assert pattern.pattern == "("
    with pytest.raises(re.error):
        pattern.match("x")


@pytest.mark.parametrize("uses", [1, 3])
def test_every_method_gives_what_the_compiled_pattern_gives(uses: int) -> None:
    late, compiled = late_pattern("(B+)", re.IGNORECASE), re.compile("(B+)", re.IGNORECASE)
    text = "abbcB"
    for _ in range(uses):
        assert late.search(text).group() == compiled.search(text).group() == "bb"  # type: ignore[union-attr]
        assert (late.match(text), late.fullmatch("b").span()) == (None, (0, 1))  # type: ignore[union-attr]
        assert late.findall(text) == compiled.findall(text)
        assert [m.span() for m in late.finditer(text)] == [
            m.span() for m in compiled.finditer(text)
        ]
        assert late.split(text) == compiled.split(text)
        assert late.sub("-", text, count=1) == compiled.sub("-", text, count=1)
        assert late.subn("-", text) == compiled.subn("-", text)
        assert (late.groups, late.flags) == (compiled.groups, compiled.flags)


def test_bytes_are_searched_by_a_pattern_of_bytes() -> None:
    found = late_pattern(rb"[0-9]+").search(b"a12")
    assert found is not None
    assert found.group() == b"12"
