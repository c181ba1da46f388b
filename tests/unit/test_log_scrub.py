"""What nobody may read in a log is taken out of every text that gets there."""

from __future__ import annotations

import pytest

from access_filter_plugin.request_log.scrub import (
    HIDDEN,
    MAX_LOOKED_AT,
    project_name,
    scrubbed,
    without_query,
)
from tests.support.bounded import bounded


@pytest.mark.parametrize(
    "text",
    [
        "password=s3cret",
        "PASSWORD = s3cret",
        "the pwd: s3cret was wrong",
        "error at user='u' password='s3cret with blanks'",
        "password='s3cret that never ends",
        'password="s3cret \\" s3cret" x',
        '{"api_key": "s3cret"}',
        "x=token=s3cret",
        "Error:token=s3cret",
        "a&access_token=s3cret&b=1",
        "password%3Ds3cret",
        "password%253Ds3cret",
        "Authorization: Basic s3cret",
        "authorization: Bearer s3cret, and more s3cret",
        "Cookie: a=s3cret; b=s3cret",
        "Bearer s3cret",
        "BASIC   s3cret",
        "X-Access-Filter-Secret: s3cret",
        "http://user:s3cret@example.org/",
        "postgresql://user:s3/cret@s3cret@host/db",
        "dbname='s3cret' host=s3cret user=s3cret",
        'dbname=\'gis\' host=1.2.3.4 table="s3cret"."s3cret" (geom)',
        "service='s3cret' key='id'",
        "authcfg=s3cret",
        "cannot open /data/s3cret.gpkg|layername=x",
        "password='s3cret\\",
        "JSESSIONID=s3cret",
    ],
)
def test_a_secret_is_hidden(text: str) -> None:
    assert "s3cret" not in scrubbed(text)
    assert HIDDEN in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        "parcels",
        "Der Layer 'Wälder' existiert nicht.",
        "a 100 % slope",
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "passages, tokens and keys",
        "EPSG:3857",
        "image/png; mode=8bit",
        "/data/town.qgs",
        "SERVICE=WMS&REQUEST=GetMap",
        "",
    ],
)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    "unit", ["a", "pass", "://", "a=", "'", "|", "@", "%25", "token ", "= ", '"']
)
def test_a_megabyte_costs_next_to_nothing(unit: str) -> None:
    text = "token" + unit * (1_000_000 // len(unit))
    with bounded(0.3):
        assert len(scrubbed(text)) <= 2 * MAX_LOOKED_AT


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/data/town.qgs", "/data/town.qgs"),
        ("C:/data/town.qgs", "C:/data/town.qgs"),
        (
            "postgresql://u:s3cret@db:5432?sslmode=disable&dbname=gis&schema=qgis&project=town",
            "postgresql://db:5432?dbname=gis&schema=qgis&project=town",
        ),
        (
            "postgresql:?dbname=gis&user=u&password=s3cret&project=t",
            "postgresql:?dbname=gis&project=t",
        ),
        ("postgresql://u:s3?cret@db?dbname=gis&project=t", "postgresql://db?dbname=gis&project=t"),
        ("geopackage:/data/a.gpkg?projectName=town", "geopackage:/data/a.gpkg?projectName=town"),
        (
            "postgresql://u:s3cret@db?project=t;password=s3cret",
            "postgresql://db?project=t;password=***",
        ),
    ],
)
def test_a_project_is_named_without_user_and_password(path: str, shown: str) -> None:
    assert project_name(path) == shown


def test_an_overlong_database_address_shows_its_scheme_alone() -> None:
    assert project_name("postgresql://u:" + "s3cret" * 1000) == "postgresql:***"


def test_a_referer_is_shown_without_its_query() -> None:
    assert without_query("https://example.org/map?token=s3cret#s3cret") == "https://example.org/map"
