"""``ACCESS_FILTER_RULES``: the operator's rules for every project, read again when they change."""

from __future__ import annotations

from typing import Optional

from ..strict_json import Problem
from ..variable_file import FileStamp
from .parser import ParsedPolicy, parse_operator


class OperatorRules:
    """The operator's rules file; without one there are no such rules."""

    def __init__(self, path: Optional[str], *, lower_case_users: bool = False) -> None:
        self._path = path
        self._lower = lower_case_users
        self._stamp = FileStamp()
        self._parsed: Optional[ParsedPolicy] = None

    def parsed(self) -> Optional[ParsedPolicy]:
        """Return the rules as of now (the same object while the file is unchanged), or None."""
        if self._path is None:
            return None
        stamp = FileStamp.of(self._path)
        if self._parsed is None or stamp != self._stamp:
            self._stamp = stamp
            self._parsed = self._read(self._path)
        return self._parsed

    def _read(self, path: str) -> ParsedPolicy:
        try:
            with open(path, encoding="utf-8-sig") as stream:
                text = stream.read()
        except (OSError, UnicodeDecodeError) as error:
            problem = Problem("ACCESS_FILTER_RULES", f"cannot be read: {type(error).__name__}")
            return ParsedPolicy(problems=(problem,), is_on=True)
        return parse_operator(text, lower_case_users=self._lower)
