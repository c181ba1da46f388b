"""One QGIS Server with the plugin for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.policy_server import Observed
from tests.support.logged import AnswerBook
from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def logged_server(tmp_path_factory: pytest.TempPathFactory) -> tuple[Server, AnswerBook]:
    log = tmp_path_factory.mktemp("log") / "requests.log"
    server = start_server(ACCESS_FILTER_ADMIN_ROLES="gisadmin", ACCESS_FILTER_LOG=str(log))
    return server, AnswerBook(server, log)


@pytest.fixture(scope="session")
def server(logged_server: tuple[Server, AnswerBook]) -> Server:
    """Return the server of this process, with the plugin open."""
    return logged_server[0]


@pytest.fixture(scope="session")
def observed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Return what is observed of the decision table's projects."""
    return Observed(server, tmp_path_factory.mktemp("policies"))


@pytest.fixture(autouse=True)
def every_answer_has_its_line(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every request of this suite has one line that agrees with its answer.

    Tests that take the ``lines`` themselves look at them themselves.
    """
    if "server" not in request.fixturenames:
        yield
        return
    book: AnswerBook = request.getfixturevalue("logged_server")[1]
    book.forget()
    yield
    if "lines" not in request.fixturenames:
        book.check()
