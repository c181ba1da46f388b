"""The line of a usual request: allowed, good, quick, and logged with all fields.

What ``LineWriter.line`` writes, without what only other requests need: nothing refused, failed or
slow, no pseudonym, trace, body or print. Right after QGIS's own work each value that is handed on and
each function that is called costs as much as a field. Tests hold the two ways together.
"""

from __future__ import annotations

import time
from typing import Callable

from ..request_context import RequestContext
from .asked import SHOWN, SHOWN_ELSEWHERE
from .entry import LineWriter
from .repeated import BOXES, WHAT, WHO, keep_box


def usual_line(
    writer: LineWriter,
    context: RequestContext,
    header: Callable[[str], str],
    status: int,
    ms: float,
    size: int,
) -> bytes:
    """Return the line of a request that took ``ms`` and whose answer has ``size`` bytes."""
    request, subject, decision = context.request, context.subject, context.decision
    sent, hidden = request.parameters.get, decision.hidden
    what = (
        request.project,
        request.service,
        request.operation,
        request.version,
        request.method,
        request.path,
        None,
        decision.effect,
        decision.rules,
        decision.denied,
        decision.filtered,
        tuple(hidden.items()) if hidden else (),
        None,
        *map(sent, SHOWN.get(request.service, SHOWN_ELSEWHERE)),
    )
    agent, referer = header("User-Agent"), header("Referer")
    who = (subject.user, subject.roles, subject.address, False, agent, referer)
    asked, decided = WHAT.texts.get(what) or WHAT.make(what)
    names, client = WHO.texts.get(who) or WHO.make(who)
    bbox = sent("BBOX") or sent("MAP0:EXTENT")
    at = time.time() - ms / 1000
    second = int(at)
    if second != writer.second:
        writer.begin_second(second)
    place = (BOXES.get(bbox) or keep_box(bbox)) if bbox else ""
    cached = ',"cached":true' if context.cached else ""
    # A text of its own: to fill in LINE takes twice as long.
    return (
        f'{{"time":"{writer.second_text}.{int((at - second) * 1000):03d}Z","level":"info"'
        f',"request_id":"{context.request_id}","pid":{writer.pid}{asked}{place},"status":{status}'
        f',"ms":{ms:.2f},"bytes":{size}{names}{client}{decided}{cached}}}\n'
    ).encode()
