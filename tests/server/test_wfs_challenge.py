"""With ``access_catalog: challenge`` what is closed says so, and asks anonymous callers to log in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Answer, Client, Server
from tests.support.wfs import insert, transaction

PARCELS_FOR_ALL = [
    {"layers": "parcels"},
    {"layers": "*", "roles": "staff", "actions": ["read", "insert"]},
]
NOTHING_FOR_ALL = [{"layers": "*", "roles": "staff"}]


def closed_requests(client: Client) -> list[Answer]:
    wfs: list[dict[str, Any]] = [
        {"REQUEST": "GetFeature", "TYPENAME": "salaries"},
        {"REQUEST": "GetFeature", "FEATUREID": "salaries.1"},
        {"REQUEST": "GetFeature", "TYPENAME": "parcels,salaries"},
        {"REQUEST": "DescribeFeatureType", "TYPENAME": "salaries"},
    ]
    answers = [client.get(SERVICE="WFS", **parameters) for parameters in wfs]
    answers.append(transaction(client, insert("salaries", person="x")))
    answers += [client.api(f"/collections/salaries{rest}") for rest in ("", "/items", "/items/1")]
    answers.append(
        client.get(SERVICE="WCS", VERSION="1.0.0", REQUEST="DescribeCoverage", COVERAGE="ortho")
    )
    return answers


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "p", access_rules=PARCELS_FOR_ALL, access_catalog="challenge")


def test_an_anonymous_caller_is_asked_to_log_in(server: Server, project: Path) -> None:
    answers = closed_requests(server.client(project))
    assert [answer.status for answer in answers] == [401] * len(answers)
    assert all("WWW-Authenticate" in answer.headers for answer in answers)


def test_another_caller_is_told_that_it_is_not_allowed(server: Server, project: Path) -> None:
    answers = closed_requests(server.client(project, "bob", "viewer"))
    assert [answer.status for answer in answers] == [403] * len(answers)


def test_what_does_not_exist_is_unknown_to_everybody(server: Server, project: Path) -> None:
    anon = server.client(project)
    assert anon.get(SERVICE="WFS", REQUEST="GetFeature", TYPENAME="nothing").status == 400
    assert anon.api("/collections/nothing").status == 404


def test_listings_show_what_is_open(server: Server, project: Path) -> None:
    anon = server.client(project)
    assert anon.get(SERVICE="WFS", REQUEST="GetCapabilities").status == 200
    assert anon.api("/collections").status == 200


def test_listings_of_nothing_ask_to_log_in(server: Server, tmp_path: Path) -> None:
    project = policy_project(
        tmp_path / "p", access_rules=NOTHING_FOR_ALL, access_catalog="challenge"
    )
    anon, bob = server.client(project), server.client(project, "bob", "viewer")
    for service in ("WFS", "WCS"):
        assert anon.get(SERVICE=service, REQUEST="GetCapabilities").status == 401
        assert bob.get(SERVICE=service, REQUEST="GetCapabilities").status == 200
    for path in ("/collections", "/api"):
        assert anon.api(path).status == 401
        assert bob.api(path).status == 200


def test_a_caller_who_sees_nothing_gets_valid_empty_listings(
    server: Server, tmp_path: Path
) -> None:
    anon = server.client(policy_project(tmp_path / "p", access_rules=NOTHING_FOR_ALL))
    capabilities = anon.get(SERVICE="WFS", REQUEST="GetCapabilities")
    assert capabilities.status == 200
    assert "<FeatureType>" not in capabilities.text
    assert anon.api("/collections").json["collections"] == []
