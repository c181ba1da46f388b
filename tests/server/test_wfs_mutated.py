"""Requests damaged at random are refused or answered, never with an error of ours or a hidden row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.projects import policy_project
from tests.support.server import Answer, Client, Server
from tests.support.wfs import NAMESPACES, by_id, delete, equals, insert, point, query, update

RULES = [
    {
        "layers": "parcels",
        "filter": "public = 1",
        "attributes": ["name", "status", "zone"],
        "actions": ["read", "insert", "update", "delete"],
    }
]
HIDDEN = ("Bob", "Alice", "4200", "three")
ACTIONS = [
    update("parcels", by_id("parcels.1"), name="x", geometry=point(1, 1)),
    insert("parcels", point(1, 1), name="x"),
    delete("parcels", by_id("parcels.9")),
]
BODIES = [
    query("parcels", equals("zone", 1)),
    query("parcels", "<wfs:PropertyName>name</wfs:PropertyName>"),
    *(
        f'<wfs:Transaction service="WFS" version="1.1.0" {NAMESPACES}>{action}</wfs:Transaction>'
        for action in ACTIONS
    ),
]
PIECES = ["<", ">", '"', "&", "&#65;", "<a/>", "\x01", "é", "owner", "salaries", "*", ".", ":",
          "[%", "%27", "'", "\\", "<![CDATA[x]]>", 'xmlns="x"', "gml:"]  # fmt: skip
VALUES = ["parcels", "salaries", "parcels.1", "*", "owner", "(name)", "((", "a,b", '"zone" = 1', "",
          "zone = ", "-1", "0,0,1,1", "'", "%", "parcels.1.2", "parcels.", ".", "qgs:parcels", "a:b:c",
          "parcels/name", "x/y/z", "<Filter/>", "<Filter>", "name+D,zone", "x" * 5000]  # fmt: skip
WFS_NAMES = ["TYPENAME", "FEATUREID", "PROPERTYNAME", "EXP_FILTER", "FILTER", "SORTBY", "BBOX",
             "MAXFEATURES", "SRSNAME", "OUTPUTFORMAT", "TYPENAMES"]  # fmt: skip
API_NAMES = ["limit", "offset", "bbox", "name", "zone", "owner", "sortby", "properties", "crs", "x"]
PATHS = ["/collections/parcels/items", "/collections/parcels/items/1", "/collections/parcels/items/x",
         "/collections", "/api", "/collections/%25", "/collections/parcels/items/1@@2", "/%2e%2e/x",
         "/collections/salaries/items"]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy_project(tmp_path_factory.mktemp("mutated"), access_rules=RULES)


@pytest.fixture
def anon(server: Server, project: Path) -> Client:
    return server.client(project)


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.randint(0, 20))
        middle = chance.choice([chance.choice(PIECES), "", text[start:end] * 2])
        text = text[:start] + middle + text[end:]
    return text


def assert_harmless(answer: Answer, sent: object) -> None:
    # QGIS itself answers an item that it does not find with 500.
    is_own_error = answer.status >= 500 and "Invalid feature" not in answer.text
    assert not is_own_error, (sent, answer.text)
    if answer.status == 200:
        assert not [word for word in HIDDEN if word in answer.text], sent


@pytest.mark.parametrize("seed", range(5))
def test_damaged_bodies(anon: Client, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        body = damaged(chance.choice(BODIES), chance)
        assert_harmless(anon.post(body, SERVICE="WFS"), body)


@pytest.mark.parametrize("seed", range(5))
def test_random_parameters(anon: Client, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        sent = {chance.choice(WFS_NAMES): chance.choice(VALUES) for _ in range(3)}
        sent["TYPENAME"] = chance.choice(["parcels", sent.get("TYPENAME", "parcels")])
        assert_harmless(anon.get(SERVICE="WFS", REQUEST="GetFeature", **sent), sent)


@pytest.mark.parametrize("seed", range(5))
def test_random_api_requests(anon: Client, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        sent = {chance.choice(API_NAMES): chance.choice(VALUES) for _ in range(2)}
        path = chance.choice(PATHS)
        assert_harmless(anon.api(path, **sent), (path, sent))
