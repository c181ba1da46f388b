"""Reads the JSON that people type into variables: strictly, and reporting every problem at once.

A key that stands twice, a NaN, a cut-off text or a wrong type is a :class:`Problem` with its path
(``access_rules[2].layers``); nothing here guesses and nothing raises but :class:`StrictJsonError`.
"""

from __future__ import annotations

import enum
import heapq
import json
from collections.abc import Iterable, Sequence
from typing import Any, Optional, Union

from .late_pattern import late_pattern
from .value_class import value_class

MAX_SHOWN = 60
MAX_HINTS = 200
MAX_COMPARED = 100
"""Known names that one unknown name is compared with, the likeliest first."""
_SURROGATE = late_pattern(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
DESKTOP_CELL_LIMIT = 32767


class Severity(enum.Enum):
    """How much a problem matters: an error closes, a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


@value_class
class Problem:
    """Something wrong with a setting: where, what, and what was expected."""

    path: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.path}: {self.message}"
        if text.isprintable():
            return text
        # A key may hold a line break or a terminal's escape; neither reaches a log or a screen.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class StrictJsonError(ValueError):
    """A setting that cannot be read; carries all of its problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def shown(value: Any) -> str:
    """Return a short rendering of a value for a message, never more than a line."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``', did you mean "x"?'`` for the nearest known name, or an empty string."""
    by_folded = {candidate.lower(): candidate for candidate in known}
    folded = name.lower()[:200]
    likely = heapq.nsmallest(
        MAX_COMPARED,
        by_folded,
        key=lambda other: (other[:2] != folded[:2], abs(len(other) - len(folded))),
    )
    import difflib  # noqa: PLC0415 (a worker whose rules are valid never needs it)

    nearest = difflib.get_close_matches(folded, likely, n=1, cutoff=0.6)
    return f', did you mean "{by_folded[nearest[0]]}"?' if nearest else ""


class _DuplicateKeyError(ValueError):
    pass


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _DuplicateKeyError(f"the key {shown(key)} stands twice in one object")
        result[key] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise _DuplicateKeyError(f"{name} is not JSON")


def read_json(text: str, path: str) -> Any:
    """Return the value of a JSON text named ``path``; raise StrictJsonError with its problem."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_constant=_refuse_constant,
        )
        if _SURROGATE.search(text):
            # Half a character pair is no text: nothing could be compared with it or written.
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except json.JSONDecodeError as error:
        raise StrictJsonError([Problem(path, _decode_message(text, error))]) from error
    except _DuplicateKeyError as error:
        raise StrictJsonError([Problem(path, str(error))]) from error
    except (RecursionError, ValueError) as error:
        message = f"cannot be read as JSON ({type(error).__name__})"
        raise StrictJsonError([Problem(path, message)]) from error


def _decode_message(text: str, error: json.JSONDecodeError) -> str:
    message = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    if len(text) >= DESKTOP_CELL_LIMIT:
        message += (
            f" (the text has {len(text)} characters; a cell of QGIS Desktop cuts at "
            f'{DESKTOP_CELL_LIMIT}: put it into a file and write "file:NAME.json")'
        )
    return message


class ObjectReader:
    """Reads the members of one JSON object, collecting problems instead of raising."""

    def __init__(
        self, value: Any, path: str, problems: list[Problem], known: Sequence[str]
    ) -> None:
        self.path = path
        self.problems = problems
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.problem("", f"must be an object, is {shown(value)}")
        for key in self.value:
            if key not in known:
                # Each hint costs a comparison with every known name; a list of thousands has none.
                hint = did_you_mean(key, known) if len(problems) < MAX_HINTS else ""
                self.problem(key, "unknown key" + hint)

    def has(self, key: str) -> bool:
        """Return whether the key is there, whatever its value."""
        return key in self.value

    def problem(self, key: str, message: str, severity: Severity = Severity.ERROR) -> None:
        """Note a problem of a member (or, with an empty key, of the object)."""
        path = f"{self.path}.{key}" if key else self.path
        self.problems.append(Problem(path, message, severity))

    def strings(self, key: str) -> Optional[tuple[str, ...]]:
        """Return a list of strings (one string stands for a list of one); None when absent."""
        if key not in self.value:
            return None
        value = self.value[key]
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self.problem(key, f"must be a string or a list of strings, is {shown(value)}")
            return ()
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.problem(f"{key}[{index}]", f"must be a string, is {shown(item)}")
        return tuple(item for item in value if isinstance(item, str))

    def string(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Return a string member, or the default when absent or wrong."""
        value = self.value.get(key, default)
        if key in self.value and not isinstance(value, str):
            self.problem(key, f"must be a string, is {shown(value)}")
            return default
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """Return a member that must be one of ``choices``, or the default."""
        value = self.value.get(key, default)
        if not isinstance(value, str) or value not in choices:
            expected = ", ".join(f'"{choice}"' for choice in choices)
            hint = did_you_mean(value, choices) if isinstance(value, str) else ""
            self.problem(key, f"must be one of {expected}, is {shown(value)}{hint}")
            return default
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """Return a true/false member, or the default."""
        value = self.value.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, f"must be true or false, is {shown(value)}")
            return default
        return value

    def number(self, key: str, default: float, minimum: float, maximum: float) -> Union[int, float]:
        """Return a number between two bounds (inclusive), or the default."""
        value = self.value.get(key, default)
        wrong = isinstance(value, bool) or not isinstance(value, (int, float))
        if wrong or not minimum <= value <= maximum:
            self.problem(key, f"must be a number from {minimum} to {maximum}, is {shown(value)}")
            return default
        found: Union[int, float] = value
        return found

    def integer(self, key: str, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number between two bounds (inclusive), or the default."""
        value = self.value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(key, f"must be a whole number, is {shown(value)}")
            return default
        return int(self.number(key, default, minimum, maximum))

    def member(self, key: str) -> Any:
        """Return a member as it is (None when absent) for a reader of its own."""
        return self.value.get(key)
