from __future__ import annotations

from pathlib import Path

import pytest

from access_filter_plugin.operator_settings import OperatorSettings
from access_filter_plugin.project_admission import project_refusal

EVERYTHING = OperatorSettings()
BACKUPS = [
    "a.qgs~",
    "a.qgz~",
    "A.QGS~",
    "a.qgs.bak",
    "a.qgz.old",
    "a.qgs.1",
    "a.bak",
    "a.orig",
    "a.qgs~.",
    "a.qgs~/",
    ".a.qgs.swp",
]


def refusal(path: str, *allowed: str) -> str | None:
    return project_refusal(path, OperatorSettings(projects=allowed))


@pytest.mark.parametrize("name", BACKUPS)
def test_a_backup_is_refused_to_everybody_whatever_is_allowed(name: str) -> None:
    path = f"/srv/projects/{name}"
    reasons = {project_refusal(path, EVERYTHING), refusal(path, "/srv/projects")}
    assert reasons == {"the project is a backup"}


@pytest.mark.parametrize(
    "uri", ["geopackage:/srv/a.gpkg~?projectName=x", "postgresql://?service=gis&project=a~"]
)
def test_a_backup_in_a_database_is_refused(uri: str) -> None:
    assert project_refusal(uri, EVERYTHING) == "the project is a backup"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/srv/a.qgs",
        "relative.qgz",
        "/srv/a.qgs.bak/b.qgs",
        "/srv/v1.qgs.qgz",
        "/srv/Plan~2.QGS",
        "/srv/Gemeinde Müller\u00a0x.qgs",
        "postgresql://?service=gis&schema=a&project=b",
        "geopackage:/srv/a.gpkg?projectName=x",
    ],
)
def test_without_a_list_every_project_is_served(path: str) -> None:
    assert project_refusal(path, EVERYTHING) is None


@pytest.mark.parametrize("path", ["/srv/a\x00.qgs", "/srv/a\n.qgs", "postgresql://\t"])
def test_a_name_with_control_characters_is_refused(path: str) -> None:
    assert project_refusal(path, EVERYTHING) == "the project's name has control characters"


def test_an_empty_list_allows_no_project() -> None:
    assert refusal("/srv/a.qgs") is not None


def test_a_request_without_a_project_is_none_of_the_lists_business() -> None:
    assert refusal("", "/srv/projects") is None


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/srv/projects/a.qgs", True),
        ("/srv/projects/deep/er/a.qgz", True),
        ("/srv/projects//./a.qgs", True),
        ("/srv/projects/x/../a.qgs", True),
        ("/srv/projects/../a.qgs", False),
        ("/srv/projects/../projects2/a.qgs", False),
        ("/srv/projects2/a.qgs", False),
        ("/srv/a.qgs", False),
        ("a.qgs", False),
        ("/srv/one.qgs", True),
        ("/srv/one.qgs2", False),
        ("geopackage:/srv/projects/a.gpkg?projectName=x", False),
        ("postgresql:///srv/projects/a.qgs", False),
        ("file:///srv/projects/a.qgs", False),
    ],
)
def test_a_file_must_lie_in_an_allowed_folder(path: str, served: bool) -> None:
    assert (refusal(path, "/srv/projects/", "/srv/one.qgs") is None) is served


def test_a_link_counts_as_the_file_that_it_names(tmp_path: Path) -> None:
    served, other = tmp_path / "served", tmp_path / "other"
    served.mkdir()
    other.mkdir()
    (served / "out.qgs").symlink_to(other / "a.qgs")
    (served / "old.qgs").symlink_to(served / "a.qgs~")
    (tmp_path / "alias").symlink_to(served)
    assert refusal(str(served / "out.qgs"), str(served)) is not None
    assert refusal(str(served / "old.qgs"), str(served)) is not None
    assert refusal(str(tmp_path / "alias" / "a.qgs"), str(served)) is None
    assert refusal(str(served / "a.qgs"), str(tmp_path / "alias")) is None


@pytest.mark.parametrize(
    ("uri", "served"),
    [
        ("postgresql://?service=gis", True),
        ("postgresql://?service=gis&schema=a&project=b", True),
        ("postgresql://?service=gis2&schema=a&project=b", False),
        ("postgresql://?service=gis&service=other&project=b", False),
        ("postgresql://?service=gis&schema=a&schema=b", False),
        ("postgresql://?service=gis&schema=a&dbname=other", False),
        ("postgresql://?service=gis&schema=a&authcfg=other", False),
        ("postgresql://?service=gis&schema=a&%73ervice=other", False),
        ("postgresql://?service=gis&schema=a#x", False),
        ("postgresql://?service=gis%26service=other", False),
        ("postgresql://?schema=a&service=gis", False),
        ("postgresql://other?service=gis", False),
        ("POSTGRESQL://?service=gis", False),
        ("postgresql://u@db:5432?sslmode=require&dbname=gis&schema=a&project=b", True),
        ("postgresql://u@db:5432?sslmode=require&dbname=gis2&schema=a&project=b", False),
        ("postgresql://u@db:5432?sslmode=require&dbname=gis&service=other", False),
        ("postgresql://u@db:54321?sslmode=require&dbname=gis", False),
        ("postgresql://u@db:5432.example.org/?sslmode=require&dbname=gis", False),
        ("postgresql://host/?project=a&schema=b", True),
        ("postgresql://host.example.org/?project=a", False),
        ("postgresql://host@example.org/?project=a", False),
        ("postgresql://host:5432/?project=a", False),
        ("postgresql://[", False),
        ("oracle://?service=gis", False),
    ],
)
def test_a_database_must_begin_with_an_allowed_prefix_and_add_only_the_project(
    uri: str, served: bool
) -> None:
    allowed = (
        "postgresql://?service=gis",
        "postgresql://u@db:5432?sslmode=require&dbname=gis",
        "postgresql://host",
    )
    assert (refusal(uri, *allowed) is None) is served


@pytest.mark.parametrize("prefix", ["postgresql:", "postgresql://"])
def test_a_bare_scheme_allows_every_database_of_its_kind(prefix: str) -> None:
    assert refusal("postgresql://anywhere?dbname=x&service=y", prefix) is None
    assert refusal("oracle://anywhere", prefix) is not None


@pytest.mark.parametrize(
    ("uri", "served"),
    [
        ("geopackage:/srv/projects/a.gpkg?projectName=x", True),
        ("geopackage:/srv/one.gpkg?projectName=x", True),
        ("geopackage:/srv/projects/../b.gpkg?projectName=x", False),
        ("geopackage:/srv/projects2/a.gpkg?projectName=x", False),
        ("geopackage:/srv/projects/%2e%2e/b.gpkg?projectName=x", False),
        ("geopackage:/srv/projects/a.gpkg?projectName=x&projectName=y", False),
        ("geopackage:/srv/projects/a.gpkg", False),
        ("/srv/projects/a.gpkg", False),
    ],
)
def test_a_geopackage_must_lie_in_an_allowed_place(uri: str, served: bool) -> None:
    allowed = ("geopackage:/srv/projects", "geopackage:/srv/one.gpkg")
    assert (refusal(uri, *allowed) is None) is served
