"""One QGIS Server with the plugin for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return the server of this process, with the plugin open."""
    yield start_server(ACCESS_FILTER_ADMIN_ROLES="gisadmin")
