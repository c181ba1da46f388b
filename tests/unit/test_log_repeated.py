"""What is remembered for the line of one request never stands in the line of another."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import DecisionRecord, RequestContext
from access_filter_plugin.request_log.asked import SHOWN
from access_filter_plugin.request_log.entry import LineWriter, RequestFacts
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.remembered import MAX_TEXTS
from access_filter_plugin.request_log.repeated import BOXES, WHAT, WHO, keep_box
from access_filter_plugin.request_log.settings import LogSettings
from access_filter_plugin.subject import Subject
from tests.support.asked import a_request

WRITER = LineWriter(Pseudonyms("key"))
SERVICES = [*SHOWN, "ELSE"]

#: For each name a change that the line must show, whatever stood in the lines before it.
CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "project": lambda of: of["request"].update(project="/other.qgs"),
    "operation": lambda of: of["request"].update(operation="GetOther"),
    "version": lambda of: of["request"].update(version="2.0.0"),
    "method": lambda of: of["request"].update(method="POST"),
    "path": lambda of: of["request"].update(path="/wfs3/collections/b/items"),
    "body": lambda of: of["request"].update(body=b"<Query typeName='other'/>"),
    "layers of a print": lambda of: of["request"].update(
        operation="GetPrint", parameters={"MAP7:LAYERS": "other"}
    ),
    "bbox": lambda of: of["request"]["parameters"].update(BBOX="9,9,9,9"),
    "user": lambda of: of["subject"].update(user="bob"),
    "nobody": lambda of: of["subject"].update(user=None),
    "roles": lambda of: of["subject"].update(roles=frozenset({"b"})),
    "address": lambda of: of["subject"].update(address=ip_address("192.0.2.2")),
    "address 6": lambda of: of["subject"].update(address=ip_address("2001:db8::1")),
    "no address": lambda of: of["subject"].update(address=None),
    "effect": lambda of: of["decision"].update(effect="deny"),
    "rules": lambda of: of["decision"].update(rules=("b",)),
    "denied": lambda of: of["decision"].update(denied=("b",)),
    "filtered": lambda of: of["decision"].update(filtered=("b",)),
    "hidden": lambda of: of["decision"].update(hidden={"a": ("c",)}),
    "refused": lambda of: of["decision"].update(refused="other"),
    "agent": lambda of: of["facts"].update(user_agent="other"),
    "referer": lambda of: of["facts"].update(referer="http://other/"),
    "hidden users": lambda of: of["settings"].update(anonymize=frozenset({"user"})),
    "hidden addresses": lambda of: of["settings"].update(anonymize=frozenset({"client"})),
}


def line(service: str, change: Callable[[dict[str, Any]], Any] = lambda of: None) -> bytes:
    of = {**a_request(service), "facts": {"user_agent": "browser", "referer": "http://map/"}}
    change(of)
    context = RequestContext(
        OwsRequest(service, **of["request"]),
        Subject(**of["subject"]),
        decision=DecisionRecord(**of["decision"]),
        request_id="id",
    )
    facts = RequestFacts(0.0, 1.0, 200, **of["facts"])
    return WRITER.line(context, facts, LogSettings(**of["settings"]), "info")


def alone(service: str, change: Callable[[dict[str, Any]], Any]) -> bytes:
    WHAT.texts.clear()
    WHO.texts.clear()
    return line(service, change)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", CHANGES)
def test_a_line_is_the_same_after_others(name: str, service: str) -> None:
    expected = alone(service, CHANGES[name])
    plain = alone(service, lambda of: None)
    assert line(service, CHANGES[name]) == expected != plain or name == "body"
    assert line(service) == plain


def test_a_body_names_layers_that_the_request_before_did_not_ask_for() -> None:
    alone("WFS", lambda of: of["request"].update(parameters={}))
    told = line(
        "WFS", lambda of: of["request"].update(parameters={}, body=b"<Query typeName='b'/>")
    )
    assert b'"layers":["b"]' in told


@pytest.mark.parametrize(("service", "name"), [(s, name) for s in SHOWN for name in SHOWN[s]])
def test_every_parameter_that_is_shown_is_told_apart(service: str, name: str) -> None:
    values = ("a.1", "b.1") if name.endswith("EID") else ("7", "8")
    shown = False
    for operation in ("GetMap", "GetFeatureInfo", "GetPrint"):

        def asks(of: dict[str, Any], value: str, operation: str = operation) -> None:
            of["request"].update(parameters={name: value}, path="/", operation=operation)

        first, second = (alone(service, lambda of, v=value: asks(of, v)) for value in values)
        alone(service, lambda of: asks(of, values[0]))
        assert line(service, lambda of: asks(of, values[1])) == second
        shown = shown or first != second
    assert shown


def test_places_are_kept_within_bounds() -> None:
    BOXES.clear()
    for number in range(MAX_TEXTS + 1):
        assert keep_box(f"1,2,3,{number}") == f',"bbox":[1,2,3,{number}]'
    assert list(BOXES) == [f"1,2,3,{MAX_TEXTS}"]


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,nan", "1" * 300 + ",2,3,4"])
def test_what_is_no_place_is_not_kept(text: str) -> None:
    BOXES.clear()
    assert keep_box(text) == ""
    assert BOXES == {}
