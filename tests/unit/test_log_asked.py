"""What a request asked for: the layers of every service, and parameters that are what they say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import RequestContext
from access_filter_plugin.request_log.entry import LineWriter, RequestFacts
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.settings import LogSettings

WRITER = LineWriter(Pseudonyms(""))
FACTS = RequestFacts(time=0.0, ms=1.0, status=200)
OTHERS = {"time", "level", "request_id", "pid", "status", "ms", "bytes", "user", "decision"}


def asked(**request: Any) -> dict[str, Any]:
    parameters = request.pop("parameters", {})
    service, operation = request.pop("service", ""), request.pop("operation", "")
    context = RequestContext(OwsRequest(service, operation, parameters=parameters, **request))
    line: dict[str, Any] = json.loads(WRITER.line(context, FACTS, LogSettings(), "info"))
    return {name: value for name, value in line.items() if name not in OTHERS}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "layers"),
    [
        ("WMS", "GetMap", {"LAYERS": "a,b c,ü"}, ["a", "b c", "ü"]),
        ("WMS", "GetFeatureInfo", {"LAYERS": "a,b", "QUERY_LAYERS": "b"}, ["b"]),
        ("WMS", "GetFeatureInfo", {"LAYERS": "a,b"}, ["a", "b"]),
        ("WMS", "GetLegendGraphic", {"LAYER": "a"}, ["a"]),
        ("WMS", "GetPrint", {"MAP0:LAYERS": "a,b", "MAP1:LAYERS": "b,c"}, ["a", "b", "c"]),
        ("WMS", "GetPrint", {"LAYERS": "a"}, ["a"]),
        ("WFS", "GetFeature", {"TYPENAME": "qgs:a,b"}, ["a", "b"]),
        ("WFS", "GetFeature", {"TYPENAMES": "(a)(n:b)"}, ["a", "b"]),
        ("WFS", "GetFeature", {"FEATUREID": "a.1,a.2,b.c.3"}, ["a", "b.c"]),
        ("WFS", "GetFeature", {"RESOURCEID": "a.1"}, ["a"]),
        ("WCS", "GetCoverage", {"COVERAGE": "a"}, ["a"]),
        ("WCS", "DescribeCoverage", {"IDENTIFIERS": "a,b"}, ["a", "b"]),
        ("WMTS", "GetTile", {"LAYER": "a"}, ["a"]),
        ("ACCESS", "Explain", {"LAYER": "a"}, ["a"]),
        ("OTHER", "Do", {"LAYERS": "a"}, ["a"]),
    ],
)
def test_each_service_names_its_layers_its_own_way(
    service: str, operation: str, parameters: dict[str, str], layers: list[str]
) -> None:
    fields = asked(service=service, operation=operation, parameters=parameters)
    assert fields["layers"] == layers


@pytest.mark.parametrize(
    ("path", "layers"),
    [
        ("/wfs3/collections/parcels/items/3", ["parcels"]),
        ("/wfs3/collections/parcels.json", ["parcels"]),
        ("/wfs3/collections", None),
        ("/wfs3/", None),
    ],
)
def test_an_api_request_names_its_layer_in_the_path(path: str, layers: Any) -> None:
    assert asked(service="OAPIF", operation="Items", path=path).get("layers") == layers


def test_a_posted_query_names_its_layers_in_the_body() -> None:
    body = (
        b"<wfs:GetFeature><wfs:Query typeName=\"qgs:a\"/><wfs:Query typeName='b'/></wfs:GetFeature>"
    )
    assert asked(service="WFS", operation="GetFeature", body=body)["layers"] == ["a", "b"]


def test_a_transaction_names_the_layers_it_changes() -> None:
    body = b"""<wfs:Transaction><wfs:Insert handle="x"> <qgs:parcels><qgs:name/></qgs:parcels>
        </wfs:Insert><wfs:Delete typeName="roads"/></wfs:Transaction>"""
    fields = asked(service="WFS", operation="Transaction", body=body)
    assert sorted(fields["layers"]) == ["parcels", "roads"]


@pytest.mark.parametrize(
    ("parameter", "field", "sent", "shown"),
    [
        ("SRS", "crs", "EPSG:4326", "EPSG:4326"),
        ("SRSNAME", "crs", "urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4326"),
        ("CRS", "crs", "<script>", None),
        ("BBOX", "bbox", "1,2,3,4,EPSG:4326", [1, 2, 3, 4]),
        ("BBOX", "bbox", "+1,.5,007,1E3", [1, 0.5, 7, 1000]),
        ("BBOX", "bbox", "-1.25,0,-0,10.50", [-1.25, 0, 0, 10.5]),
        ("BBOX", "bbox", "5.,-.5,00,-01", [5, -0.5, 0, -1]),
        ("BBOX", "bbox", "1,2,3,-", None),
        ("BBOX", "bbox", "1,2,3,1-2", None),
        ("BBOX", "bbox", "1,2,3,1.2.3", None),
        ("BBOX", "bbox", "1,2,,3", None),
        ("BBOX", "bbox", "1,2,3", None),
        ("BBOX", "bbox", "1,2,3,nan", None),
        ("BBOX", "bbox", "1,2,3,1e999", None),
        ("BBOX", "bbox", "1" * 1000 + ",2,3,4", None),
        ("MAP0:EXTENT", "bbox", "1,2,3,4", [1, 2, 3, 4]),
        ("WIDTH", "width", "007", 7),
        ("WIDTH", "width", "-1", None),
        ("WIDTH", "width", "٣", None),
        ("WIDTH", "width", "9" * 30, None),
        ("MAXFEATURES", "feature_count", "10", 10),
        ("COUNT", "feature_count", "10", 10),
        ("LIMIT", "feature_count", "10", 10),
        ("OUTPUTFORMAT", "format", "text/xml; subtype=gml/3.1.1", "text/xml; subtype=gml/3.1.1"),
        ("FORMAT", "format", "x" * 100, None),
        ("TEMPLATE", "template", "A4 quer", "A4 quer"),
        ("PASSWORD", "password", "x", None),
    ],
)
def test_a_parameter_is_shown_when_it_is_what_it_should_be(
    parameter: str, field: str, sent: str, shown: Any
) -> None:
    assert asked(parameters={parameter: sent}).get(field) == shown


def test_the_format_of_a_feature_info_is_that_of_the_answer() -> None:
    parameters = {"FORMAT": "image/png", "INFO_FORMAT": "application/json"}
    assert asked(service="WMS", parameters=parameters)["format"] == "application/json"


def test_a_long_list_of_layers_is_cut_and_says_so() -> None:
    layers = asked(service="WMS", parameters={"LAYERS": ",".join(f"l{n}" for n in range(300))})
    assert len(layers["layers"]) == 51
    assert layers["layers"][-1] == "… 250 more"


def test_a_megabyte_of_layers_costs_no_more_than_a_page() -> None:
    fields = asked(service="WMS", parameters={"LAYERS": "x" * 1_000_000})
    assert len(json.dumps(fields)) < 10_000
