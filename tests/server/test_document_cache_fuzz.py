"""Fuzzed keys of the document cache: never a document of one decision, or address, to another.

Callers, parameters, hosts, headers, methods and conditional requests come in random order. Each
answer is compared with the one of an empty cache. The fuzz itself is tested: it finds every key
that leaves something out.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

import pytest

from access_filter_plugin.access_control.document_cache import DocumentCache, etag_of
from access_filter_plugin.access_control.qgis_documents import Documents
from tests.support.projects import policy_project
from tests.support.server import Answer, Server

STEPS = int(os.environ.get("FUZZ_STEPS", "900"))
"""Twelve thousand (FUZZ_STEPS=12000, four minutes) found what nine hundred did not."""
RULES: list[dict[str, Any]] = [
    {"layers": ["parcels", "ortho"]},
    {"layers": "reports", "roles": "viewer"},
    {"layers": "owners", "roles": ["editor", "clerk"], "services": ["WFS", "OAPIF"]},
    {"layers": "salaries", "users": "root"},
    {"layers": "salaries", "roles": "payroll", "requests": "GetMap"},
    {"layers": "salaries", "roles": "boss", "filter": "amount > 4150"},
    {"effect": "deny", "roles": "!editor", "layers": "parcels", "attributes": "owner*"},
    {"effect": "deny", "roles": "guest", "layers": "parcels", "filter": "public = 0"},
    {"effect": "deny", "addresses": "203.0.113.0/24", "layers": "reports"},
    {"effect": "deny", "roles": "blind", "layers": "*"},
    {"actions": ["insert", "update"], "roles": "writer", "layers": "parcels"},
]
OTHER_RULES = [*RULES, {"layers": "owners", "roles": "viewer"}, {"layers": "salaries"}]
CALLERS: tuple[tuple[Optional[str], str], ...] = (
    (None, ""),
    ("", "viewer"),
    ("bob", "viewer"),
    ("ben", "viewer"),
    ("alice", "editor"),
    ("alice", "editor,viewer"),
    ("root", "viewer"),
    ("carl", "clerk"),
    ("paul", "payroll"),
    ("boss", "boss"),
    ("gast", "guest,viewer"),
    ("blind", "blind,editor"),
    ("will", "writer"),
    ("viewer", ""),
)
ADDRESSES = ("198.51.100.7", "203.0.113.9")
OWS: tuple[dict[str, str], ...] = (
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.3.0"},
    {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.1.1"},
    {"SERVICE": "WMS", "REQUEST": "GetProjectSettings"},
    {"SERVICE": "WMS", "REQUEST": "GetContext"},
    {"SERVICE": "WFS", "REQUEST": "GetCapabilities", "VERSION": "1.0.0"},
    {"SERVICE": "WFS", "REQUEST": "GetCapabilities", "VERSION": "1.1.0"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "VERSION": "1.1.0"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "parcels"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "owners"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "parcels,reports"},
    {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "OUTPUTFORMAT": "application/json"},
    {"SERVICE": "WCS", "REQUEST": "GetCapabilities", "VERSION": "1.0.0"},
    {"SERVICE": "WCS", "REQUEST": "DescribeCoverage", "VERSION": "1.0.0", "COVERAGE": "ortho"},
    {"SERVICE": "WMTS", "REQUEST": "GetCapabilities", "VERSION": "1.0.0"},
)
PATHS = (
    "/wfs3",
    "/wfs3/collections",
    "/wfs3/collections.json",
    "/wfs3/collections/parcels",
    "/wfs3/collections/owners",
    "/wfs3/api.openapi3",
    "/sub/wfs3/collections",
)
HOSTS = ("localhost", "gis.example.org", "gis.example.org:8443", "localhost.evil.example")
HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Host", ("gis.example.org", "other.example.org")),
    ("Forwarded", ("host=front.example.org;proto=https", "host=a.example.org;proto=http")),
    ("X-Forwarded-Host", ("front.example.org", "b.example.org")),
    ("X-Forwarded-Proto", ("https", "http")),
    ("X-Qgis-Service-Url", ("https://one.example.org/ows", "https://two.example.org/ows")),
    ("X-Qgis-Wms-Service-Url", ("https://wms.example.org/", "https://wms2.example.org/")),
    ("X-Qgis-Wfs-Service-Url", ("https://wfs.example.org/", "https://wfs2.example.org/")),
    ("X-Qgis-Wcs-Service-Url", ("https://wcs.example.org/", "https://wcs2.example.org/")),
    ("X-Qgis-Wmts-Service-Url", ("https://wmts.example.org/", "https://wmts2.example.org/")),
    ("Accept", ("application/json", "text/html", "*/*")),
    ("Accept-Language", ("de", "en")),
)
VARIABLES = (
    ("SERVER_NAME", ("one.example.org", "two.example.org")),
    ("HTTPS", ("on", "off")),
    ("SCRIPT_NAME", ("/ows", "/cgi-bin/qgis")),
)
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:]*")


@dataclass(frozen=True)
class Step:
    """One request of the fuzz."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    cgi: tuple[tuple[str, str], ...]

    def send(self, server: Server, tag: str = "") -> Answer:
        headers = {**dict(self.headers), **({"If-None-Match": tag} if tag else {})}
        return server.run(self.url, self.method, headers=headers, cgi=dict(self.cgi))


@dataclass
class Fuzz:
    """Random requests to one project, and what an empty cache answers to each."""

    server: Server
    project: Path
    dice: random.Random
    tags: dict[str, bytes] = field(default_factory=dict)

    def step(self) -> Step:
        """Return a request; the pool is small enough for many to come twice."""
        return Step(
            self._url(),
            self.dice.choices(("GET", "HEAD"), (9, 1))[0],
            tuple(self._some(HEADERS, 0.08)),
            (*self._caller(), *self._some(VARIABLES, 0.05)),
        )

    def tag(self) -> str:
        """Return nothing, or what a client holds: tags of anybody's documents, or any."""
        chosen = self.dice.random()
        if chosen < 0.6 or not self.tags:
            return ""
        tags = self.dice.sample(list(self.tags), min(len(self.tags), 3))
        return '"unknown"' if chosen < 0.65 else ", ".join(tags)

    def _url(self) -> str:
        host = self.dice.choices(HOSTS, (8, 2, 1, 1))[0]
        place = f"MAP={quote(str(self.project), safe='')}"
        if self.dice.random() < 0.3:
            return f"http://{host}{self.dice.choice(PATHS)}?{place}"
        pairs = [f"{self._cased(k)}={quote(v)}" for k, v in self.dice.choice(OWS).items()]
        if self.dice.random() < 0.1:
            pairs.append(self.dice.choice(("LANG=de", "X=1", "LAYERS=parcels", "DPI=96")))
        scheme = self.dice.choices(("http", "https"), (9, 1))[0]
        return f"{scheme}://{host}/?{'&'.join([place, *pairs])}"

    def _cased(self, name: str) -> str:
        return name.lower() if self.dice.random() < 0.1 else name

    def _caller(self) -> list[tuple[str, str]]:
        user, roles = self.dice.choice(CALLERS)
        address = self.dice.choices(ADDRESSES, (5, 1))[0]
        found = [("REMOTE_ADDR", address)]
        return found if user is None else [*found, ("REMOTE_USER", user), ("REMOTE_ROLES", roles)]

    def _some(self, table: Any, chance: float) -> Iterator[tuple[str, str]]:
        for name, values in table:
            if self.dice.random() < chance:
                yield name, self.dice.choice(values)

    def wrong(self, step: Step) -> str:
        """Ask the filled and an empty cache; return how the answers differ, or nothing."""
        tag = self.tag()
        found = step.send(self.server, tag)
        with empty_cache(self.server):
            right = step.send(self.server)
        if found.status == 304:
            held = {self.tags.get(one) for one in tag.split(", ")}
            return "" if plain(right.body) in held else f"304 to {tag}"
        if told(found) != told(right):
            return f"{told(found)!r} is not {told(right)!r}"
        if "ETag" in found.headers and step.method == "GET":
            if found.headers["ETag"] != etag_of(found.body):
                return "an entity tag that is not that of the body"
            self.tags[found.headers["ETag"]] = plain(found.body)
        return ""

    def breaches(self, steps: int) -> list[str]:
        """Run some steps and return what was wrong."""
        found = []
        for number in range(steps):
            step = self.step()
            wrong = self.wrong(step)
            if wrong:
                found.append(f"{number}: {step}: {wrong[:2000]}")
        return found


def documents_of(server: Server) -> Any:
    return server.plugin.wall.target._access_control._documents


@contextmanager
def empty_cache(server: Server) -> Iterator[None]:
    """Give the requests inside an empty cache, and put the filled one back."""
    documents = documents_of(server)
    filled, documents._cache = documents._cache, DocumentCache()
    try:
        yield
    finally:
        documents._cache = filled


def plain(body: bytes) -> bytes:
    return _TIMES.sub(b"", body)


def told(answer: Answer) -> tuple[Any, ...]:
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("X-Request-ID", "Server-Timing", "ETag", "Content-Length")
    }
    return answer.status, headers, plain(answer.body)


def fuzz_of(server: Server, folder: Path, seed: int) -> Fuzz:
    project = policy_project(folder, access_rules=RULES)
    server.forget(project)
    documents_of(server)._cache = DocumentCache()
    return Fuzz(server, project, random.Random(seed))


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_the_one_of_an_empty_cache(
    server: Server, tmp_path: Path, seed: int
) -> None:
    fuzz = fuzz_of(server, tmp_path, seed)
    assert fuzz.breaches(STEPS // 3) == []
    assert len(fuzz.tags) > 20


def test_documents_of_a_rewritten_project_are_never_told_again(
    server: Server, tmp_path: Path
) -> None:
    fuzz = fuzz_of(server, tmp_path / "one", 11)
    text = fuzz.project.read_text()
    other = policy_project(tmp_path / "two", access_rules=OTHER_RULES).read_text()
    for number in range(6):
        assert fuzz.breaches(STEPS // 12) == []
        fuzz.project.write_text(text if number % 2 else other)
        server.forget(fuzz.project)


def without(place: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda key: (*key[:place], *key[place + 1 :])


#: What a key may leave out by mistake, and the fuzz must notice.
BROKEN = {
    "the decisions": without(1),
    "the address": without(3),
    "the headers": without(4),
    "the address and the headers": lambda key: key[:3],
    "everything but the decisions": lambda key: key[1:3],
}


@pytest.mark.parametrize("left_out", BROKEN)
def test_the_fuzz_notices_a_key_that_leaves_something_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    fuzz = fuzz_of(server, tmp_path, 5)
    whole = Documents._key
    monkeypatch.setattr(
        Documents, "_key", lambda self, *parts: BROKEN[left_out](whole(self, *parts))
    )
    # Every part is there: what this test takes apart has the form that it expects.
    assert fuzz.breaches(150) != []
