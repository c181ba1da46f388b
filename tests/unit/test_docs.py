"""The pages for people: links that lead somewhere, every variable told and none made up."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from access_filter_plugin.access_control.parser import KNOWN, RULE_PREFIX
from access_filter_plugin.feature_info.settings import VARIABLE as FEATURE_INFO
from access_filter_plugin.operator_settings import VARIABLES
from access_filter_plugin.operator_variables import PREFIX
from access_filter_plugin.request_log.settings import VARIABLE as REQUEST_LOG

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "demo" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
#: For other things than project variables, though they begin like some.
OTHER_WORDS = {"access_filter", "access_filter_plugin", "access_control"}
#: Placeholders of expressions, written with an ``@``.
PLACEHOLDERS = {"access_user", "access_roles", "access_is_anonymous"}

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]\[]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(.*?) *#* *$", re.MULTILINE)


def without_code(text: str) -> str:
    """Return a page without its code blocks, in which nothing is a link or a heading."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Return what a page links to, less other sites."""
    prose = without_code(text)
    found = [*_LINK.findall(prose), *_REFERENCE.findall(prose)]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    made = set()
    for heading in _HEADING.findall(without_code(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = found.get(slug, 0)
        found[slug] = number + 1
        made.add(slug if number == 0 else f"{slug}-{number}")
    return made


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        place = (page.parent / unquote(name)).resolve() if name else page
        is_there = place.exists() and place.is_relative_to(ROOT)
        if is_there and anchor:
            goal = text if place == page else place.read_text(encoding="utf-8")
            is_there = anchor in anchors(goal)
        if not is_there:
            found.append(target)
    return found


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "damage",
    [
        "[a](docs/nowhere.md)",
        "[a](docs/rules.md#nowhere)",
        "[a](#nowhere)",
        "![a](docs/images/nowhere.png)",
        "[a](../outside.md)",
        "[a]: docs/nowhere.md",
    ],
)
def test_a_broken_link_is_found(damage: str) -> None:
    page = ROOT / "README.md"
    assert len(broken(page, f"# Install\n\n{damage}\n\n[b](#install)\n")) == 1


def test_headings_of_one_text_have_anchors_of_their_own() -> None:
    text = "# `A b`: c, d\n## A b: c, d\n```\n# no heading\n```\n"
    assert anchors(text) == {"a-b-c-d", "a-b-c-d-1"}


def told() -> dict[Path, str]:
    return {page: page.read_text(encoding="utf-8") for page in PAGES}


def table_of(text: str, heading: str) -> list[str]:
    """Return what stands in the first column of the table below a heading."""
    below = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| ([^|]*) \|", below, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_operator_settings_is_complete_and_in_order() -> None:
    assert table_of(README, "Operator settings") == [PREFIX + name for name in VARIABLES]


def test_no_page_tells_of_an_operator_setting_that_is_not_there() -> None:
    known = {PREFIX + name for name in VARIABLES}
    for page, text in told().items():
        made_up = set(re.findall(rf"\b{PREFIX}\w*[A-Z]\b", text)) - known
        assert not made_up, page_id(page)


def test_the_table_of_project_variables_is_complete() -> None:
    own = [*KNOWN[:1], f"{RULE_PREFIX}NAME", *KNOWN[1:], FEATURE_INFO, REQUEST_LOG]
    assert table_of(README, "Project variables") == own


def test_no_page_tells_of_a_project_variable_that_is_not_there() -> None:
    known = {*KNOWN, *OTHER_WORDS, *PLACEHOLDERS}
    for page, text in told().items():
        names = set(re.findall(r"(?<![\w/.-])access_[a-z_]*[a-z]\b", text)) - known
        made_up = {name for name in names if not name.startswith(RULE_PREFIX)}
        assert not made_up, page_id(page)
