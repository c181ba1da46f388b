"""One request and its answer as one line: pure, from plain values to bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address
from typing import NamedTuple, Optional

from ..request_context import RequestContext
from ..subject import Address
from .asked import asked_text
from .decision_text import decision_text
from .json_text import json_object, members, quoted, string_list
from .line_template import line_template
from .pseudonym import Pseudonyms, truncated
from .scrub import project_name, scrubbed, without_query
from .service_error import ServiceError
from .settings import LogSettings

MAX_HEADER = 256
MAX_ERROR = 300
_MAX_REMEMBERED = 512
_MAX_PROJECT = 4096
_MAX_BAD_LAYERS = 100
_MAX_TIMED_LAYERS = 200


class BadLayer(NamedTuple):
    """A layer of a project that could not be loaded, and why, in words of ours."""

    name: str
    reason: str


class RequestFacts(NamedTuple):
    """What only the end of a request tells."""

    time: float
    """When the request came, in seconds since 1970."""
    ms: Optional[float]
    status: int
    bytes: Optional[int] = None
    """None where the answer was streamed and nobody counted."""
    error: Optional[ServiceError] = None
    trace_id: str = ""
    user_agent: str = ""
    referer: str = ""
    bad_layers: Sequence[BadLayer] = ()
    layer_ms: Optional[Mapping[str, float]] = None


def level_of(context: RequestContext, facts: RequestFacts, slow_ms: float) -> str:
    """Return ``error`` on 5xx, ``warning`` when refused or slow, else ``info``.

    Refused is what access control said no to, in whatever way QGIS then put it.
    """
    status = facts.status
    if status >= 500:
        return "error"
    decision = context.decision
    refused = decision.refused is not None or decision.effect == "deny" or status in (401, 403)
    slow = facts.ms is not None and facts.ms >= slow_ms
    return "warning" if refused or slow else "info"


def is_remarkable(facts: RequestFacts) -> bool:
    """Return whether a line of level ``info`` is written whatever ``sample`` says."""
    return facts.error is not None or facts.status >= 400 or bool(facts.bad_layers)


class LineWriter:
    """Writes lines for one process; what is the same in all of them is written once."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._pid = os.getpid()
        self._second = -1
        self._second_text = ""

    def line(
        self, context: RequestContext, facts: RequestFacts, settings: LogSettings, level: str
    ) -> bytes:
        """Return the line of a request, with its line end."""
        wanted = settings.fields
        subject = context.subject
        user, refused = subject.user, context.decision.refused
        if user is not None and "user" in settings.anonymize:
            user = self._pseudonyms.of(user)
            facts, refused = _without_name(facts, refused, str(subject.user), user)
        at, ms, status, size, error, trace_id, agent, referer, bad_layers, layer_ms = facts
        second = int(at)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        text = line_template(wanted) % {
            "time": f"{self._second_text}.{int((at - second) * 1000):03d}",
            "level": level,
            "request_id": context.request_id,
            "trace_id": f',"trace_id":"{trace_id}"' if trace_id else "",
            "pid": self._pid,
            "project": _project(context.request.project[:_MAX_PROJECT]),
            "asked": asked_text(context.request, wanted),
            "status": status,
            "error": _error(error) if error is not None else "",
            "ms": "null" if ms is None else f"{ms:.2f}",
            "bytes": "null" if size is None else size,
            "caller": _caller(user, subject.roles, wanted),
            "client": _client(subject.address, hides="client" in settings.anonymize)
            if subject.address is not None
            else "",
            "user_agent": _user_agent(agent[:_MAX_REMEMBERED]) if agent else "",
            "referer": _referer(referer[:_MAX_REMEMBERED]) if referer else "",
            "decision": decision_text(context.decision, refused),
            "rest": _rest(context, bad_layers, layer_ms, wanted)
            if context.cached or context.enriched or bad_layers or layer_ms
            else "",
        }
        return f"{{{text[1:]}}}\n".encode()


def _without_name(
    facts: RequestFacts, refused: Optional[str], user: str, shown: str
) -> tuple[RequestFacts, Optional[str]]:
    """Replace a user's name in the texts of a line that shows a pseudonym instead."""
    error = facts.error
    if error is not None and user:
        facts = facts._replace(error=error._replace(text=error.text.replace(user, shown)))
    return facts, refused.replace(user, shown) if refused and user else refused


def _error(error: ServiceError) -> str:
    told = {"code": quoted(error.code)}
    if error.text:
        told["text"] = quoted(scrubbed(error.text), MAX_ERROR)
    return f',"error":{json_object(told)}'


@lru_cache(maxsize=512)
def _caller(user: Optional[str], roles: frozenset[str], wanted: frozenset[str]) -> str:
    names = {"user": "null" if user is None else quoted(user)}
    if roles:
        names["roles"] = string_list(sorted(roles))
    return members(names, wanted)


def _client(address: Address, *, hides: bool) -> str:
    if isinstance(address, IPv4Address):
        # By hand: its own way to text passes through four functions.
        number = int(address)
        last = 0 if hides else number & 255
        return f',"client":"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{last}"'
    # Quoted like any text: an IPv6 address may carry a zone that a client wrote.
    return f',"client":{quoted(truncated(address) if hides else str(address))}'


def _rest(
    context: RequestContext,
    bad_layers: Sequence[BadLayer],
    layer_ms: Optional[Mapping[str, float]],
    wanted: frozenset[str],
) -> str:
    values = {
        "cached": "true" if context.cached else "",
        "enriched": "true" if context.enriched else "",
    }
    if bad_layers:
        pairs = [
            json_object({"name": quoted(layer.name), "reason": quoted(layer.reason)})
            for layer in bad_layers[:_MAX_BAD_LAYERS]
        ]
        values["bad_layers"] = f"[{','.join(pairs)}]"
    if layer_ms:
        times = list(layer_ms.items())[:_MAX_TIMED_LAYERS]
        values["layer_ms"] = json_object({name: f"{ms:.1f}" for name, ms in times})
    return members(values, wanted)


@lru_cache(maxsize=256)
def _project(path: str) -> str:
    return f',"project":{quoted(project_name(path), MAX_HEADER)}' if path else ""


@lru_cache(maxsize=512)
def _user_agent(text: str) -> str:
    return f',"user_agent":{quoted(scrubbed(text), MAX_HEADER)}'


@lru_cache(maxsize=512)
def _referer(text: str) -> str:
    return f',"referer":{quoted(without_query(text), MAX_HEADER)}'
