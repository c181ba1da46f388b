"""``access_catalog``: how what is forbidden answers (contract, section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..policy import Catalog
from ..project_access import OperationAccess
from .verdict import Verdict

CHALLENGE_HEADER = "WWW-Authenticate"


def closed_answer(
    access: OperationAccess,
    unknown: Verdict,
    *,
    exists: bool,
    sentence: str = "You are not allowed to access this.",
) -> Verdict:
    """Return the answer for something closed; ``unknown`` is the answer for what does not exist.

    With ``hide`` both are the same object, so that nothing tells them apart. With ``challenge``
    an anonymous caller is asked to log in (:func:`with_challenge` adds the header) and others
    get QGIS's own code; what does not exist still answers ``unknown``.
    """
    if access.catalog is Catalog.HIDE or not exists:
        return unknown
    status = 401 if access.caller.subject.is_anonymous else 403
    return Verdict(refused=sentence, status=status, code="Security")


def everything_is_closed(access: OperationAccess, listed: Iterable[bool]) -> bool:
    """Return whether an anonymous caller is to be challenged for a listing (policy 32)."""
    return (
        access.catalog is Catalog.CHALLENGE
        and access.caller.subject.is_anonymous
        and not any(listed)
    )


def challenge_listing(access: OperationAccess) -> Verdict:
    """Return the answer to an anonymous caller who would see nothing."""
    return Verdict(refused="You are not allowed to access this.", status=401, code="Security")


def with_challenge(verdict: Verdict, authenticate: str) -> Verdict:
    """Return a verdict with the header that a 401 answer must have."""
    if verdict.status != 401 or CHALLENGE_HEADER in verdict.headers:
        return verdict
    return replace(verdict, headers={**verdict.headers, CHALLENGE_HEADER: authenticate})
