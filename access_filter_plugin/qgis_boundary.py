"""The one place where an unexpected error in a QGIS override becomes a safe answer.

An exception that leaves a Python override aborts ``qgis_mapserv`` or, when another plugin has
replaced ``sys.excepthook``, opens the data (facts A.6a). So every override is wrapped, every
wrapped override names the answer it gives when it fails, and ``None`` is never that answer.
"""

from __future__ import annotations

import functools
import traceback
from typing import Any, Callable, TypeVar

from . import qgis_log

Function = TypeVar("Function", bound=Callable[..., Any])

_MAX_REPORTS = 20
_reported: dict[str, int] = {}


def report_failure(where: str, error: BaseException) -> None:
    """Log an unexpected error with its traceback, at most twenty times a place and process."""
    count = _reported.get(where, 0) + 1
    _reported[where] = count
    if count > _MAX_REPORTS:
        return
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    qgis_log.critical(f"{where} failed and answered safely ({count}): {text}")


def safe_answer(answer: Callable[..., Any]) -> Callable[[Function], Function]:
    """Wrap an override so that any error gives ``answer(*the override's arguments)`` instead."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def guarded(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:  # a SystemExit would abort the server as well
                report_failure(function.__qualname__, error)
                return answer(*arguments)

        return guarded  # type: ignore[return-value]

    return decorate
