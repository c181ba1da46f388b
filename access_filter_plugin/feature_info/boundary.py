"""The one place of this feature where a failure becomes the stock answer."""

from __future__ import annotations

from typing import Callable, TypeVar

Result = TypeVar("Result")


def attempt(work: Callable[[], Result], failed: Callable[[Exception], Result]) -> Result:
    """Return what the work gives, or what ``failed`` makes of its error."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (data and providers fail in ways nobody can list)
        return failed(error)
