"""One request and its answer as one line: pure, from plain values to bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Optional

from ..request_context import RequestContext
from .asked import add_asked
from .decision_text import decision_text
from .json_text import json_object, quoted, string_list
from .pseudonym import Pseudonyms, truncated
from .scrub import project_name, scrubbed, without_query
from .service_error import ServiceError
from .settings import ALL_FIELDS, LogSettings

MAX_HEADER = 256
MAX_ERROR = 300
_KEPT_HEADER = 512


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


def is_refused(context: RequestContext, facts: RequestFacts) -> bool:
    """Return whether access control said no, in whatever way QGIS then put it."""
    decision = context.decision
    return decision.refused is not None or decision.effect == "deny" or facts.status in (401, 403)


def level_of(context: RequestContext, facts: RequestFacts, settings: LogSettings) -> str:
    """Return ``error`` on 5xx, ``warning`` when refused or slow, else ``info``."""
    if facts.status >= 500:
        return "error"
    if is_refused(context, facts) or (facts.ms is not None and facts.ms >= settings.slow_ms):
        return "warning"
    return "info"


def is_remarkable(facts: RequestFacts, level: str) -> bool:
    """Return whether a line is written whatever ``sample`` says."""
    return (
        level != "info" or facts.error is not None or facts.status >= 400 or bool(facts.bad_layers)
    )


class LineWriter:
    """Writes lines for one process; what is the same in all of them is written once."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._pid = str(os.getpid())
        self._second = -1
        self._second_text = ""

    def line(
        self, context: RequestContext, facts: RequestFacts, settings: LogSettings, level: str
    ) -> bytes:
        """Return the line of a request, with its line end."""
        fields = {"time": self._time(facts.time), "level": f'"{level}"'}
        fields["request_id"] = quoted(context.request_id)
        if facts.trace_id:
            fields["trace_id"] = quoted(facts.trace_id)
        fields["pid"] = self._pid
        if context.request.project:
            fields["project"] = _project(context.request.project[:4096])
        add_asked(fields, context.request)
        user = self._user(context, settings)
        self._add_answer(fields, context, facts, user)
        self._add_caller(fields, context, facts, settings, user)
        fields["decision"] = decision_text(
            context.decision, _without_user(context.decision.refused, context, user)
        )
        _add_rest(fields, context, facts)
        if settings.fields != ALL_FIELDS:
            fields = {name: text for name, text in fields.items() if name in settings.fields}
        return (json_object(fields) + "\n").encode()

    def _time(self, seconds: float) -> str:
        whole = int(seconds)
        if whole != self._second:
            self._second = whole
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        return f'"{self._second_text}.{int((seconds - whole) * 1000):03d}Z"'

    def _user(self, context: RequestContext, settings: LogSettings) -> Optional[str]:
        user = context.subject.user
        if user is not None and "user" in settings.anonymize:
            return self._pseudonyms.of(user)
        return user

    @staticmethod
    def _add_answer(
        fields: dict[str, str],
        context: RequestContext,
        facts: RequestFacts,
        user: Optional[str],
    ) -> None:
        fields["status"] = str(facts.status)
        error = facts.error
        if error is not None:
            members = {"code": quoted(error.code)}
            if error.text:
                text = _without_user(error.text, context, user) or ""
                members["text"] = quoted(scrubbed(text), MAX_ERROR)
            fields["error"] = json_object(members)
        fields["ms"] = "null" if facts.ms is None else f"{facts.ms:.2f}"
        fields["bytes"] = "null" if facts.bytes is None else str(facts.bytes)

    @staticmethod
    def _add_caller(
        fields: dict[str, str],
        context: RequestContext,
        facts: RequestFacts,
        settings: LogSettings,
        user: Optional[str],
    ) -> None:
        subject = context.subject
        fields["user"] = "null" if user is None else quoted(user)
        if subject.roles:
            fields["roles"] = string_list(sorted(subject.roles))
        address = subject.address
        if address is not None:
            hides = "client" in settings.anonymize
            # Quoted like any text: an IPv6 address may carry a zone that a client wrote.
            fields["client"] = quoted(truncated(address) if hides else str(address))
        if facts.user_agent:
            fields["user_agent"] = _user_agent(facts.user_agent[:_KEPT_HEADER])
        if facts.referer:
            fields["referer"] = _referer(facts.referer[:_KEPT_HEADER])


def _add_rest(fields: dict[str, str], context: RequestContext, facts: RequestFacts) -> None:
    if context.cached:
        fields["cached"] = "true"
    if context.enriched:
        fields["enriched"] = "true"
    if facts.bad_layers:
        pairs = [
            json_object({"name": quoted(layer.name), "reason": quoted(layer.reason)})
            for layer in facts.bad_layers[:100]
        ]
        fields["bad_layers"] = f"[{','.join(pairs)}]"
    if facts.layer_ms:
        times = list(facts.layer_ms.items())[:200]
        fields["layer_ms"] = "{" + ",".join([f"{quoted(n)}:{ms:.1f}" for n, ms in times]) + "}"


def _without_user(
    text: Optional[str], context: RequestContext, shown: Optional[str]
) -> Optional[str]:
    """Return a text with the user's name replaced, where the line shows a pseudonym instead."""
    user = context.subject.user
    if text and user and shown and user != shown:
        return text.replace(user, shown)
    return text


@lru_cache(maxsize=256)
def _project(path: str) -> str:
    return quoted(project_name(path), MAX_HEADER)


@lru_cache(maxsize=512)
def _user_agent(text: str) -> str:
    return quoted(scrubbed(text), MAX_HEADER)


@lru_cache(maxsize=512)
def _referer(text: str) -> str:
    return quoted(without_query(text), MAX_HEADER)
