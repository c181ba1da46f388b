"""What a restricted caller reads does not depend on what is hidden, and is not nothing."""

from __future__ import annotations

import re

import pytest

from tests.noninterference.compare import canaries, difference, has_content
from tests.noninterference.runner import Pair
from tests.noninterference.table import Request
from tests.noninterference.tables import READING, leaking
from tests.support.server import Answer

UNKNOWN = {
    "forb": "nope",
    "secret": "nosuch",
    "derived": "nothere",
    "j_label": "j_nolbl",
    "hiddenstyle": "unknownstil",
    "unlocked": "unlockud",
    "unsecret": "unnosuch",
    "unrows": "unrovs",
    "untable": "untabel",
    "labels": "nolabs",
    "closed": "nogrps",
}
"""Names of hidden things → names of nothing."""
BY_TITLE = ("secret", "properties")
"""OAPIF parameters that take titles: there ``secret`` is also the visible title of another column."""


def named(requests: list[Request]) -> list[object]:
    """Return the requests as parameters of a test."""
    return [pytest.param(request, id=request.name) for request in requests]


def unknown_instead(request: Request) -> Request:
    """Return the request with names of nothing in the place of hidden names."""
    return request.renamed(UNKNOWN)


def hidden_again(body: bytes) -> bytes:
    """Return an answer with the hidden names in the place of the names of nothing."""
    for hidden, unknown in UNKNOWN.items():
        body = body.replace(unknown.encode(), hidden.encode())
    return body


HIDDEN = [
    request
    for request in READING
    if any(re.search(name, request.is_named) for name in UNKNOWN)
    and not any(name in BY_TITLE for name, _value in request.query)
]


@pytest.mark.parametrize("caller", ["anonymous", "bob"])
@pytest.mark.parametrize("request_", named(READING))
def test_the_answer_does_not_depend_on_what_is_hidden(
    pair: Pair, request_: Request, caller: str
) -> None:
    first, second = pair.both_asked(request_, caller)
    assert difference(first, second) is None
    assert not canaries(request_, first) | canaries(request_, second)


@pytest.mark.parametrize("request_", named(HIDDEN))
def test_hidden_and_unknown_are_answered_alike(pair: Pair, request_: Request) -> None:
    hidden = pair.asked(request_, "A")
    other = pair.asked(unknown_instead(request_), "A")
    unknown = Answer(other.status, other.headers, hidden_again(other.body))
    assert difference(hidden, unknown) is None


@pytest.mark.parametrize("request_", named([r for r in READING if r.works is not None]))
def test_what_is_permitted_works(pair: Pair, request_: Request) -> None:
    answer = pair.asked(request_, "A")
    assert has_content(answer, request_.works or ""), (answer.status, answer.body[:500])


@pytest.mark.parametrize("request_", named(leaking(READING)))
def test_without_the_plugin_the_difference_shows(pair: Pair, request_: Request) -> None:
    with pair.server.unguarded():
        first, second = pair.both_asked(request_)
    assert difference(first, second) is not None
