"""One request as one line: the fields of the contract, in its order, and nothing else."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any

import pytest

from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import DecisionRecord, RequestContext
from access_filter_plugin.request_log.entry import (
    BadLayer,
    LineWriter,
    RequestFacts,
    is_remarkable,
    level_of,
)
from access_filter_plugin.request_log.pseudonym import Pseudonyms
from access_filter_plugin.request_log.service_error import ServiceError
from access_filter_plugin.request_log.settings import FIELDS, LogSettings
from access_filter_plugin.subject import Subject

GET_MAP = OwsRequest(
    service="WMS",
    operation="GetMap",
    version="1.3.0",
    parameters={
        "LAYERS": "parcels,roads",
        "STYLES": "default,",
        "CRS": "EPSG:3857",
        "BBOX": "0,1.5,-2,3e2",
        "WIDTH": "256",
        "HEIGHT": "256",
        "FORMAT": "image/png",
        "TOKEN": "s3cret",
    },
    method="GET",
    path="/ows/",
    project="/data/town.qgs",
)
ALICE = Subject("alice", frozenset({"viewer", "editor"}), ip_address("203.0.113.9"))
DEFAULTS = LogSettings()
FACTS = RequestFacts(time=1767225600.25, ms=12.345, status=200, bytes=512)


def context(request: OwsRequest = GET_MAP, subject: Subject = ALICE, **more: Any) -> RequestContext:
    return RequestContext(request=request, subject=subject, request_id="id-1", **more)


def line(
    of: RequestContext | None = None,
    facts: RequestFacts = FACTS,
    settings: LogSettings = DEFAULTS,
) -> dict[str, Any]:
    of = of or context()
    writer = LineWriter(Pseudonyms("key"))
    written = writer.line(of, facts, settings, level_of(of, facts, settings.slow_ms))
    assert written.endswith(b"}\n")
    assert written.count(b"\n") == 1
    entry: dict[str, Any] = json.loads(written)
    return entry


def test_a_request_is_told_in_one_line() -> None:
    entry = line()
    del entry["pid"]
    assert entry == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "info",
        "request_id": "id-1",
        "project": "/data/town.qgs",
        "service": "WMS",
        "request": "GetMap",
        "version": "1.3.0",
        "layers": ["parcels", "roads"],
        "styles": ["default"],
        "crs": "EPSG:3857",
        "bbox": [0.0, 1.5, -2.0, 300.0],
        "width": 256,
        "height": 256,
        "format": "image/png",
        "method": "GET",
        "path": "/ows/",
        "status": 200,
        "ms": 12.35,
        "bytes": 512,
        "user": "alice",
        "roles": ["editor", "viewer"],
        "client": "203.0.113.9",
        "decision": {"effect": "none"},
    }


def full_line() -> dict[str, Any]:
    decision = DecisionRecord(
        effect="deny",
        rules=("r1", "r2"),
        denied=("salaries",),
        filtered=("parcels",),
        hidden={"parcels": ("owner",)},
        refused="FILTER names an attribute that is hidden",
    )
    parameters = dict(GET_MAP.parameters, TEMPLATE="A4", FEATURE_COUNT="5")
    request = OwsRequest("WMS", "GetMap", "1.3.0", parameters, "GET", "", "/ows/", b"", "/p.qgs")
    facts = RequestFacts(
        time=1.0,
        ms=1.0,
        status=403,
        bytes=1,
        error=ServiceError("Security", "no"),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        user_agent="curl/8",
        referer="https://example.org/",
        bad_layers=[BadLayer("roads", "file not found")],
        layer_ms={"parcels": 1.25, "(labeling)": 0.0},
    )
    return line(context(request, decision=decision, cached=True, enriched=True), facts)


def test_a_line_has_the_fields_of_the_contract_in_its_order() -> None:
    assert tuple(full_line()) == FIELDS


def test_the_decision_tells_rules_layers_attributes_and_the_reason() -> None:
    assert full_line()["decision"] == {
        "effect": "deny",
        "rules": ["r1", "r2"],
        "denied": ["salaries"],
        "filtered": ["parcels"],
        "hidden": {"parcels": ["owner"]},
        "refused": "FILTER names an attribute that is hidden",
    }


def test_an_anonymous_caller_and_a_streamed_answer_are_null() -> None:
    entry = line(context(subject=Subject()), FACTS._replace(bytes=None))
    assert (entry["user"], entry["bytes"]) == (None, None)
    assert "roles" not in entry
    assert "client" not in entry


@pytest.mark.parametrize(
    ("status", "ms", "decision", "level"),
    [
        (200, 1, DecisionRecord(), "info"),
        (200, 1, DecisionRecord(effect="allow"), "info"),
        (404, 1, DecisionRecord(), "info"),
        (200, 1000, DecisionRecord(), "warning"),
        (403, 1, DecisionRecord(), "warning"),
        (401, 1, DecisionRecord(), "warning"),
        (200, 1, DecisionRecord(effect="deny"), "warning"),
        (400, 1, DecisionRecord(effect="allow", refused="no"), "warning"),
        (500, 1, DecisionRecord(), "error"),
        (503, 5000, DecisionRecord(effect="deny"), "error"),
    ],
)
def test_the_level_follows_from_status_time_and_decision(
    status: int, ms: float, decision: DecisionRecord, level: str
) -> None:
    facts = FACTS._replace(status=status, ms=ms)
    assert line(context(decision=decision), facts)["level"] == level


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, False),
        ({"status": 404}, True),
        ({"error": ServiceError("x")}, True),
        ({"bad_layers": [BadLayer("a", "b")]}, True),
    ],
)
def test_errors_and_bad_layers_are_kept_whatever_the_sample(
    change: dict[str, Any], kept: bool
) -> None:
    facts = FACTS._replace(**change)
    assert is_remarkable(facts) is kept


def test_fields_that_a_project_drops_are_gone() -> None:
    settings = LogSettings(fields=frozenset({"time", "status", "user"}))
    assert list(line(settings=settings)) == ["time", "status", "user"]


def test_a_user_becomes_a_pseudonym_that_is_equal_for_equal_users() -> None:
    settings = LogSettings(anonymize=frozenset({"user"}))
    first, second = line(settings=settings)["user"], line(settings=settings)["user"]
    other = line(context(subject=Subject("bob")), settings=settings)["user"]
    assert first == second != other
    assert first.startswith("~")
    assert len(first) == 17


def test_pseudonyms_differ_under_different_keys() -> None:
    assert Pseudonyms("a").of("alice") != Pseudonyms("b").of("alice")
    assert Pseudonyms(None).of("alice") != Pseudonyms(None).of("alice")


def test_a_pseudonymous_users_name_is_in_no_text_of_the_line() -> None:
    settings = LogSettings(anonymize=frozenset({"user"}))
    decision = DecisionRecord(effect="deny", refused="alice may not")
    facts = FACTS._replace(status=403, error=ServiceError("Security", "alice may not"))
    entry = line(context(decision=decision), facts, settings)
    assert "alice" not in json.dumps(entry)
    assert entry["decision"]["refused"] == f"{entry['user']} may not"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::ffff:203.0.113.9", "203.0.113.0"),
    ],
)
def test_an_anonymized_client_is_a_network(address: str, shown: str) -> None:
    settings = LogSettings(anonymize=frozenset({"client"}))
    caller = context(subject=Subject(address=ip_address(address)))
    assert line(caller, settings=settings)["client"] == shown


def test_a_zone_of_an_address_cannot_break_the_line() -> None:
    caller = context(subject=Subject(address=ip_address('fe80::1%a","user":"root')))
    assert line(caller)["user"] is None


def test_the_time_goes_on() -> None:
    writer = LineWriter(Pseudonyms("key"))
    times = [
        json.loads(writer.line(context(), FACTS._replace(time=at), LogSettings(), "info"))["time"]
        for at in (0.0, 0.999, 1.0, 61.5)
    ]
    assert [time[17:] for time in times] == ["00.000Z", "00.999Z", "01.000Z", "01.500Z"]
