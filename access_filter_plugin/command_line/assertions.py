"""``access_tests``: what a project's author asserts about its rules (contract, section 9).

``{"as": {"user": "bob", "roles": ["viewer"]}, "layer": "roads", "expect": {"read": false}}`` asks the
decision engine; with ``"request": "SERVICE=WMS&REQUEST=GetCapabilities"`` instead of ``layer`` a real
server in this process answers, and ``expect`` speaks of ``status``, ``contains`` and ``absent``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Optional

from ..access_control.decision import LayerDecision
from ..access_control.policy import Action
from ..strict_json import ObjectReader, Problem, StrictJsonError, read_json, shown
from ..subject import Subject
from ..value_class import value_class

VARIABLE = "access_tests"
KEYS = ("name", "as", "layer", "service", "request", "operation", "expect")
FLAGS = ("read", "insert", "update", "delete", "lookup")
NAMES = ("visible", "hidden", "styles", "writable")
ANSWER = ("status", "contains", "absent")
ROWS = ("all", "some", "none")


@value_class
class Assertion:
    """One assertion: about a layer's decision, or about the answer to a request."""

    path: str
    name: str
    subject: Subject
    layer: str = ""
    service: str = "WMS"
    operation: str = ""
    query: str = ""
    """The query string of a request to send; empty for an assertion about a layer."""
    expect: Mapping[str, Any] = field(default_factory=dict)


def parse_assertions(text: str) -> list[Assertion]:
    """Return the assertions of the variable's text; raise StrictJsonError with every problem."""
    value = read_json(text, VARIABLE)
    if not isinstance(value, list):
        message = f"must be an array of assertions, is {shown(value)}"
        raise StrictJsonError([Problem(VARIABLE, message)])
    problems: list[Problem] = []
    found = [_assertion(item, f"{VARIABLE}[{index}]", problems) for index, item in enumerate(value)]
    if problems:
        raise StrictJsonError(problems)
    return found


def _assertion(value: Any, path: str, problems: list[Problem]) -> Assertion:
    reader = ObjectReader(value, path, problems, KEYS)
    query, layer = reader.string("request", "") or "", reader.string("layer", "") or ""
    if bool(query) == bool(layer):
        reader.problem("layer", "exactly one of layer and request is needed")
    subject = _subject(reader)
    known = ANSWER if query else (*FLAGS, *NAMES, "rows")
    expect = ObjectReader(reader.value.get("expect", {}), f"{path}.expect", problems, known)
    if not expect.value:
        reader.problem("expect", "asserts nothing")
    _check_expectation(expect)
    default = f"{subject.user or 'anonymous'}: {layer or query}"
    return Assertion(
        path=path,
        name=reader.string("name", default) or default,
        subject=subject,
        layer=layer,
        service=(reader.string("service", "WMS") or "WMS").upper(),
        operation=reader.string("operation", "") or "",
        query=query,
        expect=dict(expect.value),
    )


def _subject(reader: ObjectReader) -> Subject:
    who = ObjectReader(
        reader.value.get("as", {}), f"{reader.path}.as", reader.problems, ("user", "roles")
    )
    user = who.string("user") or None
    roles = who.strings("roles") or ()
    if roles and user is None:
        who.problem("roles", "an anonymous caller has no roles; name a user as well")
    return Subject(user, frozenset(roles), source="access_tests")


def _check_expectation(expect: ObjectReader) -> None:
    for key in FLAGS:
        if expect.has(key):
            expect.boolean(key, default=False)
    for key in (*NAMES, "contains", "absent"):
        expect.strings(key)
    if expect.has("rows"):
        expect.choice("rows", ROWS, "all")
    if expect.has("status"):
        expect.integer("status", 200, 100, 599)


def failures_of_decision(assertion: Assertion, decision: LayerDecision) -> list[str]:
    """Return what a decision does not fulfil of an assertion, in sentences."""
    return [
        sentence
        for key, wanted in assertion.expect.items()
        if (sentence := _difference(key, wanted, decision)) is not None
    ]


def _difference(key: str, wanted: Any, decision: LayerDecision) -> Optional[str]:
    if key in FLAGS:
        found = _flag(key, decision)
        return None if found is wanted else f"{key} is {str(found).lower()}"
    if key == "rows":
        rows = _rows(decision)
        return None if rows == wanted else f"rows are {rows}"
    names = _names(key, decision)
    missing = sorted(set([wanted] if isinstance(wanted, str) else wanted) - names)
    return f"not {key}: {', '.join(missing)}" if missing else None


def _flag(key: str, decision: LayerDecision) -> bool:
    if key == "read":
        return decision.read
    return decision.lookup if key == "lookup" else decision.edit(Action(key)).is_allowed


def _rows(decision: LayerDecision) -> str:
    if not decision.read or decision.rows.is_nothing:
        return "none"
    return "all" if decision.rows.is_everything else "some"


def _names(key: str, decision: LayerDecision) -> frozenset[str]:
    return {
        "visible": decision.attributes,
        "hidden": decision.hidden,
        "styles": decision.styles,
        "writable": decision.update.writable,
    }[key]


def failures_of_answer(assertion: Assertion, status: int, text: str) -> list[str]:
    """Return what an answer does not fulfil of an assertion, in sentences."""
    expect = assertion.expect
    found = []
    if "status" in expect and expect["status"] != status:
        found.append(f"status is {status}")
    found += [f"does not contain {shown(t)}" for t in _texts(expect, "contains") if t not in text]
    found += [f"contains {shown(t)}" for t in _texts(expect, "absent") if t in text]
    return found


def _texts(expect: Mapping[str, Any], key: str) -> list[str]:
    value = expect.get(key, [])
    return [value] if isinstance(value, str) else list(value)
