"""One QGIS Server with the plugin for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def server() -> Server:
    """Return the server of this process, with the plugin open."""
    return start_server(ACCESS_FILTER_ADMIN_ROLES="gisadmin")
