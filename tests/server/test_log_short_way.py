"""The usual line is written without the calls that an unusual one takes: both must be the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from access_filter_plugin.operator_settings import OperatorSettings
from access_filter_plugin.ows_request import OwsRequest
from access_filter_plugin.request_context import DecisionRecord, RequestContext
from access_filter_plugin.request_log import qgis_filter, usual_line
from access_filter_plugin.request_log.asked import SHOWN
from access_filter_plugin.request_log.entry import BadLayer
from access_filter_plugin.request_log.qgis_filter import ProjectLog, RequestLog
from access_filter_plugin.request_log.settings import LogSettings
from access_filter_plugin.subject import Subject
from tests.support.asked import a_request

SERVICES = [*SHOWN, "ELSE"]
BODY = b'{"type": "FeatureCollection"}'
Of = dict[str, Any]

#: What may be different about a request, and whether its line goes the short way then.
CHANGES: dict[str, tuple[bool, Callable[[Of], Any]]] = {
    "nothing": (True, lambda of: None),
    "no project": (True, lambda of: of["request"].update(project="")),
    "a name to be quoted": (True, lambda of: of["request"].update(project='/a"\n\u202e.qgs')),
    "another operation": (True, lambda of: of["request"].update(operation='Get"Other')),
    "a path": (True, lambda of: of["request"].update(path="/wfs3/collections/b/items")),
    "no place": (True, lambda of: of["request"]["parameters"].pop("BBOX")),
    "a wrong place": (True, lambda of: of["request"]["parameters"].update(BBOX="1,2,x,4")),
    "place of a print": (
        True,
        lambda of: of["request"].update(parameters={"MAP0:EXTENT": "1,2,3,4"}),
    ),
    "nobody": (True, lambda of: of["subject"].update(user=None, roles=frozenset())),
    "a long name": (True, lambda of: of["subject"].update(user="ü" * 500)),
    "no address": (True, lambda of: of["subject"].update(address=None)),
    "effect none": (True, lambda of: of["decision"].update(effect="none", rules=())),
    "all of a decision": (
        True,
        lambda of: of["decision"].update(denied=("b",), filtered=("c",), hidden={"a": ("c", "d")}),
    ),
    "headers": (
        True,
        lambda of: of["headers"].update({"User-Agent": 'a"\n', "Referer": "http://x/?token=1"}),
    ),
    "an id": (True, lambda of: of["headers"].update({"X-Request-ID": "sent-1"})),
    "cached": (True, lambda of: of["context"].update(cached=True)),
    "a document": (True, lambda of: of["context"].update(document_bytes=len(BODY))),
    "a slow document": (
        False,
        lambda of: (of["context"].update(document_bytes=len(BODY)), of.update(now=160.0)),
    ),
    "status 0": (True, lambda of: of["answer"].update(status=0)),
    "no body of an answer": (True, lambda of: of["answer"].update(body=b"")),
    "enriched": (False, lambda of: of["context"].update(enriched=True)),
    "a body": (False, lambda of: of["request"].update(body=b"<Query typeName='other'/>")),
    "a print": (False, lambda of: of["request"].update(operation="GetPrint")),
    "a trace": (
        False,
        lambda of: of["headers"].update(traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01"),
    ),
    "denied": (False, lambda of: of["decision"].update(effect="deny")),
    "refused": (False, lambda of: of["decision"].update(refused="no")),
    "status 304": (True, lambda of: of["answer"].update(status=304)),
    "status 403": (False, lambda of: of["answer"].update(status=403)),
    "status 500": (False, lambda of: of["answer"].update(status=500)),
    "streamed": (False, lambda of: of["answer"].update(streamed=True)),
    "slow": (False, lambda of: of["settings"].update(slow_ms=1.0)),
    "as slow as that": (False, lambda of: of["settings"].update(slow_ms=125.0)),
    "perhaps aborted": (False, lambda of: of.update(now=100.25)),
    "some fields": (False, lambda of: of["settings"].update(fields=frozenset({"user", "ms"}))),
    "a sample": (False, lambda of: of["settings"].update(sample=0.999999999999)),
    "hidden users": (False, lambda of: of["settings"].update(anonymize=frozenset({"user"}))),
    "hidden addresses": (False, lambda of: of["settings"].update(anonymize=frozenset({"client"}))),
    "a bad layer": (False, lambda of: of.update(bad_layers=(BadLayer("roads", "no file"),))),
    "times of layers": (False, lambda of: of.update(layer_ms={"roads": 1.0})),
}


class Handler:
    """What QGIS answered, as the log asks for it."""

    def __init__(self, of: Of) -> None:
        self._answer = of["answer"]
        self._headers = of["headers"]
        self.headers: dict[str, str] = {}

    def headersSent(self) -> bool:
        return bool(self._answer["streamed"])

    def requestHeader(self, name: str) -> str:
        return str(self._headers.get(name, ""))

    def setResponseHeader(self, name: str, value: str) -> None:
        self.headers[name] = value

    def statusCode(self) -> int:
        return int(self._answer["status"])

    def body(self) -> Any:
        from qgis.PyQt.QtCore import QByteArray

        return QByteArray(self._answer["body"])


def answered(service: str) -> Of:
    """Return a request with what the filter of the log is told besides."""
    return {
        **a_request(service),
        "context": {},
        "headers": {"User-Agent": "browser", "Referer": "http://map/"},
        "answer": {"status": 200, "body": BODY, "streamed": False},
        "bad_layers": (),
        "layer_ms": None,
        "now": 100.125,
    }


class Lines:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, str]] = []

    def write(self, line: bytes, level: str) -> None:
        self.kept.append((line, level))


def written(
    service: str, of: Of, monkeypatch: pytest.MonkeyPatch, *, may_be_short: bool
) -> tuple[bytes, str, bool]:
    """Return the line of a request, its level, and whether it was written the short way."""
    clock = SimpleNamespace(time=lambda: 1767225600.75, perf_counter=lambda: now)
    monkeypatch.setattr(qgis_filter, "time", clock)
    monkeypatch.setattr(usual_line, "time", clock)
    monkeypatch.setattr(qgis_filter, "layer_times", lambda: of["layer_ms"])
    now = of["now"]
    log = RequestLog(OperatorSettings(log_sink="off", log_key="key"))
    log.sink = lines = Lines()
    log._measures_layers = True
    log._ids.make = lambda: "made-1"
    long_way, went = log._writer.line, []
    monkeypatch.setattr(log._writer, "line", lambda *given: (went.append(1), long_way(*given))[1])
    settings = LogSettings(**of["settings"])
    kept = ProjectLog(settings, of["bad_layers"], settings.is_plain and may_be_short)
    context = RequestContext(
        OwsRequest(service, **of["request"]),
        Subject(**of["subject"]),
        decision=DecisionRecord(**of["decision"]),
        started=100.0,
        project=SimpleNamespace(parts={log.name: kept}),
        **of["context"],
    )
    handler = Handler(of)
    log.request_ready(context, handler)
    log.response_complete(context, handler)
    ((line, level),) = lines.kept
    return line, level, not went


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", CHANGES)
def test_both_ways_write_the_same_line(
    name: str, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_short, change = CHANGES[name]
    of = answered(service)
    change(of)
    short, level, was_short = written(service, of, monkeypatch, may_be_short=True)
    long, long_level, was_long = written(service, of, monkeypatch, may_be_short=False)
    assert (short, level) == (long, long_level)
    assert was_short == (is_short and service != "ELSE")  # whose errors have no status
    assert not was_long
    assert json.loads(short)["ms"] == (of["now"] - 100) * 1000


def test_a_document_of_ours_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    of = answered("WMS")
    of["context"].update(document_bytes=7)
    of["answer"] = None  # whoever asks for it fails
    line, _, was_short = written("WMS", of, monkeypatch, may_be_short=True)
    entry = json.loads(line)
    assert (entry["bytes"], entry["status"], was_short) == (7, 200, True)


#: What leaves no trace in a line.
TWINS = ("nothing", "status 0", "a wrong place", "a document")


def test_lines_of_different_requests_are_told_apart_in_one_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What one line leaves in memory is of no use to a request that differs from it."""
    lines = []
    for name, (is_short, change) in CHANGES.items():
        of = answered("WMS")
        change(of)
        if is_short and name not in TWINS:  # twins of others
            lines.append(written("WMS", of, monkeypatch, may_be_short=True)[0])
    assert len(set(lines)) == len(lines)
