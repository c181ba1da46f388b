"""What lists a layer: each request of the service that is open, the listing itself among them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Client, Server

EVERYTHING = {"layers": "*"}


def client_of(server: Server, folder: Path, *rules: Any) -> Client:
    return server.client(policy_project(folder, access_rules=list(rules)))


def collections(client: Client) -> set[str]:
    return {found["id"] for found in client.api("/collections").json["collections"]}


def documents(client: Client) -> tuple[bool, bool, bool]:
    """Return whether the list, the API document and its own page name parcels."""
    return (
        "parcels" in collections(client),
        "parcels" in client.api("/api.json").text,
        client.api("/collections/parcels").status == 200,
    )


def test_collections_closes_every_document_that_names_one(server: Server, tmp_path: Path) -> None:
    deny = {"effect": "deny", "layers": "parcels", "requests": "Collections"}
    client = client_of(server, tmp_path, EVERYTHING, deny)
    assert documents(client) == (False, False, False)
    assert "reports" in collections(client)
    assert client.api("/collections/parcels/items").status == 200


@pytest.mark.parametrize("requests", ["Collections", "collections", ["*", "!Item*"]])
def test_collections_opens_the_documents_and_no_rows(
    server: Server, tmp_path: Path, requests: Any
) -> None:
    rule = {"layers": "parcels", "services": "OAPIF", "requests": requests}
    client = client_of(server, tmp_path, rule)
    assert documents(client) == (True, True, True)
    assert client.api("/collections/parcels/items").status == 404
    assert client.api("/collections/parcels/items/1").status == 404


def test_capabilities_alone_list_a_layer_and_draw_nothing(server: Server, tmp_path: Path) -> None:
    client = client_of(server, tmp_path, {"layers": "parcels", "requests": "GetCapabilities"})
    for service, version in (("WMS", "1.3.0"), ("WFS", "1.1.0")):
        text = client.get(SERVICE=service, VERSION=version, REQUEST="GetCapabilities").text
        assert re.search("<Name>parcels</Name>", text)
        assert "reports" not in text
    asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "parcels"}
    assert client.get(**asked).status == 400


@pytest.mark.parametrize("denied", ["GetLegendGraphic", "getlegendgraphics", ["*", "!GetMap"]])
@pytest.mark.parametrize("asked", ["GetLegendGraphic", "GetLegendGraphics"])
def test_a_request_of_two_names_is_denied_by_either(
    server: Server, tmp_path: Path, denied: Any, asked: str
) -> None:
    deny = {"effect": "deny", "layers": "parcels", "requests": denied}
    client = client_of(server, tmp_path, EVERYTHING, deny)
    legend = {"SERVICE": "WMS", "REQUEST": asked, "FORMAT": "image/png"}
    assert client.get(**legend, LAYER="reports").status == 200
    assert client.get(**legend, LAYER="parcels").status == 400


@pytest.mark.parametrize("asked", ["GetStyle", "GetStyles"])
def test_a_request_of_two_names_is_kept_out_by_either(
    server: Server, tmp_path: Path, asked: str
) -> None:
    rule = {"layers": "parcels", "requests": ["*", "!GetStyles"]}
    client = client_of(server, tmp_path, rule)
    styles = {"SERVICE": "WMS", "VERSION": "1.1.1", "REQUEST": asked, "LAYERS": "parcels"}
    assert client.get(**styles).status == 400
