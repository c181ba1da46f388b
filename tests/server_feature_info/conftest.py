"""One QGIS Server with the plugin, a town of data, and the schema every answer must fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from jsonschema import Draft202012Validator

from tests.server_feature_info.world import ALL, Town
from tests.support.server import Answer, Client, Server, start_server

SCHEMA = Path(__file__).parents[2] / "docs" / "feature-info.schema.json"

#: A map of 2° by 2° from the origin; the pixel asked for lies at 0.505, 0.505.
PLACE = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetFeatureInfo",
    "CRS": "EPSG:4326",
    "BBOX": "0,0,2,2",
    "WIDTH": "100",
    "HEIGHT": "100",
    "I": "25",
    "J": "74",
    "INFO_FORMAT": "application/json",
    "FEATURE_COUNT": "10",
}


@pytest.fixture(scope="session")
def server() -> Server:
    # A layer that cannot be opened must not close the project: that is one of the tests.
    return start_server(QGIS_SERVER_IGNORE_BAD_LAYERS="1")


@pytest.fixture(scope="session")
def town(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="session")
def filtered_town(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Return a town on a file of its own, for FILTER: QGIS sets a subset string for it.

    On a GeoPackage that makes other layers of the same file come out empty (facts C6).
    """
    return Town(tmp_path_factory.mktemp("filtered"))


class WholeTown:
    """The town whose projects have all of its tables; a table costs its part of each request."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.layer = town.layer

    def project(self, feature_info: Any = "on", **more: Any) -> Path:
        """Write a project with all tables, unless told which."""
        return self._town.project(feature_info, **{"layers": ALL, **more})


@pytest.fixture(scope="session")
def whole_town(town: Town) -> WholeTown:
    return WholeTown(town)


@pytest.fixture(scope="session")
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


class Asker:
    """Asks for feature info, and holds every enriched answer against the schema."""

    def __init__(self, server: Server, validator: Draft202012Validator) -> None:
        self.server = server
        self._validator = validator

    def raw(self, project: Path, layers: str, user: Any = None, **parameters: Any) -> Answer:
        """Return an answer as it came."""
        client: Client = self.server.client(project, user, parameters.pop("roles", ""))
        asked = {**PLACE, "LAYERS": layers, "QUERY_LAYERS": layers, **parameters}
        return client.get(**{name: value for name, value in asked.items() if value is not None})

    def __call__(
        self, project: Path, layers: str = "parcels", user: Any = None, **parameters: Any
    ) -> Any:
        """Return an answer as JSON, checked."""
        answer = self.raw(project, layers, user, **parameters)
        assert answer.status == 200, answer.text
        collection = answer.json
        if "info" in collection:
            self.check(collection)
        return collection

    def check(self, collection: Any) -> None:
        """Hold an enriched answer against the schema."""
        self._validator.validate(collection)

    def stock(self, project: Path, layers: str = "parcels", **parameters: Any) -> Any:
        """Return the answer of the server without the plugin."""
        with self.server.unguarded():
            return self.raw(project, layers, **parameters).json

    def one(
        self, project: Path, layers: str = "parcels", key: str = "parcels.1", **parameters: Any
    ) -> Any:
        """Return the ``info`` of one feature."""
        features = self(project, layers, **parameters)["features"]
        return next(feature for feature in features if feature["id"] == key)["info"]


@pytest.fixture(scope="session")
def ask(server: Server, validator: Draft202012Validator) -> Asker:
    return Asker(server, validator)


@pytest.fixture
def log(server: Server) -> Iterator[list[str]]:
    """Collect the plugin's log entries, ``Critical: …`` and so on."""
    from qgis.core import QgsApplication

    entries: list[str] = []
    names = {0: "Info", 1: "Warning", 2: "Critical"}

    def note(message: str, tag: str, level: Any) -> None:
        if tag == "access_filter":
            entries.append(f"{names.get(int(level), level)}: {message}")

    receive: Callable[..., None] = note
    signal = QgsApplication.messageLog().messageReceived[str, str, "Qgis::MessageLevel"]
    signal.connect(receive)
    yield entries
    signal.disconnect(receive)


def field(info: Any, name: str) -> Any:
    """Return one entry of ``fields``."""
    return next(entry for entry in info["fields"] if entry["name"] == name)
