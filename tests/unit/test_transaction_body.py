"""A transaction is read into plain actions completely, or refused."""

from __future__ import annotations

import pytest

from access_filter_plugin.access_control.admission.refused import Refused
from access_filter_plugin.access_control.admission.transaction import (
    Delete,
    Insert,
    Update,
    read_transaction,
)
from access_filter_plugin.access_control.admission.wfs_body import is_xml, parse_body
from tests.support.bounded import bounded

FILTER = '<Filter><FeatureId fid="roads.1"/></Filter>'
PROPERTY = "<Property><Name>name</Name><Value>A</Value></Property>"
UPDATE = f'<Update typeName="qgs:roads">{PROPERTY}{FILTER}</Update>'
POINT = "<Point><coordinates>1,1</coordinates></Point>"


def read(inner: str) -> list[object]:
    return list(read_transaction(parse_body(f"<Transaction>{inner}</Transaction>".encode())))


def test_actions_are_read_with_names_values_and_geometries() -> None:
    actions = read(
        f"<Insert><roads><name>A</name><geometry>{POINT}</geometry></roads></Insert>"
        f'{UPDATE}<Delete typeName="roads">{FILTER}</Delete>'
    )
    inserted, updated, deleted = actions
    assert isinstance(inserted, Insert)
    assert (inserted.type_name, inserted.values) == ("roads", (("name", "A"),))
    assert inserted.geometry == f"<geometry>{POINT}</geometry>"
    assert isinstance(updated, Update)
    assert (updated.type_name, updated.values, updated.geometry) == (
        "roads",
        (("name", "A"),),
        None,
    )
    assert isinstance(deleted, Delete)
    assert deleted.type_name == "roads"


def test_a_property_without_value_is_null_and_an_empty_one_is_empty() -> None:
    properties = "<Property><Name>a</Name></Property><Property><Name>b</Name><Value/></Property>"
    (updated,) = read(f'<Update typeName="roads">{properties}</Update>')
    assert isinstance(updated, Update)
    assert updated.values == (("a", None), ("b", ""))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<Native/>",
        "<Insert/>",
        "<Insert><roads/><rivers/></Insert>",
        "<Insert><roads><name><b>A</b></name></roads></Insert>",
        "<Insert><roads><name>A</name><name>B</name></roads></Insert>",
        f"<Insert><roads><geometry>{POINT}{POINT}</geometry></roads></Insert>",
        "<Insert><roads><name>[% 1 %]</name></roads></Insert>",
        "<Insert><roads><!-- c --><name>A</name></roads></Insert>",
        UPDATE.replace(">A<", ">[% env('X') %]<"),
        UPDATE.replace(FILTER, FILTER + FILTER),
        UPDATE.replace(PROPERTY, PROPERTY + PROPERTY),
        UPDATE.replace(PROPERTY, ""),
        UPDATE.replace(PROPERTY, "<Property><Name>a</Name><Name>b</Name></Property>"),
        UPDATE.replace(PROPERTY, "<Property><Value>a</Value></Property>"),
        UPDATE.replace(PROPERTY, f"<x>{PROPERTY}</x>"),
        UPDATE.replace("typeName=", "x='1' typeName="),
        '<Delete typeName="roads"/>',
        f'<Delete typeName="roads"><x/>{FILTER}</Delete>',
    ],
)
def test_what_is_not_understood_is_refused(inner: str) -> None:
    with pytest.raises(Refused):
        read(inner)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><Transaction/>',
        b"<Transaction>&b;</Transaction>",
        b"<Transaction>\xff</Transaction>",
        '<?xml version="1.0" encoding="UTF-16"?><Transaction/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?><Transaction/>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><Transaction>é</Transaction>'.encode("latin-1"),
        b"<Transaction>",
        b"<Transaction/><Transaction/>",
        b"<a>" * 100_000,
    ],
)
def test_bodies_that_parsers_could_read_differently_are_refused(body: bytes) -> None:
    assert is_xml(body)
    with pytest.raises(Refused):
        parse_body(body)


@pytest.mark.parametrize("body", [b"", b"SERVICE=WFS&x=<a/>", b"a<b"])
def test_parameters_are_no_xml(body: bytes) -> None:
    assert not is_xml(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a [" + b'<!ENTITY b "bbbbbbbbbb">' * 400_000 + b"]><a/>",
        b"<a>" * 3_300_000,
        b"<a " + b"x" * 10_000_000 + b"/>",
    ],
)
def test_ten_megabytes_that_are_no_request_are_refused_at_once(body: bytes) -> None:
    with bounded(1), pytest.raises(Refused):  # parsing it whole would take several
        parse_body(body)


def test_a_body_of_nothing_but_tags_is_refused_before_a_tree_is_made_of_it() -> None:
    assert len(parse_body(b"<a>" + b"<b/>" * 99_000 + b"</a>")) == 99_000
    with pytest.raises(Refused, match="too many elements"):
        parse_body(b"<a>" + b"<b/>" * 100_000 + b"</a>")
    ordinary = b"<qgs:name>abc</qgs:name>\n" * 60_000
    assert len(parse_body(b'<a xmlns:qgs="q">' + ordinary + b"</a>")) == 60_000
