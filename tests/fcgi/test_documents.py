"""Documents from the cache of a real worker: one client's headers never reach the next client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RULES = '[{"layers": "pub"}]'
HEADERS = {
    "X-Qgis-Service-Url": "http://elsewhere.example/",
    "X-Qgis-Wms-Service-Url": "http://elsewhere.example/",
    "X-Qgis-Wfs-Service-Url": "http://elsewhere.example/",
    "X-Qgis-Wmts-Service-Url": "http://elsewhere.example/",
    "X-Qgis-Wcs-Service-Url": "http://elsewhere.example/",
    "X-Forwarded-Host": "elsewhere.example",
    "Forwarded": "host=elsewhere.example",
}


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], make_project: Callable[..., Path]) -> Any:
    return serve(make_project(access_rules=RULES))


def test_the_second_answer_is_the_first_ones_document(server: Any) -> None:
    first, second = (server.ask(SERVICE="WMS", REQUEST="GetCapabilities") for _ in range(2))
    assert "<Name>pub</Name>" in first.text
    assert "staff" not in first.text
    assert (second.status, second.body) == (200, first.body)
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]


def test_a_client_that_has_the_document_gets_no_body(server: Any) -> None:
    first = server.ask(SERVICE="WFS", REQUEST="GetCapabilities")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = server.ask(tag, SERVICE="WFS", REQUEST="GetCapabilities")
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("header", HEADERS)
def test_an_address_that_one_client_sends_never_stands_in_the_next_ones_document(
    server: Any, header: str
) -> None:
    believed = set()
    for service in ("WMS", "WFS", "WCS", "WMTS"):
        # A document that nobody has asked for before: the parameter is part of its address.
        document = {"SERVICE": service, "REQUEST": "GetCapabilities", "_": header.replace("-", "")}
        first = server.ask({header: HEADERS[header]}, **document)
        then = server.ask(**document)
        assert (first.status, then.status) == (200, 200)
        assert "elsewhere" not in then.text
        believed.add("elsewhere" in first.text)
    assert True in believed, "QGIS reads this header from the client"
