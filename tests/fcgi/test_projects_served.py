"""Which projects the real server loads when ``ACCESS_FILTER_PROJECTS`` names one folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAPABILITIES = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}


@pytest.fixture(scope="module")
def folder(make_project: Callable[..., Path]) -> Path:
    """A folder with a served and an unserved part, and what may be left lying about in them."""
    project = make_project()
    served, other = project.parent / "served", project.parent / "other"
    for place in (served, other):
        shutil.copytree(project.parent, place, ignore=shutil.ignore_patterns("served", "other"))
        (place / project.name).rename(place / "town.qgs")
    shutil.copy(project, served / "town.qgs~")
    shutil.copy(project, served / "town.qgs.bak")
    (served / "link.qgs").symlink_to(other / "town.qgs")
    (served / "copy.qgs").symlink_to(served / "town.qgs~")
    return project.parent


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], folder: Path) -> Any:
    return serve(folder / "served/town.qgs", {"ACCESS_FILTER_PROJECTS": str(folder / "served")})


@pytest.fixture(scope="module")
def unlimited(serve: Callable[..., Any], folder: Path) -> Any:
    return serve(folder / "served/town.qgs")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("served/town.qgs", 200),
        ("served/../served/town.qgs", 200),
        ("other/town.qgs", 403),
        ("served/../other/town.qgs", 403),
        ("served/link.qgs", 403),
        ("served/copy.qgs", 403),
        ("served/town.qgs~", 403),
        ("served/town.qgs.bak", 403),
    ],
)
def test_a_project_is_served_from_the_folder_only(
    server: Any, folder: Path, name: str, status: int
) -> None:
    answer = server.get({**CAPABILITIES, "MAP": f"{folder}/{name}"})
    assert answer.status == status
    assert ("<Name>pub</Name>" in answer.text) is (status == 200)


@pytest.mark.parametrize(
    "query",
    [
        "MAP={served}&MAP={other}",
        "map={other}",
        "MAP={served}&Map={other}",
        "M%41P={other}",
    ],
)
def test_the_project_that_counts_is_the_one_that_qgis_loads(
    server: Any, folder: Path, query: str
) -> None:
    places = {name: folder / name / "town.qgs" for name in ("served", "other")}
    answer = server.get("SERVICE=WMS&REQUEST=GetCapabilities&" + query.format(**places))
    assert answer.status == 403


def test_a_project_in_the_body_counts_as_well(server: Any, folder: Path) -> None:
    body = f"MAP={folder}/other/town.qgs&SERVICE=WMS&REQUEST=GetCapabilities".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    query = {"MAP": f"{folder}/served/town.qgs"}
    assert server.get(query, headers, method="POST", body=body).status == 403


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("served/town.qgs", 200),
        ("other/town.qgs", 200),
        ("served/town.qgs~", 403),
        ("served/town.qgs.bak", 403),
    ],
)
def test_without_the_variable_everything_but_a_backup_is_served(
    unlimited: Any, folder: Path, name: str, status: int
) -> None:
    assert unlimited.get({**CAPABILITIES, "MAP": f"{folder}/{name}"}).status == status
