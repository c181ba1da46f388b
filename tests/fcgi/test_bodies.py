"""Bodies that are too large, too deep or hostile, to a real worker: refused, and it lives on.

QGIS reads a body before it asks any plugin, so what a body costs is compared with a server that has
no plugin; the difference is ours. Sizes are those that QGIS itself survives in seconds.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest

from tests.support.office import PASSWORD, Office, open_office
from tests.support.wfs import NAMESPACES

BIG, SMALL = 10_000_000, 900_000
POINT = "<gml:Point><gml:coordinates>8,8</gml:coordinates></gml:Point>"


def transaction(inner: str) -> str:
    return f'<wfs:Transaction service="WFS" version="1.1.0" {NAMESPACES}>{inner}</wfs:Transaction>'


def insert(title: str, author: str = "bob", geometry: str = POINT) -> str:
    values = f"<qgs:title>{title}</qgs:title><qgs:author>{author}</qgs:author>"
    geometry = f"<qgs:geometry>{geometry}</qgs:geometry>"
    return f"<wfs:Insert><qgs:notes>{values}{geometry}</qgs:notes></wfs:Insert>"


def query(inner: str) -> str:
    return (
        f'<wfs:GetFeature service="WFS" version="1.1.0" {NAMESPACES}>'
        f'<wfs:Query typeName="parcels">{inner}</wfs:Query></wfs:GetFeature>'
    )


def repeated(part: str, size: int) -> str:
    return part * (size // len(part))


OVERSIZED: dict[str, tuple[str, bytes]] = {
    "blanks": ("text/xml", query(" " * BIG).encode()),
    "a valid transaction": (
        "text/xml",
        transaction(repeated(insert("x" * 100_000), BIG)).encode(),
    ),
    "JSON": ("application/json", b'{"type":"Feature","properties":{"title":"%s"}}' % (b"x" * BIG)),
}
MANY_CONDITIONS = (
    "<ogc:PropertyIsEqualTo><ogc:PropertyName>name</ogc:PropertyName>"
    "<ogc:Literal>1</ogc:Literal></ogc:PropertyIsEqualTo>"
)
BOMB = "".join(f'<!ENTITY {b} "{10 * f"&{a};"}">' for a, b in zip("abcdefgh", "bcdefghi"))
ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(3000))
WITHIN: dict[str, tuple[str, bytes, int]] = {
    "many elements": ("text/xml", query(repeated("<a/>", SMALL)).encode(), 400),
    "deep": ("text/xml", transaction("<a>" * 3000 + "</a>" * 3000).encode(), 400),
    "an entity bomb": (
        "text/xml",
        f'<!DOCTYPE b [<!ENTITY a "{"a" * 1000}">{BOMB}]>{transaction("&i;")}'.encode(),
        400,
    ),
    "not UTF-8": (
        "text/xml",
        transaction("?").encode().replace(b">?<", b">" + b"\xff\xfe" * (SMALL // 2) + b"<"),
        400,
    ),
    "many attributes": (
        "text/xml",
        transaction(f"<wfs:Insert {ATTRIBUTES}/>").encode(),
        400,
    ),
    "many parameters": (
        "application/x-www-form-urlencoded",
        "&".join(f"p{i}=1" for i in range(3000)).encode(),
        400,
    ),
    "many keys": (
        "application/json",
        json.dumps({"type": "Feature", "properties": {f"k{i}": 1 for i in range(6000)}}).encode(),
        403,
    ),
    "deep JSON": ("application/json", b"[" * 50_000 + b"]" * 50_000, 400),
    "a transaction refused at its end": (
        "text/xml",
        transaction(repeated(insert("x"), SMALL) + insert("x", "alice")).encode(),
        403,
    ),
    "a long line": (
        "text/xml",
        transaction(
            insert(
                "x",
                "alice",
                f"<gml:LineString><gml:posList>{repeated('8.1 8.1 ', SMALL)}</gml:posList>"
                "</gml:LineString>",
            )
        ).encode(),
        403,
    ),
    "many conditions": (
        "text/xml",
        query(
            f"<ogc:Filter><ogc:Not>{MANY_CONDITIONS}</ogc:Not>{repeated(MANY_CONDITIONS, SMALL)}"
            "</ogc:Filter>"
        ).encode(),
        400,
    ),
}


@pytest.fixture(scope="module")
def guarded(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Office:
    return open_office(serve, tmp_path_factory.mktemp("office"))


def send(office: Office, content_type: str, body: bytes) -> tuple[int, str, int]:
    """Send a body as bob; return the answer's status and text, and by how much the worker grew."""
    pid = office.server.processes[0].pid
    word = b64encode(f"bob:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": content_type}
    is_json = content_type.endswith("json")
    path, asked = ("/wfs3/collections/notes/items", "") if is_json else ("/", "SERVICE=WFS")
    office.server.get("SERVICE=WFS&REQUEST=GetFeature&TYPENAME=parcels", headers)  # loads much
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the highest mark so far
    before = memory(pid, "VmHWM")
    answer = office.server.get(asked, headers, method="POST", body=body, path=path)
    return answer.status, answer.text, memory(pid, "VmHWM") - before


def memory(pid: int, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None, "the worker is gone"
    return int(found.group(1)) * 1024


@pytest.mark.parametrize("kind", OVERSIZED)
def test_an_oversized_body_is_refused(guarded: Office, kind: str) -> None:
    status, text, _grown = send(guarded, *OVERSIZED[kind])
    assert (status, "The body is too large." in text) == (413, True)
    assert guarded.server.processes[0].poll() is None


@pytest.mark.parametrize("kind", WITHIN)
def test_a_hostile_body_is_refused(guarded: Office, kind: str) -> None:
    content_type, body, expected = WITHIN[kind]
    assert len(body) < 2**20
    status, text, _grown = send(guarded, content_type, body)
    assert status == expected, text
    assert len(text) < 1000
    assert guarded.server.processes[0].poll() is None


#: A tree of elements is many times its text: three times 10 MB is the bound for any body.
BOUND = 3 * BIG
MEASURED = {
    **{kind: OVERSIZED[kind] for kind in ("blanks", "JSON")},
    **{k: WITHIN[k][:2] for k in ("many elements", "not UTF-8", "many conditions")},
}


@pytest.mark.parametrize("kind", MEASURED)
def test_a_body_costs_little_memory_of_ours(
    serve: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    """On new workers: an old one has memory left over from the request before."""

    def grown(name: str, plugins: Optional[Path]) -> int:
        folder = tmp_path / name
        folder.mkdir()
        office = open_office(serve, folder, plugins=plugins)
        found = send(office, *MEASURED[kind])[2]
        office.server.stop()
        assert found >= 0
        return found

    with_ours = grown("ours", None)
    if with_ours >= BOUND:  # else what QGIS itself takes of it does not matter
        none = tmp_path / "none"
        none.mkdir()
        assert with_ours - grown("stock", none) < BOUND


def test_the_limit_is_the_operators(serve: Callable[..., Any], tmp_path: Path) -> None:
    office = open_office(serve, tmp_path, ACCESS_FILTER_MAX_BODY="5000")
    ok, large = (transaction(insert("x" * size)).encode() for size in (100, 5000))
    assert "InsertResults" in send(office, "text/xml", ok)[1]
    assert send(office, "text/xml", large)[0] == 413


def test_a_wrong_limit_closes_the_server_and_says_why(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    office = open_office(serve, tmp_path, ACCESS_FILTER_MAX_BODY="10 MB")
    assert send(office, "text/xml", query("").encode())[0] == 503
    assert "ACCESS_FILTER_MAX_BODY: must be a whole number of bytes" in office.server.log
    assert 'is "10 MB"' in office.server.log
