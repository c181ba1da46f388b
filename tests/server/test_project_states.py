"""What is kept of a project goes when QGIS serves its next generation."""

from __future__ import annotations

from pathlib import Path

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
