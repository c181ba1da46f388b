"""Ids that follow a request through several servers: ``X-Request-ID`` and W3C ``traceparent``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import count

from ..late_pattern import late_pattern

_REQUEST_ID = late_pattern(r"[A-Za-z0-9._:/+=@-]{1,128}", re.ASCII)
_TRACEPARENT = late_pattern(
    r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?"
)


class RequestIds:
    """Makes ids for the requests that bring none: unique, and cheap enough for every request."""

    def __init__(self) -> None:
        # An iterator is called without the cost of a function of ours.
        self.make: Callable[[], str] = map(
            f"{os.urandom(8).hex()}-{{:x}}".format, count(1)
        ).__next__

    def accept_or_make(self, sent: str) -> str:
        """Return the id that was sent when it is a harmless one, else a new one."""
        return sent if _REQUEST_ID.fullmatch(sent) else self.make()


def read_traceparent(sent: str) -> str:
    """Return a valid ``traceparent`` header in its 55 characters; empty when there is none."""
    if not sent:
        return ""
    match = _TRACEPARENT.fullmatch(sent[:300])
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return ""
    whole = match[2].strip("0") and match[3].strip("0")
    return f"{match[1]}-{match[2]}-{match[3]}-{match[4]}" if whole else ""


def trace_id(traceparent: str) -> str:
    """Return the trace id of a valid ``traceparent``; empty for an empty one."""
    return traceparent[3:35]
