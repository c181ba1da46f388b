"""Who sent a request, as members of its line: user, roles, address, and what the browser says."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Optional

from ..subject import Address
from .json_text import members, quoted, string_list
from .pseudonym import truncated
from .scrub import scrubbed, without_query

MAX_HEADER = 256


def names_text(user: Optional[str], roles: frozenset[str]) -> str:
    """Return the members ``user`` and ``roles``, each with a comma before it."""
    names = {"user": "null" if user is None else quoted(user)}
    if roles:
        names["roles"] = string_list(sorted(roles))
    return members(names)


def headers_text(user_agent: str, referer: str) -> str:
    """Return the members ``user_agent`` and ``referer``, each with a comma before it."""
    return members(
        {
            "user_agent": quoted(scrubbed(user_agent), MAX_HEADER) if user_agent else "",
            "referer": quoted(without_query(referer), MAX_HEADER) if referer else "",
        }
    )


def client_text(address: Address, *, hides: bool) -> str:
    """Return the member ``client`` with a comma before it; ``hides`` the end of the address."""
    if isinstance(address, IPv4Address):
        # By hand: its own way to text passes through four functions.
        number = int(address)
        last = 0 if hides else number & 255
        return f',"client":"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{last}"'
    # Quoted like any text: an IPv6 address may carry a zone that a client wrote.
    return f',"client":{quoted(truncated(address) if hides else str(address))}'
