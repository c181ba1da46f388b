"""Nothing that a restricted caller asks stays behind, and nothing is fetched from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.noninterference.compare import difference
from tests.noninterference.runner import Pair
from tests.noninterference.table import Request, api, get_feature, get_map, ows
from tests.noninterference.tables import POISON
from tests.support.server import Answer

DOCUMENTS = [
    ows("all", "WMS", "GetCapabilities", VERSION="1.3.0"),
    ows("all", "WMS", "GetProjectSettings"),
    ows("all", "WFS", "GetCapabilities"),
    get_feature("all", TYPENAME="feat"),
    get_map("poly", LAYERS="poly"),
    get_map("annotation", LAYERS="pub", BBOX="35,35,45,45"),
    api("/collections/feat.json"),
]
LISTENER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
listener.settimeout(60)
connection, _ = listener.accept()
print("reached", flush=True)
connection.close()
"""


def named(requests: list[Request]) -> list[object]:
    return [pytest.param(request, id=request.name) for request in requests]


@pytest.fixture
def copy(pair: Pair) -> Iterator[Pair]:
    spoiled = pair.fresh()
    yield spoiled
    spoiled.drop()


def plain_map(pair: Pair) -> Answer:
    return pair.ask(get_map("as the author drew it", LAYERS="poly"), "A")


@pytest.mark.parametrize("request_", named(POISON))
def test_a_legend_leaves_no_style_behind(copy: Pair, request_: Request) -> None:
    before = plain_map(copy)
    for caller in ("anonymous", "root"):
        copy.ask(request_, "A", caller)
    assert difference(plain_map(copy), before) is None


def test_without_the_plugin_a_style_stays_behind(copy: Pair) -> None:
    before = plain_map(copy)
    with copy.server.unguarded():
        copy.ask(POISON[0], "A")
        assert difference(plain_map(copy), before) is not None


def test_the_project_is_put_back_after_every_request(copy: Pair) -> None:
    with copy.server.unguarded():
        before = [copy.ask(request, "A") for request in DOCUMENTS]
    for request in DOCUMENTS:
        copy.ask(request, "A")
        copy.ask(request, "A", "bob")
    with copy.server.unguarded():
        after = [copy.ask(request, "A") for request in DOCUMENTS]
    assert [difference(one, other) for one, other in zip(before, after)] == [None] * len(DOCUMENTS)


def external(port: int, style: str) -> Request:
    given = {
        "ext__url": f"http://127.0.0.1:{port}/",
        "ext__layers": "x",
        "ext__format": "image/png",
    }
    given |= {"ext__crs": "EPSG:4326", "ext__styles": ""}
    return get_map(f"another server {style}", LAYERS="EXTERNAL_WMS:ext", **given)


@pytest.mark.parametrize("caller", ["anonymous", "bob", "root", "unguarded"])
def test_another_server_is_asked_only_without_the_plugin(pair: Pair, caller: str) -> None:
    command = [sys.executable, "-c", LISTENER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        request = external(int(listener.stdout.readline()), "")
        try:
            if caller == "unguarded":
                with pair.server.unguarded():
                    pair.ask(request, "A")
                assert listener.stdout.readline() == "reached\n"
            else:
                pair.ask(request, "A", caller)
                listener.terminate()
                assert listener.stdout.readline() == ""
        finally:
            listener.terminate()
