"""Who asks: the subject of an access decision (XACML subject, Cedar principal)."""

from __future__ import annotations

from dataclasses import field
from ipaddress import IPv4Address, IPv6Address
from typing import Optional, Union

from .value_class import value_class

Address = Union[IPv4Address, IPv6Address]

ANONYMOUS_ROLE = "anonymous"
AUTHENTICATED_ROLE = "authenticated"
BUILT_IN_ROLES = frozenset({ANONYMOUS_ROLE, AUTHENTICATED_ROLE})


@value_class
class Subject:
    """A caller: a user with roles, or nobody in particular (``user`` is None)."""

    user: Optional[str] = None
    roles: frozenset[str] = frozenset()
    """The roles that were given, without the built-in ones and those a project defines."""
    address: Optional[Address] = None
    """The client's address after trusted proxies; None when it is not known."""
    source: str = field(default="none", compare=False)
    """Where the identity came from, in words for GetPermissions and the log; not compared."""

    @property
    def is_anonymous(self) -> bool:
        """True when nobody proved who the caller is."""
        return self.user is None

    @property
    def built_in_roles(self) -> frozenset[str]:
        """The one built-in role of this subject."""
        return frozenset({ANONYMOUS_ROLE if self.is_anonymous else AUTHENTICATED_ROLE})


ANONYMOUS = Subject()
