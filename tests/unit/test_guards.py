"""The guards for everybody, as plain values."""

from __future__ import annotations

import random
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_filter_plugin.access_control.admission import grammar
from access_filter_plugin.access_control.admission.grammar import has_template, is_bbox
from access_filter_plugin.access_control.admission.guard_body import body_reads_server
from access_filter_plugin.access_control.admission.guards import (
    atlas_filter,
    external_layers,
    leads_outside,
    names_file,
    reads_server,
    second_name,
    smuggles,
    template_parameter,
)

HOSTS = frozenset({"maps.example"})


@pytest.mark.parametrize(
    "text",
    [
        "env('HOME') = 'x'",
        "ENV ( 'HOME' )",
        "1 = 1 OR file_exists('x')",
        "@project_path LIKE '/%'",
        "eval('1')",
        "'it''s' || env('X')",
        "env/* */('X')",
        '<Filter><Function name="env"/></Filter>',
        "<Filter><ogc:Function name = ' env '/></Filter>",
        '<Filter><Function name="&#101;nv"/></Filter>',
        "%65nv('HOME')",
        "' unclosed env('X')",
    ],
)
def test_what_reads_the_server_is_found(text: str) -> None:
    assert reads_server(text)


@pytest.mark.parametrize(
    "text",
    [
        "\"env\" = 'env(1)'",
        "name = 'a@b.c'",
        "environment = 1",
        "$geometry IS NULL",
        "intersects(@geometry, $geometry)",
        "parcels:\"name\" = 'var(x)'",
        "<Filter><PropertyName>env</PropertyName></Filter>",
        "",
    ],
)
def test_what_is_only_named_alike_passes(text: str) -> None:
    assert not reads_server(text)


SORT = "<a><SortBy><SortProperty><PropertyName>{}</PropertyName></SortProperty></SortBy></a>"


@pytest.mark.parametrize(
    "body",
    [
        "<a><ogc:Function name='env'/></a>",
        '<a><Function name="e&#110;v"/></a>',
        '<a><Function  NAME = " Env "/></a>',
        '<!DOCTYPE a [<!ENTITY e "env">]><a><Function name="&e;"/></a>',
        "<!DOCTYPE a><a/>",
        '<?xml version="1.0" encoding="UTF-7"?><a/>',
        "<?xml version='1.0' encoding='utf-16'?><a/>",
        '<?xml version="1.0" encoding="IBM037"?><a/>',
        '<?xml version="1.0" encoding="UTF-8" encoding="UTF-7"?><a/>',
        '<?xml version="1.0" encoding=UTF-7?><a/>',
        " " * 9000 + "<a><Function name='env'/></a>",
        "<a>\0</a>",
        SORT.format("env('X') = 'x'"),
        SORT.format("<![CDATA[env('X')]]>"),
        SORT.format("e<b>nv</b>('X')"),
        SORT.format("@project_path"),
        SORT.format("a") + "<b>",
    ],
)
def test_a_body_that_reads_the_server_or_could_hide_it_is_found(body: str) -> None:
    assert body_reads_server(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "<a>env</a>",
        "<a><Function name='abs'/>env(1)</a>",
        "<b name='env'/>",
        "",
        "p=<!DOCTYPE a>",
        '<?xml version="1.0"?><a/>',
        "\ufeff<?xml version='1.0' encoding='utf-8'?><a/>",
        '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        '<a encoding="UTF-7"/>',
        SORT.format("name"),
    ],
)
def test_a_plain_body_passes(body: str) -> None:
    assert not body_reads_server(body.encode())


@pytest.mark.parametrize(
    "text", ['<!DOCTYPE a [<!ENTITY e "env">]><a n="&e;"/>', "%3C!ENTITY e 'x'"]
)
def test_a_parameter_with_a_document_type_reads_the_server(text: str) -> None:
    assert reads_server(text)


@given(st.text(max_size=20), st.sampled_from(["&", "#"]), st.text(max_size=20), st.integers(0, 3))
def test_a_separator_is_found_however_often_it_is_encoded(
    before: str, separator: str, after: str, times: int
) -> None:
    encoded = separator
    for _ in range(times):
        encoded = quote(encoded, safe="")
    assert smuggles(before + encoded + after)


@pytest.mark.parametrize("value", ["image/png; mode=8bit", "100%", "EPSG:3857", "a=b", "%41"])
def test_a_plain_value_is_not_smuggling(value: str) -> None:
    assert not smuggles(value)


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 3))
def test_a_template_is_found_however_often_it_is_encoded(
    before: str, after: str, times: int
) -> None:
    encoded = "[%"
    for _ in range(times):
        encoded = quote(encoded, safe="")
    assert has_template(before + encoded + after)
    assert template_parameter({"A": "x", "B": before + encoded + after}) == "B"


@pytest.mark.parametrize("value", ["file:///etc", "<img src='FILE:///x'>", "%66ile%3A/x"])
def test_a_file_is_named_by_its_url(value: str) -> None:
    assert names_file(value)


@pytest.mark.parametrize("value", ["profile:/x", "file: plan", "filed: /x", "a:b", "100 %"])
def test_a_text_about_files_names_none(value: str) -> None:
    assert not names_file(value)


def test_plain_texts_hold_no_template() -> None:
    assert template_parameter({"A": "100 % [all]", "B": "[1]%", "C": "%5B"}) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://maps.example.evil/",
        "http://maps.example@evil/",
        "http://maps.example%40evil/",
        "http://maps.example%2540evil/",
        "http://maps.example\\@evil/",
        "file:///etc/passwd",
        "//maps.example/",
        "",
    ],
)
def test_an_outside_layer_leads_to_listed_hosts_only(url: str) -> None:
    parameters = {"LAYERS": "a,EXTERNAL_WMS:ext", "EXT:URL": url}
    assert list(external_layers(parameters)) == ["ext"]
    assert leads_outside(parameters, "ext", HOSTS)


def test_a_listed_host_may_be_asked() -> None:
    parameters = {"EXT:URL": "https://MAPS.example:8080/wms?x=y", "EXT:LAYERS": "a"}
    assert not leads_outside(parameters, "ext", HOSTS)
    assert leads_outside({**parameters, "EXT:AUTHCFG": "x"}, "ext", HOSTS)
    assert leads_outside({**parameters, "EXT:OTHER": "http://evil/"}, "ext", HOSTS)


@pytest.mark.parametrize(
    ("text", "is_box"),
    [
        ("", True),
        ("0,0,1.5,-2e3", True),
        ("0,0,1e 05,2", True),
        ("0,0,1,1,EPSG:4326", True),
        ("0,0,1", False),
        ("0,0,1,x", False),
        ("0,0,1,1;DROP", False),
    ],
)
def test_a_box_is_four_numbers(text: str, is_box: bool) -> None:
    assert is_bbox(text) is is_box


def test_a_quick_look_finds_no_box_that_a_slow_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(7)
    parts = ["1", "-1", "1.5"] * 5 + ["1.", ".5", "-", "+1", "1e3", "", " 1", "1" * 31, "1.1.1"]
    sizes = [chance.choice((3, 4, 4, 4, 5)) for _ in range(3000)]
    boxes = [",".join(chance.choices(parts, k=size)) for size in sizes]
    quick = [is_bbox(box) for box in boxes]
    monkeypatch.setattr(grammar, "_PLAIN_BOX", re.compile("(?!)"))
    assert quick == [is_bbox(box) for box in boxes]
    assert {True, False} == set(quick)


@pytest.mark.parametrize("name", ["::FILTER", "FILTER\0", "FILTER\0X", "MAP0:HIGHLIGHT_SYMBOL\0"])
def test_a_parameter_that_qgis_reads_under_another_name_is_found(name: str) -> None:
    assert second_name({"LAYERS": "a", name: "b"}) == name


@pytest.mark.parametrize("name", ["FILTER", "EXT:URL", "MAP0:LAYERS", "EXT::URL", ""])
def test_a_parameter_with_one_name_is_not(name: str) -> None:
    assert second_name({"LAYERS": "a", name: "::b\0"}) is None


def test_row_numbers_stand_in_an_expression() -> None:
    assert atlas_filter("1,,2 OR env('X')") == "( $id = 1 ) OR ( $id = 2 OR env('X') )"
    assert atlas_filter("") == ""
