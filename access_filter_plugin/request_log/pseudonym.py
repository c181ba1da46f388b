"""Names and addresses that still tell callers apart, but not who they are."""

from __future__ import annotations

import hmac
import os
from ipaddress import IPv4Address, IPv6Address
from typing import Optional

from ..subject import Address

_PREFIX = "~"
_HIDDEN_BITS_V4 = 8
_HIDDEN_BITS_V6 = 80


class Pseudonyms:
    """Keyed pseudonyms: equal users get equal ones under one key, and nobody without it can tell.

    Without a key from the operator each process draws its own, so that pseudonyms change with every
    start and differ between workers.
    """

    def __init__(self, key: Optional[str]) -> None:
        self._key = key.encode("utf-8", "surrogateescape") if key else os.urandom(32)

    def of(self, name: str) -> str:
        """Return the pseudonym of a user: ``~`` and sixteen hexadecimal digits."""
        digest = hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256")
        return _PREFIX + digest[:8].hex()


def truncated(address: Address) -> str:
    """Return the network of an address: its first 24 bits (IPv4) or 48 bits (IPv6)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Address(int(address) >> _HIDDEN_BITS_V6 << _HIDDEN_BITS_V6))
        address = address.ipv4_mapped
    return str(IPv4Address(int(address) >> _HIDDEN_BITS_V4 << _HIDDEN_BITS_V4))
