"""Whether a rule applies to a subject, a request and a moment; and if not, why not."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from ..ows_request import LISTING_OPERATIONS, OAPIF
from ..subject import Address, Subject
from ..value_class import value_class
from .patterns import NameList
from .policy import Effect, Policy, Rule
from .role_parser import effective_roles


@value_class
class Caller:
    """A subject within one policy: with the roles that the project defines for it."""

    subject: Subject
    roles: frozenset[str]
    """The given and project-defined roles, without built-in ones (``@access_roles``)."""
    lower_case_users: bool = False
    operator_roles: frozenset[str] = frozenset()
    """The roles as the operator's rules see them: a project cannot define its way past them."""

    @classmethod
    def of(cls, subject: Subject, policy: Policy) -> Caller:
        """Return the caller that a subject is under this policy."""
        given = subject.roles
        if subject.user is None:
            return cls(subject, given, policy.lower_case_users, given)
        roles = effective_roles(subject.user, given, policy.roles)
        operators = effective_roles(subject.user, given, policy.operator_roles)
        return cls(subject, roles, policy.lower_case_users, operators)

    @property
    def all_roles(self) -> frozenset[str]:
        """The roles with the built-in one."""
        return self.roles | self.subject.built_in_roles

    def roles_for(self, rule: Rule) -> frozenset[str]:
        """Return the roles that count for a rule, without the built-in one."""
        return self.operator_roles if rule.is_operators else self.roles


def subject_mismatch(rule: Rule, caller: Caller, now: datetime) -> Optional[str]:
    """Return why a rule does not apply to a caller at a moment, or None when it does."""
    return (
        _who_mismatch(rule, caller)
        or _address_mismatch(rule, caller.subject.address)
        or _time_mismatch(rule, now)
    )


def request_mismatch(rule: Rule, service: str, operation: str) -> Optional[str]:
    """Return why a rule does not apply to an OGC request, or None when it does."""
    if rule.services is not None and service not in rule.services:
        return f"it is not for service {service}"
    if rule.requests is not None and not _names_request(rule.requests, service, operation):
        return f"it is not for request {operation}"
    return None


def _names_request(requests: NameList, service: str, operation: str) -> bool:
    """Return whether a rule names a request; ``Collections`` names each document that lists one.

    A request that QGIS knows by two names is meant by either: a deny by one holds for both.
    """
    names = [operation, _TWINS.get(operation, operation)]
    if service == OAPIF and operation in LISTING_OPERATIONS[OAPIF]:
        names.append("Collections")
    return any(map(requests.includes, names)) and not any(map(requests.excludes, names))


_TWINS = {
    "GetLegendGraphic": "GetLegendGraphics",
    "GetLegendGraphics": "GetLegendGraphic",
    "GetStyle": "GetStyles",
    "GetStyles": "GetStyle",
}


def _who_mismatch(rule: Rule, caller: Caller) -> Optional[str]:
    user = caller.subject.user
    roles = caller.roles_for(rule) | caller.subject.built_in_roles
    if user is not None and rule.users is not None and rule.users.excludes(user):
        return f"it excludes user {user}"
    if rule.roles is not None:
        for role in sorted(roles):
            if rule.roles.excludes(role):
                return f"it excludes role {role}"
    if rule.users is None and rule.roles is None:
        return None
    if user is not None and rule.users is not None and rule.users.includes(user):
        return None
    if rule.roles is not None and any(rule.roles.includes(role) for role in roles):
        return None
    return "neither the user nor a role matches"


def _address_mismatch(rule: Rule, address: Optional[Address]) -> Optional[str]:
    if rule.addresses is None:
        return None
    if address is None:
        # What is not known must not open, and must not keep a denial from covering.
        return "the client's address is not known" if rule.effect is Effect.ALLOW else None
    if address in rule.addresses:
        return None
    return f"address {address} is not in its addresses"


def _time_mismatch(rule: Rule, now: datetime) -> Optional[str]:
    if rule.valid_from is not None and now < rule.valid_from:
        return f"it is valid from {rule.valid_from.isoformat()}"
    if rule.valid_until is not None and now >= rule.valid_until:
        return f"it was valid until {rule.valid_until.isoformat()}"
    return None
