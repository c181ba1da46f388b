"""A project that QGIS drops while it makes an answer: seen when it is rewritten under load (3.22).

What was set on the project for the request cannot be put back then, and need not be: the answer
stays the one it was, redacted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Answer, Client, Server

RULES = [
    {"layers": "parcels", "filter": "owner = @access_user", "attributes": ["*", "!owner_name"]},
    {"layers": "ortho"},
]
REQUESTS = (
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities"},
    {"SERVICE": "WMS", "REQUEST": "GetProjectSettings"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "VERSION": "1.1.0"},
)


def dropped(client: Client, monkeypatch: pytest.MonkeyPatch, request_: dict[str, str]) -> Answer:
    """Return the answer to a request whose project goes before the answer is complete."""
    target = client.server.plugin.wall.target
    complete = target.response_complete

    def drop(handler: Any) -> None:
        client.server.forget(client.project)
        complete(handler)

    client.server.forget(client.project)
    with monkeypatch.context() as patch:
        patch.setattr(target, "response_complete", drop)
        return client.get(**request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_an_answer_is_the_same_when_its_project_is_gone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: dict[str, str]
) -> None:
    client = server.client(policy_project(tmp_path, access_rules=RULES), "alice", "viewer")
    right = client.get(**request_)
    assert right.status == 200
    found = dropped(client, monkeypatch, request_)
    assert (found.status, found.body) == (200, right.body)
    assert b"salaries" not in found.body
    assert client.get(**request_).body == right.body


def test_an_answer_that_cannot_be_redacted_any_more_is_closed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redaction of WMTS reads the layers, which are gone: that one answer is refused."""
    request_ = {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"}
    client = server.client(policy_project(tmp_path, access_rules=RULES), "alice", "viewer")
    found = dropped(client, monkeypatch, request_)
    assert (found.status, b"parcels" in found.body) == (503, False)
    assert client.get(**request_).status == 200
