"""One request and its answer as one line: pure, from plain values to bytes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Optional

from ..request_context import RequestContext
from .asked import SHOWN, SHOWN_ELSEWHERE, bbox_text
from .asked_layers import layer_text
from .json_text import json_object, members, quoted
from .pseudonym import Pseudonyms
from .repeated import WHAT, WHO
from .scrub import scrubbed
from .service_error import ServiceError
from .settings import ALL_FIELDS, LogSettings

MAX_ERROR = 300
_MAX_BAD_LAYERS = 100
_MAX_TIMED_LAYERS = 200


class BadLayer(NamedTuple):
    """A layer of a project that could not be loaded, and why, in words of ours."""

    name: str
    reason: str


LINE = (
    '{"time":"%s.%03dZ","level":"%s","request_id":"%s"%s,"pid":%d%s%s,"status":%d%s,"ms":%s,"bytes":%s'
    "%s%s%s%s}\n"
)
"""Second, milliseconds, level, id, trace, process, what is asked, its place, status, error, duration,
size, who asks, where from, decision, and the rest: a line, from texts that are JSON already."""

new_tuple = tuple.__new__
"""Makes a named tuple without the function that its class has for it."""


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
    status, ms, decision = facts.status, facts.ms, context.decision
    if status >= 500:
        return "error"
    slow = ms is not None and ms >= slow_ms
    refused = decision.refused is not None or decision.effect == "deny" or status in (401, 403)
    return "warning" if refused or slow else "info"


def is_remarkable(facts: RequestFacts) -> bool:
    """Return whether a line of level ``info`` is written whatever ``sample`` says."""
    return facts.error is not None or facts.status >= 400 or bool(facts.bad_layers)


class LineWriter:
    """Writes lines for one process; what is the same in all of them is written once."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self.pid = os.getpid()
        self.second = -1
        self.second_text = ""

    def begin_second(self, second: int) -> None:
        """Write the time of the lines of a second, in whole seconds since 1970."""
        self.second = second
        self.second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))

    def line(
        self, context: RequestContext, facts: RequestFacts, settings: LogSettings, level: str
    ) -> bytes:
        """Return the line of a request, with its line end.

        One function, and two look-ups for all that repeats itself: right after QGIS's own work,
        every further function costs a microsecond.
        """
        at, ms, status, size, error, trace_id, agent, referer, bad_layers, layer_ms = facts
        subject, request, decision = context.subject, context.request, context.decision
        user, refused = subject.user, decision.refused
        if user is not None and settings.anonymize and "user" in settings.anonymize:
            user = self._pseudonyms.of(user)
            error, refused = _without_name(error, refused, str(subject.user), user)
        sent, hidden = request.parameters.get, decision.hidden
        what = (
            request.project,
            request.service,
            request.operation,
            request.version,
            request.method,
            request.path,
            layer_text(request) if request.body or request.operation == "GetPrint" else None,
            decision.effect,
            decision.rules,
            decision.denied,
            decision.filtered,
            tuple(hidden.items()) if hidden else (),
            refused,
            *map(sent, SHOWN.get(request.service, SHOWN_ELSEWHERE)),
        )
        hides = bool(settings.anonymize) and "client" in settings.anonymize
        who = (user, subject.roles, subject.address, hides, agent, referer)
        asked, decided = WHAT.texts.get(what) or WHAT.make(what)
        names, client = WHO.texts.get(who) or WHO.make(who)
        bbox = sent("BBOX") or sent("MAP0:EXTENT")
        second = int(at)
        if second != self.second:
            self.begin_second(second)
        trace = f',"trace_id":"{trace_id}"' if trace_id else ""
        failure = _error(error) if error is not None else ""
        extra = context.cached or context.enriched or bad_layers or layer_ms
        text = LINE % (
            self.second_text,
            (at - second) * 1000,
            level,
            context.request_id,
            trace,
            self.pid,
            asked,
            bbox_text(bbox) if bbox else "",
            status,
            failure,
            "null" if ms is None else f"{ms:.2f}",
            "null" if size is None else size,
            names,
            client,
            decided,
            _rest(context, bad_layers, layer_ms) if extra else "",
        )
        if settings.fields is not ALL_FIELDS:
            text = _chosen(text, settings.fields)
        return text.encode()


def _chosen(text: str, fields: frozenset[str]) -> str:
    """Return a line with these of its fields."""
    entry = {name: value for name, value in json.loads(text).items() if name in fields}
    short = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    if not short.isprintable():
        short = json.dumps(entry, separators=(",", ":"))
    return f"{short}\n"


def _without_name(
    error: Optional[ServiceError], refused: Optional[str], user: str, shown: str
) -> tuple[Optional[ServiceError], Optional[str]]:
    """Replace a user's name in the texts of a line that shows a pseudonym instead."""
    if error is not None and user:
        error = error._replace(text=error.text.replace(user, shown))
    return error, refused.replace(user, shown) if refused and user else refused


def _error(error: ServiceError) -> str:
    told = {"code": quoted(error.code)}
    if error.text:
        told["text"] = quoted(scrubbed(error.text), MAX_ERROR)
    return f',"error":{json_object(told)}'


def _rest(
    context: RequestContext,
    bad_layers: Sequence[BadLayer],
    layer_ms: Optional[Mapping[str, float]],
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
    return members(values)
