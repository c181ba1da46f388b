"""What is kept of a project goes when QGIS serves its next generation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest
from qgis.core import QgsProject

from access_filter_plugin.qgis_project import ProjectState, ProjectStates
from tests.support.projects import policy_project
from tests.support.server import Server


def test_of_a_project_that_is_rewritten_one_generation_is_kept(
    server: Server, tmp_path: Path
) -> None:
    states = server.plugin.wall.target._states._states
    kept = policy_project(tmp_path / "kept", access_rules=[{"layers": "*"}])
    project = policy_project(tmp_path / "rewritten", access_rules=[{"layers": "*"}])
    text = project.read_text()
    for client in (server.client(kept), server.client(project)):
        assert client.get(SERVICE="WMS", REQUEST="GetCapabilities").status == 200
    for number in range(5):
        project.write_text(text.replace("<title>", f"<title>{number}"))
        server.forget(project)
        client = server.client(project)
        assert client.get(SERVICE="WFS", REQUEST="GetCapabilities").status == 200
        assert sum(state.path == str(project) for state in states.values()) == 1
    assert sum(state.path == str(kept) for state in states.values()) == 1


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("error", [None, ValueError("a feature fails")])
def test_a_project_is_the_current_one_while_it_is_compiled_and_no_longer(
    error: Optional[Exception],
) -> None:
    """A landing page compiles projects beside the one that is served, in which QGIS looks things up."""
    seen: list[Any] = []

    def compile_(state: ProjectState) -> None:
        seen.append(QgsProject.instance())
        if error is not None:
            raise error

    before, served, other = QgsProject.instance(), QgsProject(), QgsProject()
    states = ProjectStates([SimpleNamespace(name="one", compile=compile_)])  # type: ignore[list-item]
    QgsProject.setInstance(served)
    try:
        if error is None:
            assert states.state(other) is not None
        else:
            with pytest.raises(ValueError, match="a feature fails"):
                states.state(other)
        assert seen == [other]
        assert QgsProject.instance() is served
    finally:
        QgsProject.setInstance(before)
