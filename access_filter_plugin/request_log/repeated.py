"""The parts of a line that are the same in many: made once, and found again by what they are made of.

What remains to be written for each request are its time, id, status and size.
"""

from __future__ import annotations

from typing import Any, Optional

from ..ows_request import OwsRequest
from ..subject import Address
from .asked import SHOWN, SHOWN_ELSEWHERE, asked_members, asked_text, bbox_text
from .caller_text import client_text, headers_text, names_text
from .decision_text import Decided, decision_text
from .json_text import quoted
from .remembered import MAX_TEXTS, Remembered
from .scrub import project_name

MAX_PROJECT = 256
_DECIDED = 7
_VALUES = _DECIDED + 6

What = tuple[Any, ...]
"""Project, service, operation, version, method, path, the layers (None: as the values say), a
``Decided``, and the values of the parameters ``SHOWN``."""
Who = tuple[Optional[str], frozenset[str], Optional[Address], bool, str, str]
"""User, roles, address, whether its end is hidden, user agent, referer."""


def _what(key: What) -> tuple[str, str]:
    """Return the members from ``project`` to ``height``, and the member ``decision``."""
    project, service, operation, version, method, path, layers = key[:_DECIDED]
    decided: Decided = key[_DECIDED:_VALUES]
    names = SHOWN.get(service, SHOWN_ELSEWHERE)
    sent = {name: value for name, value in zip(names, key[_VALUES:]) if value}
    request = OwsRequest(service, operation, version, sent, method, path=path)
    named = f',"project":{quoted(project_name(project), MAX_PROJECT)}' if project else ""
    asked = asked_text(request) if layers is None else asked_members(request, layers)
    return named + asked, f',"decision":{decision_text(decided)}'


def _who(key: Who) -> tuple[str, str]:
    """Return the members ``user`` and ``roles``, and those from ``client`` to ``referer``."""
    user, roles, address, hides, user_agent, referer = key
    client = client_text(address, hides=hides) if address is not None else ""
    return names_text(user, roles), client + headers_text(user_agent, referer)


def keep_box(text: str) -> str:
    """Return the member ``bbox`` of a text, and keep it in ``BOXES`` if it is one."""
    member = bbox_text(text)
    if member:
        if len(BOXES) >= MAX_TEXTS:
            BOXES.clear()
        BOXES[text] = member
    return member


BOXES: dict[str, str] = {}
"""Places on the map as members of a line: tiles are asked for again, and maps clicked several times."""
WHAT = Remembered(_what)
WHO = Remembered(_who)
