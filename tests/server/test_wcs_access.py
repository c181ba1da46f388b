"""WCS: closed coverages answer like unknown ones, open ones work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Client, Server

RULES = [{"layers": ["ortho", "parcels"], "roles": "viewer"}, {"layers": "parcels"}]
COVERAGE = {
    "REQUEST": "GetCoverage", "VERSION": "1.0.0", "CRS": "EPSG:4326", "FORMAT": "GTiff",
    "BBOX": "0,0,10,10", "WIDTH": 10, "HEIGHT": 10,
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy_project(tmp_path_factory.mktemp("wcs"), access_rules=RULES)


def ask(client: Client, **parameters: Any) -> Any:
    return client.get(SERVICE="WCS", **parameters)


def test_an_open_coverage_works(server: Server, project: Path) -> None:
    bob = server.client(project, "bob", "viewer")
    assert "ortho" in ask(bob, REQUEST="GetCapabilities", VERSION="1.0.0").text
    described = ask(bob, REQUEST="DescribeCoverage", VERSION="1.0.0", COVERAGE="ortho")
    assert described.status == 200
    assert "ortho" in described.text
    coverage = ask(bob, COVERAGE="ortho", **COVERAGE)
    assert coverage.status == 200
    assert coverage.body[:2] in (b"II", b"MM")


@pytest.mark.parametrize("extra", [{"REQUEST": "DescribeCoverage", "VERSION": "1.0.0"}, COVERAGE])
def test_a_closed_coverage_answers_like_an_unknown_one(
    server: Server, project: Path, extra: dict[str, Any]
) -> None:
    anon = server.client(project)
    closed, unknown = (ask(anon, COVERAGE=name, **extra) for name in ("ortho", "orthx"))
    assert closed.status == unknown.status
    assert closed.body == unknown.body.replace(b"orthx", b"ortho")
    assert "ortho" not in ask(anon, REQUEST="GetCapabilities", VERSION="1.0.0").text


def test_parameters_that_are_not_known_are_refused(server: Server, project: Path) -> None:
    anon = server.client(project)
    assert ask(anon, REQUEST="GetCapabilities", SLD="x").status == 400
    assert ask(anon, REQUEST="GetSomething").status == 400
    assert anon.post("<GetCoverage/>", SERVICE="WCS").status == 400
