"""One server and one pair of worlds for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.noninterference.runner import LANDING_FOLDER, Pair, make_pair
from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return the server of this process; its landing page lists one variant at a time."""
    yield start_server(QGIS_SERVER_LANDING_PAGE_PROJECTS_DIRECTORIES=LANDING_FOLDER)
    Path(LANDING_FOLDER).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def pair(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Return the two variants, which no test changes."""
    return make_pair(tmp_path_factory.mktemp("world") / "pair", server)
