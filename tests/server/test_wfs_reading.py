"""WFS for a caller to whom rows, attributes and layers are closed: nothing of them comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import policy_project
from tests.support.server import Client, Server
from tests.support.wfs import NAMESPACES, by_id, equals, features, names, query

RULES = [
    {"id": "boss", "roles": "boss", "layers": "*"},
    {
        "id": "public",
        "layers": "parcels",
        "filter": "public = 1",
        "attributes": ["name", "zone", "status"],
    },
    {"id": "adders", "roles": "adder", "layers": "reports", "actions": "insert"},
]
BOX = (
    '<ogc:BBOX><ogc:PropertyName>geometry</ogc:PropertyName><gml:Box srsName="EPSG:4326">'
    "<gml:coordinates>0,0 3.5,3.5</gml:coordinates></gml:Box></ogc:BBOX>"
)


def box_filter(inner: str = BOX) -> str:
    return f"<ogc:Filter {NAMESPACES}>{inner}</ogc:Filter>"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy_project(tmp_path_factory.mktemp("wfs"), access_rules=RULES)


@pytest.fixture
def anon(server: Server, project: Path) -> Client:
    return server.client(project)


@pytest.fixture
def boss(server: Server, project: Path) -> Client:
    return server.client(project, "root", "boss")


EVERYDAY: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["one", "four"]),
    ({"EXP_FILTER": '"zone" = 1'}, ["one"]),
    ({"EXP_FILTER": "\"name\" LIKE '%ou%' -- a comment"}, ["four"]),
    ({"EXP_FILTER": '"zone" + 1 = 2'}, ["one"]),
    ({"EXP_FILTER": "lower(\"name\") IN ('one', 'two')"}, ["one"]),
    ({"SORTBY": "name"}, ["four", "one"]),
    ({"SORTBY": "zone D,name A"}, ["four", "one"]),
    ({"SORTBY": "name DESC"}, ["one", "four"]),
    ({"PROPERTYNAME": "name"}, ["one", "four"]),
    ({"PROPERTYNAME": "qgs:name,geometry"}, ["one", "four"]),
    ({"TYPENAME": "qgs:parcels"}, ["one", "four"]),
    ({"FEATUREID": "parcels.4", "TYPENAME": None}, ["four"]),
    ({"FEATUREID": "parcels.2", "TYPENAME": None}, []),
    ({"FEATUREID": "parcels.1,parcels.2,parcels.4", "TYPENAME": None}, ["one", "four"]),
    ({"FEATUREID": "parcels.4", "PROPERTYNAME": "name", "TYPENAME": None}, ["four"]),
    ({"FILTER": equals("zone", 1)}, ["one"]),
    ({"FILTER": box_filter()}, ["one"]),
    (
        {
            "FILTER": box_filter(
                f"<ogc:And>{BOX}<ogc:PropertyIsNull><ogc:PropertyName>status"
                "</ogc:PropertyName></ogc:PropertyIsNull></ogc:And>"
            )
        },
        [],
    ),
    ({"FILTER": by_id("parcels.1", "parcels.2")}, ["one"]),
    ({"BBOX": "0,0,3.5,3.5"}, ["one"]),
    ({"BBOX": "0,0,3.5,3.5,EPSG:4326"}, ["one"]),
    ({"MAXFEATURES": "1"}, ["one"]),
    ({"MAXFEATURES": "1", "STARTINDEX": "1"}, ["four"]),
    ({"SRSNAME": "EPSG:3857"}, ["one", "four"]),
]


@pytest.mark.parametrize(("parameters", "expected"), EVERYDAY)
def test_everyday_requests_of_a_restricted_caller_work(
    anon: Client, parameters: dict[str, Any], expected: list[str]
) -> None:
    parameters = dict(parameters)
    layer = parameters.pop("TYPENAME", "parcels")
    assert names(features(anon, layer, **parameters)) == expected


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_gml_holds_visible_rows_and_attributes_only(anon: Client, version: str) -> None:
    text = anon.get(SERVICE="WFS", VERSION=version, REQUEST="GetFeature", TYPENAME="parcels").text
    assert "four" in text
    assert not [word for word in ("three", "alice", "owner", "public", "qgs:fid") if word in text]


HIDDEN = "\"owner\" = 'carl'"
ORACLES: list[dict[str, Any]] = [
    {"EXP_FILTER": HIDDEN},
    {"EXP_FILTER": '"Owner" = \'carl\''},
    {"EXP_FILTER": "attribute(@feature, 'owner') = 'carl'"},
    {"EXP_FILTER": "aggregate('salaries_layer_id', 'max', \"amount\") > 4100"},
    {"EXP_FILTER": "get_feature('salaries_layer_id', 'amount', 4100) IS NOT NULL"},
    {"EXP_FILTER": "represent_value(\"owner\") = 'carl'"},
    {"EXP_FILTER": "layer_property('salaries_layer_id', 'name') = 'salaries'"},
    {"EXP_FILTER": "@project_path <> ''"},
    {"SORTBY": "owner"},
    {"SORTBY": "CASE WHEN owner = 'carl' THEN 0 ELSE 1 END"},
    {"PROPERTYNAME": "owner"},
    {"PROPERTYNAME": "fid"},
    {"FILTER": equals("owner", "carl")},
    {"FILTER": equals("OWNER", "carl")},
    {"FILTER": f"<ogc:Filter {NAMESPACES}><ogc:PropertyIsEqualTo><ogc:Function name='env'>"
               "<ogc:Literal>HOME</ogc:Literal></ogc:Function><ogc:Literal>x</ogc:Literal>"
               "</ogc:PropertyIsEqualTo></ogc:Filter>"},
    {"FILTER": '<!DOCTYPE Filter [<!ENTITY a "x">]><Filter>&a;</Filter>'},
    {"FILTER": box_filter(f"<ogc:And>{BOX}</ogc:And>")},
]  # fmt: skip


@pytest.mark.parametrize("parameters", ORACLES)
def test_what_would_tell_something_hidden_is_refused(
    anon: Client, parameters: dict[str, Any]
) -> None:
    answer = features(anon, **parameters)
    assert answer.status in (400, 403)
    assert "ServiceException" in answer.text
    assert "carl" not in answer.text


def test_unguarded_a_filter_on_a_hidden_attribute_finds_rows(
    server: Server, anon: Client, project: Path
) -> None:
    with server.unguarded():
        assert names(features(anon, EXP_FILTER=HIDDEN)) == ["four"]
        assert names(features(anon, FILTER=equals("owner", "carl"))) == ["four"]


def test_a_hidden_attribute_answers_like_an_unknown_one(anon: Client) -> None:
    for shape in ('"{}" = 1',):
        hidden = features(anon, EXP_FILTER=shape.format("owner"))
        unknown = features(anon, EXP_FILTER=shape.format("owneb"))
        assert (hidden.status, hidden.body) == (unknown.status, unknown.body)
    for parameter in ("SORTBY", "PROPERTYNAME"):
        hidden, unknown = (features(anon, **{parameter: name}) for name in ("owner", "owneb"))
        assert (hidden.status, hidden.body) == (unknown.status, unknown.body)


@pytest.mark.parametrize("request_name", ["GetFeature", "DescribeFeatureType"])
def test_a_hidden_layer_answers_like_an_unknown_one(anon: Client, request_name: str) -> None:
    answers = [
        anon.get(SERVICE="WFS", REQUEST=request_name, TYPENAME=name)
        for name in ("salaries", "salariez")
    ]
    hidden, unknown = answers
    assert hidden.status == unknown.status
    assert hidden.body == unknown.body.replace(b"salariez", b"salaries")
    assert {k: v for k, v in hidden.headers.items() if k != "X-Request-ID"} == {
        k: v for k, v in unknown.headers.items() if k != "X-Request-ID"
    }


def test_one_hidden_layer_among_several_makes_the_request_unknown(
    server: Server, anon: Client
) -> None:
    answer = features(anon, "parcels,salaries")
    assert answer.status == 400
    assert answer.body == features(anon, "parcels,salaries").body
    assert "4200" not in answer.text
    with server.unguarded():
        assert "4200" in features(anon, "parcels,salaries").text


def test_the_extent_is_that_of_the_visible_rows(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "filter": "zone = 1"}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    for _ in range(2):
        assert features(client).json["bbox"] == [1, 1, 3, 3]
    capabilities = client.get(SERVICE="WFS", VERSION="1.1.0", REQUEST="GetCapabilities").text
    assert "<ows:UpperCorner>3 3</ows:UpperCorner>" in capabilities
    with server.unguarded():
        assert features(client).json["bbox"] == [1, 1, 4, 4]


def test_the_extent_is_back_for_the_next_caller(anon: Client, boss: Client) -> None:
    features(anon)
    assert features(boss).json["bbox"] == [1, 1, 4, 4]


def test_capabilities_list_what_is_open_with_the_edits_that_are(anon: Client) -> None:
    for version in ("1.0.0", "1.1.0"):
        answer = anon.get(SERVICE="WFS", VERSION=version, REQUEST="GetCapabilities")
        assert answer.status == 200
        assert "<Name>parcels</Name>" in answer.text
        assert "salaries" not in answer.text
        types = answer.text.partition("<FeatureTypeList")[2].partition("</FeatureTypeList")[0]
        layers = types.partition("<FeatureType>")[2]
        assert "Query" in layers
        assert not [word for word in ("Insert", "Update", "Delete") if word in layers]


def test_schemas_leave_hidden_attributes_out(server: Server, anon: Client) -> None:
    answer = anon.get(SERVICE="WFS", REQUEST="DescribeFeatureType", TYPENAME="parcels")
    assert 'name="status"' in answer.text
    assert not [name for name in ("owner", "public", "fid") if f'name="{name}"' in answer.text]
    everything = anon.get(SERVICE="WFS", REQUEST="DescribeFeatureType")
    assert "parcels" in everything.text
    assert "salaries" not in everything.text
    with server.unguarded():
        assert 'name="owner"' in anon.get(SERVICE="WFS", REQUEST="DescribeFeatureType").text


def test_insert_without_read_lists_layer_and_schema_and_no_row(
    server: Server, project: Path
) -> None:
    adder = server.client(project, "ann", "adder")
    assert "<Name>reports</Name>" in adder.get(SERVICE="WFS", REQUEST="GetCapabilities").text
    schema = adder.get(SERVICE="WFS", REQUEST="DescribeFeatureType", TYPENAME="reports").text
    assert 'name="title"' in schema
    answer = features(adder, "reports")
    assert names(answer) == []
    assert answer.json["bbox"] == [0, 0, 0, 0]


def test_a_query_in_a_body_is_held_to_the_same(anon: Client) -> None:
    assert names(anon.post(query("qgs:parcels"), SERVICE="WFS")) == ["one", "four"]
    assert names(anon.post(query("parcels", equals("zone", 2)), SERVICE="WFS")) == ["four"]
    chosen = "<wfs:PropertyName>qgs:name</wfs:PropertyName>"
    assert names(anon.post(query("parcels", chosen), SERVICE="WFS")) == ["one", "four"]
    order = (
        "<ogc:SortBy><ogc:SortProperty><ogc:PropertyName>name</ogc:PropertyName>"
        "<ogc:SortOrder>ASC</ogc:SortOrder></ogc:SortProperty></ogc:SortBy>"
    )
    assert names(anon.post(query("parcels", order), SERVICE="WFS")) == ["four", "one"]


REFUSED_BODIES = [
    query("salaries"),
    query("parcels", equals("owner", "carl")),
    query("parcels", "<wfs:PropertyName>owner</wfs:PropertyName>"),
    query("parcels", "<ogc:SortBy><ogc:SortProperty><ogc:PropertyName>owner</ogc:PropertyName>"
                     "</ogc:SortProperty></ogc:SortBy>"),
    query("parcels", "<ogc:SortBy><ogc:SortProperty><ogc:PropertyName>1/0</ogc:PropertyName>"
                     "</ogc:SortProperty></ogc:SortBy>"),
    query("parcels", "<x><wfs:Query typeName='salaries'/></x>"),
    query("parcels", "<!-- a comment -->"),
    '<!DOCTYPE a [<!ENTITY b "c">]>' + query("parcels"),
    query("parcels").replace("GetFeature", "DescribeFeatureType"),
    query("parcels") + "x",
]  # fmt: skip


@pytest.mark.parametrize("body", REFUSED_BODIES)
def test_bodies_that_are_not_understood_are_refused(anon: Client, body: str) -> None:
    answer = anon.post(body, SERVICE="WFS", REQUEST="GetFeature")
    assert answer.status in (400, 403)
    assert "4200" not in answer.text


def test_a_body_counts_whatever_its_content_type(anon: Client) -> None:
    answer = anon.post(
        query("salaries"),
        {"Content-Type": "application/json"},
        SERVICE="WFS",
        REQUEST="GetFeature",
        TYPENAME="parcels",
    )
    assert answer.status == 400
    assert "4200" not in answer.text


def test_parameters_in_a_form_are_held_to_the_same(anon: Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    named = {"SERVICE": "WFS", "REQUEST": "GetFeature", "OUTPUTFORMAT": "GeoJSON"}
    assert names(anon.post("TYPENAME=parcels&EXP_FILTER=%22zone%22%3D1", form, **named)) == ["one"]
    hidden = "TYPENAME=parcels&EXP_FILTER=%22owner%22%3D%27carl%27"
    assert anon.post(hidden, form, **named).status == 400
    assert anon.post("typename=salaries", form, TYPENAME="parcels", **named).status == 400


def test_the_last_of_two_parameters_is_the_one_that_is_judged(server: Server, anon: Client) -> None:
    url = anon.url(SERVICE="WFS", REQUEST="GetFeature", OUTPUTFORMAT="GeoJSON", TYPENAME="parcels")
    answer = server.run(f"{url}&TYPENAME=salaries", cgi=anon.cgi)
    assert answer.status == 400
    assert "4200" not in answer.text


def test_a_caller_to_whom_everything_is_open_gets_the_same_bytes(
    server: Server, boss: Client
) -> None:
    requests: list[dict[str, Any]] = [
        {"REQUEST": "GetFeature", "TYPENAME": "parcels"},
        {"REQUEST": "GetFeature", "TYPENAME": "parcels,salaries", "OUTPUTFORMAT": "GeoJSON"},
        {"REQUEST": "GetFeature", "TYPENAME": "parcels", "EXP_FILTER": HIDDEN},
        {"REQUEST": "DescribeFeatureType"},
        {"REQUEST": "GetFeature", "TYPENAME": "nothing"},
    ]
    for parameters in requests:
        guarded = boss.get(SERVICE="WFS", **parameters)
        with server.unguarded():
            plain = boss.get(SERVICE="WFS", **parameters)
        assert (guarded.status, guarded.body) == (plain.status, plain.body)


def test_parameters_beside_a_body_are_judged_as_well(anon: Client) -> None:
    """Should QGIS not find the body well-formed, it would run the parameters."""
    body = query("parcels")
    assert anon.post(body, SERVICE="WFS", TYPENAME="salaries").status == 400
    assert anon.post(body, SERVICE="WFS", TYPENAME="parcels", EXP_FILTER=HIDDEN).status == 400
    assert names(anon.post(body, SERVICE="WFS", TYPENAME="parcels")) == ["one", "four"]


def test_the_layer_of_an_id_is_the_one_that_qgis_reads(server: Server, tmp_path: Path) -> None:
    """QGIS takes what stands before a colon for the layer, and what stands behind for a property."""
    rules = [
        {"layers": "parcels", "filter": "coalesce(public, 1) = 1", "attributes": ["name"]},
        {"layers": "reports"},
    ]
    client = server.client(policy_project(tmp_path, access_rules=rules))
    for name in ("parcels:reports", "qgs:reports"):
        answer = features(client, None, FEATUREID=f"{name}.2")
        assert (answer.status, "unknown" in answer.text) == (400, True), answer.text
    assert names(features(client, None, FEATUREID="reports.1"), "title") == ["first"]
    assert names(features(client, None, FEATUREID="parcels.1")) == ["one"]
