"""Documents come from our cache: the same as without it, and never from one decision to another."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from qgis.server import QgsServerRequest

from tests.support.projects import policy_project
from tests.support.server import Answer, Client, Server

RULES = [
    {"layers": ["parcels", "ortho"]},
    {"layers": "reports", "roles": "viewer"},
    {"layers": "owners", "roles": "editor"},
    {"layers": "salaries", "users": "root"},
    {"effect": "deny", "roles": "!editor", "layers": "parcels", "attributes": "owner*"},
]
CALLERS = (None, ("bob", "viewer"), ("alice", "editor"), ("root", "viewer,editor"), ("carl", ""))
DOCUMENTS = (
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.3.0"},
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.1.1"},
    {"SERVICE": "WMS", "REQUEST": "GetProjectSettings", "VERSION": "1.3.0"},
    {"SERVICE": "WMS", "REQUEST": "GetContext"},
    {"SERVICE": "WFS", "REQUEST": "GetCapabilities", "VERSION": "1.1.0"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "VERSION": "1.1.0"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "parcels"},
    {"SERVICE": "WCS", "REQUEST": "GetCapabilities", "VERSION": "1.0.0"},
    {"SERVICE": "WMTS", "REQUEST": "GetCapabilities", "VERSION": "1.0.0"},
)
MAP = {
    "BBOX": "0,0,10,10",
    "CRS": "EPSG:4326",
    "WIDTH": "9",
    "HEIGHT": "9",
    "FORMAT": "image/png",
    "VERSION": "1.3.0",
}
PATHS = ("/collections", "/api.openapi3")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    return policy_project(tmp_path_factory.mktemp("documents"), access_rules=RULES)


def caller(server: Server, project: Path, who: tuple[str, str] | None) -> Client:
    return server.client(project) if who is None else server.client(project, *who)


def ask(client: Client, document: dict[str, str] | str) -> Answer:
    return client.api(document) if isinstance(document, str) else client.get(**document)


def without_time(body: bytes) -> bytes:
    """Return a body without the moment at which QGIS wrote it."""
    return re.sub(rb'"timeStamp":\s*"[^"]*"', b"", body)


def empty_cache(server: Server) -> None:
    """Forget every document, as a new process would."""
    access_control = server.plugin.wall.target._access_control
    access_control._documents._cache.__init__()


def cached(server: Server) -> int:
    return len(server.plugin.wall.target._access_control._documents._cache)


@pytest.mark.parametrize("document", [*DOCUMENTS, *PATHS], ids=str)
def test_every_caller_gets_the_document_that_a_fresh_process_would_build(
    server: Server, project: Path, document: dict[str, str] | str
) -> None:
    fresh = {}
    for who in CALLERS:
        empty_cache(server)
        answer = ask(caller(server, project, who), document)
        fresh[who] = (answer.status, without_time(answer.body))
    empty_cache(server)
    order = [who for who in CALLERS for _ in range(3)]
    random.Random(7).shuffle(order)
    for who in [*order, *reversed(order)]:
        answer = ask(caller(server, project, who), document)
        assert (answer.status, without_time(answer.body)) == fresh[who]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_second_answer_comes_from_the_cache(
    server: Server, project: Path, document: dict[str, str]
) -> None:
    empty_cache(server)
    client = server.client(project, "bob", "viewer")
    first = client.get(**document)
    assert cached(server) == 1
    second = client.get(**document)
    assert cached(server) == 1
    assert second.body == first.body
    assert second.headers["ETag"] == first.headers["ETag"]


def test_callers_with_equal_decisions_share_a_document(server: Server, project: Path) -> None:
    empty_cache(server)
    for user in ("bob", "berta", "ben"):
        server.client(project, user, "viewer").get(SERVICE="WFS", REQUEST="GetCapabilities")
    assert cached(server) == 1


def test_a_client_that_has_the_document_gets_304_without_it(server: Server, project: Path) -> None:
    client = server.client(project, "bob", "viewer")
    first = client.get(SERVICE="WMS", REQUEST="GetCapabilities")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get(headers=tag, SERVICE="WMS", REQUEST="GetCapabilities")
    assert (again.status, again.body) == (304, b"")
    other = server.client(project, "alice", "editor")
    assert other.get(headers=tag, SERVICE="WMS", REQUEST="GetCapabilities").status == 200


@pytest.mark.parametrize("who", [("bob", "viewer"), ("root", "viewer,editor")])
def test_documents_are_private_and_vary(
    server: Server, project: Path, who: tuple[str, str]
) -> None:
    """Of whom everything is open most of all: a cache on the way must not keep his document."""
    answer = server.client(project, *who).get(SERVICE="WMS", REQUEST="GetCapabilities")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Cookie"


def test_another_host_gets_a_document_of_its_own(server: Server, project: Path) -> None:
    client = server.client(project, "bob", "viewer")
    url = client.url(SERVICE="WMS", REQUEST="GetCapabilities")
    here = server.run(url, cgi=client.cgi)
    there = server.run(url.replace("localhost", "gis.example.org"), cgi=client.cgi)
    assert b"gis.example.org" in there.body
    assert b"gis.example.org" not in here.body


def test_a_changed_project_gives_a_changed_document(server: Server, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=[{"layers": "*"}])
    client = server.client(project, "bob", "viewer")
    assert "salaries" in client.get(SERVICE="WMS", REQUEST="GetCapabilities").text
    policy_project(tmp_path / "new", access_rules=[{"layers": "parcels"}])
    text = (tmp_path / "new" / "project.qgs").read_text()
    project.write_text(text)
    server.forget(project)
    assert "salaries" not in client.get(SERVICE="WMS", REQUEST="GetCapabilities").text


@pytest.mark.parametrize("service", ["WMS", "WFS", "WCS", "WMTS"])
@pytest.mark.parametrize(
    "header",
    ["X-Qgis-Service-Url", "X-Qgis-{}-Service-Url", "X-Forwarded-Host", "Forwarded", "Host"],
)
def test_an_address_that_one_client_made_up_is_told_to_no_other(
    server: Server, project: Path, service: str, header: str
) -> None:
    empty_cache(server)
    client = server.client(project, "bob", "viewer")
    name = header.format(service.title())
    value = "host=made.example" if name == "Forwarded" else "made.example"
    sent = {name: f"https://{value}/" if "Url" in name else value}
    made_up = client.get(headers=sent, SERVICE=service, REQUEST="GetCapabilities")
    plain = client.get(SERVICE=service, REQUEST="GetCapabilities")
    assert b"made.example" in made_up.body
    assert plain.status == 200
    assert b"made.example" not in plain.body


def test_head_has_the_headers_of_get_also_when_nothing_is_cached(
    server: Server, project: Path
) -> None:
    client = server.client(project, "bob", "viewer")
    url = client.url(SERVICE="WMS", REQUEST="GetCapabilities")
    empty_cache(server)
    head = server.run(url, "HEAD", cgi=client.cgi)
    assert cached(server) == 0
    get = server.run(url, cgi=client.cgi)
    for name in ("ETag", "Cache-Control", "Vary"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("order", [1, -1])
def test_project_settings_name_the_wfs_layers_of_the_caller_alone(
    server: Server, tmp_path: Path, order: int
) -> None:
    rules = [{"layers": "parcels"}, {"layers": "owners", "roles": "clerk", "services": "WFS"}]
    project = policy_project(tmp_path, access_rules=rules)
    told = {}
    for who in ((None, ("carl", "clerk")))[::order]:
        client = caller(server, project, who)
        told[who] = client.get(SERVICE="WMS", REQUEST="GetProjectSettings").text
    assert '<WFSLayer name="owners"' in told["carl", "clerk"]
    assert "owners" not in told[None]


def test_qgis_knows_addresses_from_no_other_header() -> None:
    known = {name for name in dir(QgsServerRequest) if name.endswith("_SERVICE_URL")}
    services = ("", "WMS_", "WFS_", "WCS_", "WMTS_")
    assert known == {f"X_QGIS_{service}SERVICE_URL" for service in services}


@pytest.mark.parametrize("who", [None, ("bob", "viewer"), ("root", "viewer,editor")])
@pytest.mark.parametrize(
    "request_of_data",
    [
        {"SERVICE": "WMS", "REQUEST": "GetMap", "LAYERS": "parcels", "STYLES": "", **MAP},
        {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "parcels", "MAXFEATURES": "1"},
        "/collections/parcels/items",
    ],
    ids=str,
)
def test_no_cache_on_the_way_may_tell_one_callers_data_to_another(
    server: Server,
    project: Path,
    who: tuple[str, str] | None,
    request_of_data: dict[str, str] | str,
) -> None:
    answer = ask(caller(server, project, who), request_of_data)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private"
    assert answer.headers["Vary"] == "Authorization, Cookie"


def test_answers_of_a_project_without_rules_are_as_cacheable_as_before(
    server: Server, tmp_path: Path
) -> None:
    client = server.client(policy_project(tmp_path))
    answer = client.get(SERVICE="WMS", REQUEST="GetMap", LAYERS="parcels", STYLES="", **MAP)
    assert answer.status == 200
    assert "Cache-Control" not in answer.headers
