"""Modules of others that are loaded when they are first used, because many workers never use them.

``lxml`` and ``html`` took a sixth of the start of a worker. One that cannot be loaded raises where
it is used: admission and redaction turn that into a denial, as any other failure.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml import etree
else:

    class _Etree:
        """Has the members of ``lxml.etree``, and loads it when the first of them is asked for."""

        def __getattr__(self, name: str) -> Any:
            from lxml import etree as loaded  # noqa: PLC0415 (this is what the class is for)

            member = getattr(loaded, name)
            setattr(self, name, member)
            return member

    etree = _Etree()

NEEDED = "lxml is missing (python3-lxml)"
__all__ = ["etree", "require_lxml", "unescape"]


def require_lxml() -> None:
    """Raise ImportError where lxml is not installed: that is said at start, not by a request."""
    try:
        found = find_spec("lxml.etree")
    except ImportError as error:
        raise ImportError(f"{NEEDED}: {error}") from error
    if found is None:
        raise ImportError(NEEDED)


def unescape(text: str) -> str:
    """Return a text with its HTML references replaced, as ``html.unescape`` does."""
    if "&" not in text:
        return text
    from html import unescape as replaced  # noqa: PLC0415 (as above)

    return replaced(text)
