"""Five callers in random order in one process: each answer is the one of a fresh state."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tests.server.policy_server import client, make_project
from tests.support.server import Answer, Client, Server
from tests.unit.policies import SUBJECTS

REQUESTS = int(os.environ.get("ISOLATION_REQUESTS", "600"))
"""How many by default; the contract's ten thousand with ISOLATION_REQUESTS=10000."""
RULES = [
    {"id": "own", "layers": "parcels", "filter": "owner = @access_user"},
    {"id": "public", "layers": "parcels", "filter": "public = 1", "attributes": ["name", "zone"]},
    {"id": "hr", "layers": "salaries", "roles": "admin"},
    {"id": "reports", "layers": ["reports", "ortho"], "roles": "authenticated"},
    {"id": "owners", "layers": "owners", "roles": "editor", "attributes": ["*", "!phone"]},
    {"id": "styles", "effect": "deny", "layers": "parcels", "styles": "owners", "roles": "!editor"},
    {"id": "paper", "effect": "deny", "templates": "Official", "roles": "!admin"},
]
MAP = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,5,5",
    "WIDTH": 40,
    "HEIGHT": 40,
    "FORMAT": "image/png",
}
INFO = {**MAP, "REQUEST": "GetFeatureInfo", "I": 8, "J": 31, "INFO_FORMAT": "application/json"}
FEATURES = {
    "SERVICE": "WFS",
    "VERSION": "1.1.0",
    "REQUEST": "GetFeature",
    "OUTPUTFORMAT": "application/json",
}
LAYERS = ("parcels", "salaries", "reports", "owners")


def operations() -> dict[str, Any]:
    """Return every operation by a name, each a function of a client."""
    found: dict[str, Any] = {}

    def ows(name: str, **parameters: Any) -> None:
        found[name] = lambda caller: caller.get(**parameters)

    def api(path: str) -> None:
        found[path] = lambda caller: caller.api(path)

    for service in ("WMS", "WFS", "WCS", "WMTS"):
        ows(f"{service} capabilities", SERVICE=service, REQUEST="GetCapabilities")
    ows("project settings", SERVICE="WMS", REQUEST="GetProjectSettings")
    ows("context", SERVICE="WMS", REQUEST="GetContext")
    for layer in LAYERS:
        ows(f"map of {layer}", **MAP, REQUEST="GetMap", LAYERS=layer)
        ows(f"info of {layer}", **INFO, LAYERS=layer, QUERY_LAYERS=layer)
        ows(f"features of {layer}", **FEATURES, TYPENAME=layer)
        ows(
            f"schema of {layer}",
            SERVICE="WFS",
            VERSION="1.1.0",
            REQUEST="DescribeFeatureType",
            TYPENAME=layer,
        )
        ows(
            f"legend of {layer}",
            SERVICE="WMS",
            REQUEST="GetLegendGraphic",
            LAYER=layer,
            FORMAT="image/png",
        )
        ows(f"styles of {layer}", SERVICE="WMS", REQUEST="GetStyles", LAYERS=layer)
        api(f"/collections/{layer}")
        api(f"/collections/{layer}/items")
        api(f"/collections/{layer}/items/1")
    ows("named style", **{**MAP, "STYLES": "owners"}, REQUEST="GetMap", LAYERS="parcels")
    ows("coverage", SERVICE="WCS", VERSION="1.0.0", REQUEST="DescribeCoverage", COVERAGE="ortho")
    ows("permissions", SERVICE="ACCESS", REQUEST="GetPermissions")
    api("/collections")
    api("/api")
    return found


OPERATIONS = operations()
#: What changes from one answer to the next for one and the same caller.
TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:]*")


def told(answer: Answer) -> tuple[int, str, bytes]:
    return answer.status, answer.headers.get("Content-Type", ""), TIMES.sub(b"", answer.body)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("isolation"), {"access_rules": RULES})


def forget_everything(server: Server, project: Path) -> None:
    """Give the next request a process's first look at the project."""
    server.forget(project)
    pipeline = server.plugin.wall.target
    pipeline._states._states.clear()
    pipeline._access_control.forget()


@pytest.fixture(scope="module")
def fresh(server: Server, project: Path) -> dict[tuple[str, str], tuple[int, str, bytes]]:
    """Return what each caller is told by each operation, before anybody else has asked."""
    found = {}
    for who in SUBJECTS:
        forget_everything(server, project)
        caller = client(server, project, who)
        for name, ask in OPERATIONS.items():
            found[who, name] = told(ask(caller))
    return found


def test_the_callers_see_different_things(fresh: dict[tuple[str, str], Any]) -> None:
    for name in ("WMS capabilities", "features of parcels", "map of parcels", "/collections"):
        assert len({fresh[who, name] for who in SUBJECTS}) >= 3, name


def test_nobody_gets_anything_of_another_in_any_order(
    server: Server, project: Path, fresh: dict[tuple[str, str], Any]
) -> None:
    forget_everything(server, project)
    order = random.Random(20260601)
    callers: dict[str, Client] = {who: client(server, project, who) for who in SUBJECTS}
    for number in range(REQUESTS):
        who, name = order.choice(list(SUBJECTS)), order.choice(list(OPERATIONS))
        assert told(OPERATIONS[name](callers[who])) == fresh[who, name], (number, who, name)


def test_a_caller_after_each_other_caller_gets_the_own_answer(
    server: Server, project: Path, fresh: dict[tuple[str, str], Any]
) -> None:
    for name in ("WMS capabilities", "project settings", "map of parcels", "features of parcels"):
        for first in SUBJECTS:
            for second in SUBJECTS:
                OPERATIONS[name](client(server, project, first))
                found = told(OPERATIONS[name](client(server, project, second)))
                assert found == fresh[second, name], (name, first, second)
