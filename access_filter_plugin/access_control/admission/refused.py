"""How the judges of parameters and bodies stop: with the verdict that answers the request."""

from __future__ import annotations

from .verdict import Verdict, refuse

MALFORMED = "RequestNotWellFormed"
INVALID = "InvalidParameterValue"


class Refused(Exception):
    """A request that is not let in; it carries its verdict."""

    def __init__(self, sentence: str, *, status: int = 400, code: str = INVALID) -> None:
        super().__init__(sentence)
        self.verdict: Verdict = refuse(sentence, status=status, code=code)


class UnknownName(Refused):
    """A layer that does not exist for the caller: hidden and unknown are the same here."""

    def __init__(
        self, name: str, sentence: str, *, status: int = 400, code: str = MALFORMED
    ) -> None:
        super().__init__(sentence, status=status, code=code)
        self.name = name


class Forbidden(Refused):
    """Something that exists for the caller and that the rules do not allow."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, status=403, code="Security")
