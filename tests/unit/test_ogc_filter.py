"""OGC filters are held to visible attributes, comparing operators and plain geometries."""

from __future__ import annotations

import pytest

from access_filter_plugin.access_control.admission.ogc_filter import check_filter, parse_filter
from access_filter_plugin.access_control.admission.refused import Refused
from access_filter_plugin.access_control.admission.wfs_layers import QueryLayer

LAYER = QueryLayer("roads_id", "roads", visible=frozenset({"name", "lanes"}))
BOX = (
    "<BBOX><PropertyName>geometry</PropertyName>"
    "<Box><coordinates>0,0 1,1</coordinates></Box></BBOX>"
)
NAME = (
    "<PropertyIsEqualTo><PropertyName>name</PropertyName>"
    "<Literal>A &amp; B</Literal></PropertyIsEqualTo>"
)
LIKE = (
    '<PropertyIsLike wildCard="*" singleChar="." escape="!"><PropertyName>name</PropertyName>'
    "<Literal>A*</Literal></PropertyIsLike>"
)
BETWEEN = (
    "<PropertyIsBetween><PropertyName>lanes</PropertyName>"
    "<LowerBoundary><Literal>1</Literal></LowerBoundary>"
    "<UpperBoundary><Literal>2</Literal></UpperBoundary></PropertyIsBetween>"
)
INTERSECTS = (
    "<Intersects><PropertyName>qgs:geometry</PropertyName>"
    '<Polygon srsName="EPSG:4326"><exterior><LinearRing><posList>0 0 1 0 1 1 0 0</posList>'
    "</LinearRing></exterior></Polygon></Intersects>"
)
DEEP = "<Not>" * 150 + NAME + "</Not>" * 150


def check(inner: str) -> list[str]:
    return check_filter(parse_filter(f"<Filter>{inner}</Filter>"), LAYER)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        NAME,
        f"<Not>{NAME}</Not>",
        f"<And>{NAME}{NAME}</And>",
        f"<Or>{NAME}<And>{NAME}{BOX}</And></Or>",
        "<PropertyIsNull><PropertyName>lanes</PropertyName></PropertyIsNull>",
        LIKE,
        BETWEEN,
        INTERSECTS,
        BOX,
        DEEP,
    ],
)
def test_conditions_on_visible_attributes_are_accepted(inner: str) -> None:
    assert check(inner) == []


def test_the_ids_of_a_filter_are_returned() -> None:
    assert check('<FeatureId fid="roads.1"/><FeatureId fid="roads.2"/>') == ["roads.1", "roads.2"]
    assert check('<GmlObjectId xmlns:gml="x" gml:id="roads.1"/>') == ["roads.1"]


@pytest.mark.parametrize(
    "inner",
    [
        NAME.replace(">name<", ">secret<"),
        NAME.replace(">name<", ">NAME<"),
        NAME.replace(">name<", "> name <"),
        NAME.replace(">name<", "><x/>name<"),
        "<PropertyIsEqualTo><Function name='env'/><Literal>1</Literal></PropertyIsEqualTo>",
        "<PropertyIsEqualTo><Literal><Function name='env'/></Literal></PropertyIsEqualTo>",
        f"{NAME}{NAME}",
        f"{NAME}<FeatureId fid='roads.1'/>",
        "<FeatureId/>",
        "<FeatureId fid='roads.1' id='roads.2'/>",
        "<FeatureId fid='roads.1'/><GmlObjectId id='roads.1'/>",
        f"<And>{BOX}</And>",
        f"<And>{BOX}{BOX}</And>",
        BOX.replace("geometry", "secret"),
        BOX.replace("0,0 1,1", "env('HOME')"),
        "<Intersects><PropertyName>geometry</PropertyName><Function name='x'/></Intersects>",
        NAME.replace("<PropertyIsEqualTo>", "<PropertyIsEqualTo script='x'>"),
        "<!-- " + NAME + " -->",
        "<?php x ?>",
        "name = 'a'",
        "<Sql>1=1</Sql>",
        "<Not>" * 300 + NAME + "</Not>" * 300,
    ],
)
def test_everything_else_is_refused(inner: str) -> None:
    with pytest.raises(Refused):
        check(inner)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Filter>",
        "<filter/>",
        "<Filters/>",
        '<!DOCTYPE Filter [<!ENTITY a "b">]><Filter/>',
        "\0",
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse_filter(text)


def test_a_hidden_and_an_unknown_attribute_answer_alike() -> None:
    texts = set()
    for name in ("secret", "nothing"):
        with pytest.raises(Refused) as refused:
            check(NAME.replace(">name<", f">{name}<"))
        texts.add(refused.value.verdict.refused)
    assert len(texts) == 1
