"""Health needs no project, also where QGIS takes a file of its working folder for one (mod_fcgid)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("limited", [False, True])
def test_a_left_over_file_is_no_project_of_ours(
    serve: Callable[..., Any], make_project: Callable[..., Path], limited: bool
) -> None:
    project = make_project()
    folders = {"ACCESS_FILTER_PROJECTS": str(project.parent)} if limited else {}
    # QGIS's working folder is the server's home; Debian has such a file beside qgis_mapserv.fcgi.
    server = serve(project, folders, beforehand=lambda home: (home / "admin.sld").write_text("x"))
    answer = server.get({"SERVICE": "ACCESS", "REQUEST": "Health"})
    assert (answer.status, answer.json["status"]) == (200, "ok")
    nothing = server.get({"SERVICE": "ACCESS", "REQUEST": "GetPermissions"})
    assert (nothing.status, nothing.json["error"]) == (404, "MAP: there is no such project")
    assert server.get({"SERVICE": "WMS", "REQUEST": "GetCapabilities"}).status != 200
