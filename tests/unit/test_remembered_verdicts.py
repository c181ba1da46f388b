"""Verdicts that are remembered: never for a request of another form, another caller, or a refusal."""

from __future__ import annotations

import pytest

from access_filter_plugin.access_control.admission import wfs, wms_parameters, wmts
from access_filter_plugin.access_control.admission.grammar import is_bbox
from access_filter_plugin.access_control.admission.remembered import (
    MAX_TEXT,
    PLACES,
    RememberedVerdicts,
    shape_of,
)
from access_filter_plugin.access_control.admission.verdict import ADMITTED, Verdict, refuse
from access_filter_plugin.access_control.catalogue import Catalogue
from access_filter_plugin.access_control.matching import Caller
from access_filter_plugin.access_control.project_access import OperationAccess
from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.subject import ANONYMOUS

PLAIN = {"LAYERS": "parcels", "FILTER": "parcels:a = 1", "BBOX": "0,0,1,1", "WIDTH": "10"}


def request(**parameters: str) -> OwsRequest:
    return OwsRequest("WMS", "GetMap", parameters={**PLAIN, **parameters})


def access() -> OperationAccess:
    return OperationAccess(Catalogue(), Caller(ANONYMOUS, frozenset()), "WMS", "GetMap")


class Judge:
    """Counts how often it is asked."""

    def __init__(self, answer: Verdict = ADMITTED) -> None:
        self.asked = 0
        self._answer = answer

    def __call__(self) -> Verdict:
        self.asked += 1
        return self._answer


def asked_again(first: OwsRequest, second: OwsRequest) -> bool:
    """Return whether the judge is asked for the second request as well."""
    verdicts, judge, caller = RememberedVerdicts(), Judge(), access()
    for one in (first, second):
        verdicts.verdict(one, caller, judge)
    return judge.asked == 2


def test_another_piece_of_the_same_map_is_judged_once() -> None:
    assert not asked_again(request(), request(BBOX="5,5,6,6", WIDTH="20"))


@pytest.mark.parametrize(
    "other",
    [
        request(LAYERS="owners"),
        request(FILTER="parcels:a = 2"),
        request(FILTER=""),
        request(STYLES=""),
        request(I="1"),
        request(BBOX=""),
        request(BBOX="somewhere"),
        request(WIDTH="10; drop"),
        request()._replace(operation="GetFeatureInfo"),
        request()._replace(method="HEAD"),
        request()._replace(service="WMTS"),
        OwsRequest("WMS", "GetMap", parameters={k: v for k, v in PLAIN.items() if k != "BBOX"}),
    ],
    ids=str,
)
def test_a_request_of_another_form_is_judged_again(other: OwsRequest) -> None:
    assert asked_again(request(), other)


def test_nothing_is_remembered_of_a_request_with_a_body() -> None:
    with_body = request()._replace(body=b"<GetFeature/>")
    assert asked_again(with_body, with_body)


ITEMS = OwsRequest(
    "OAPIF",
    "Items",
    url="http://host/wfs3/collections/a/items?limit=5",
    path="/wfs3/collections/a/items",
    parameters={"LIMIT": "5"},
)


def test_an_equal_request_of_the_api_is_judged_once() -> None:
    assert not asked_again(ITEMS, ITEMS._replace(parameters=dict(ITEMS.parameters)))


@pytest.mark.parametrize(
    "other",
    [
        ITEMS._replace(path="/wfs3/collections/b/items"),
        ITEMS._replace(url="http://host/wfs3/collections/a/items?limit=5&properties=b"),
        ITEMS._replace(url="http://host/wfs3/collections/a/items?LIMIT=5"),
        ITEMS._replace(parameters={"LIMIT": "6"}),
        ITEMS._replace(operation="Item"),
        ITEMS._replace(method="HEAD"),
        ITEMS._replace(body=b"{}"),
    ],
    ids=str,
)
def test_another_request_of_the_api_is_judged_again(other: OwsRequest) -> None:
    assert asked_again(ITEMS, other)


def test_what_rows_decide_is_not_remembered() -> None:
    verdicts, judge, caller = RememberedVerdicts(), Judge(Verdict(is_lasting=False)), access()
    for _ in range(2):
        verdicts.verdict(ITEMS, caller, judge)
    assert judge.asked == 2


def test_a_long_address_is_not_remembered() -> None:
    assert shape_of(ITEMS._replace(url="http://host/" + "x" * MAX_TEXT)) is None


def test_nothing_is_remembered_of_very_long_requests() -> None:
    assert asked_again(request(FILTER="x" * MAX_TEXT), request(FILTER="x" * MAX_TEXT))


def test_one_callers_verdict_is_never_anothers() -> None:
    verdicts, judge = RememberedVerdicts(), Judge()
    callers = [access() for _ in range(20)]
    for caller in callers * 2:
        verdicts.verdict(request(), caller, judge)
    assert judge.asked == len(callers)


def test_a_refusal_is_not_remembered() -> None:
    verdicts, judge, caller = RememberedVerdicts(), Judge(refuse("LAYERS: no")), access()
    for _ in range(2):
        assert verdicts.verdict(request(), caller, judge).refused is not None
    assert judge.asked == 2
    assert len(verdicts) == 0


def test_the_oldest_verdicts_leave() -> None:
    verdicts, caller = RememberedVerdicts(limit=3), access()
    for number in range(10):
        verdicts.verdict(request(LAYERS=f"layer{number}"), caller, Judge())
    assert len(verdicts) == 3


@pytest.mark.parametrize("service", PLACES)
def test_the_form_of_a_place_is_no_looser_than_what_the_judge_of_the_service_asks(
    service: str,
) -> None:
    judges = {
        "WMS": list(wms_parameters.OPERATIONS.values()),
        "WMTS": list(wmts._OPERATIONS.values()),
        "WFS": [grammars for grammars, _judged in wfs._PARAMETERS.values()],
        "OAPIF": [],
    }[service]
    known = 0
    for grammars in judges:
        for name, grammar in PLACES[service].items():
            if name in grammars:
                known += 1
                assert grammars[name] is grammar, (service, name)
    assert known >= len(PLACES[service])
    assert PLACES["WMS"]["BBOX"] is is_bbox
