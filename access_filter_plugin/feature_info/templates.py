"""Texts with ``[% expression %]`` in them, and what may come out of them as a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional
from urllib.parse import quote, urlsplit

from ..late_pattern import late_pattern

#: As ``QgsExpression::replaceExpressionText`` finds them.
_EXPRESSION = late_pattern(r"\[%(.*?)%\]", re.DOTALL)
#: What RFC 3986 allows in a URL unencoded; ``%`` because the value is a URL already.
_URL_CHARACTERS = "%:/?#[]@!$&'()*+,;=~"
_WEB = ("http", "https")


def split_template(template: str) -> list[tuple[bool, str]]:
    """Return the parts of a template as (is expression, text), in order, without empty texts."""
    parts: list[tuple[bool, str]] = []
    position = 0
    for match in _EXPRESSION.finditer(template):
        parts.append((False, template[position : match.start()]))
        parts.append((True, match.group(1).strip()))
        position = match.end()
    parts.append((False, template[position:]))
    return [(is_expression, text) for is_expression, text in parts if is_expression or text]


def expressions_of(template: str) -> list[str]:
    """Return the expressions of a template."""
    return [text for is_expression, text in split_template(template) if is_expression]


def fill_link(parts: Iterable[tuple[bool, str]], values: Iterable[Optional[str]]) -> Optional[str]:
    """Return a link with one value for each expression, percent-encoded; None with a NULL in it.

    A template that is one expression and nothing else gives the value as the whole link; then only
    ``http`` and ``https`` are let through, since the value is data and may be anybody's.
    """
    parts = list(parts)
    remaining = iter(values)
    if len(parts) == 1 and parts[0][0]:
        return web_url(next(remaining))
    found = []
    for is_expression, text in parts:
        value = next(remaining) if is_expression else text
        if value is None:
            return None
        found.append(quote(value, safe="", errors="replace") if is_expression else value)
    return "".join(found)


def web_url(value: Optional[str]) -> Optional[str]:
    """Return a value that is an absolute web address, safely encoded; None for anything else."""
    if value is None:
        return None
    text = value.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme.lower() not in _WEB or not parts.netloc:
        return None
    return quote(text, safe=_URL_CHARACTERS, errors="replace")
