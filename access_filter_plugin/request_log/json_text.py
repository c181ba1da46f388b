r"""JSON written by hand, in pieces of a line.

A line is made of short strings on purpose. After a request that freed a large DOM, an encoder that
asks malloc for a kilobyte pays for tidying the whole heap (facts C8); strings below 512 bytes come
from Python's own pools.

Text with anything unprintable in it (control characters, line separators, changes of writing
direction) is written as ``\uXXXX`` escapes, so that it can forge neither a line nor what a terminal
shows. Half surrogates, which are no text at all, become question marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring, encode_basestring_ascii

CUT_MARK = "…"
MAX_ITEMS = 50
MAX_NAME = 128


def quoted(text: str, limit: int = MAX_NAME) -> str:
    """Return a JSON string of at most ``limit`` characters; a cut one ends with an ellipsis."""
    if len(text) > limit:
        text = text[: limit - 1] + CUT_MARK
    if text.isprintable():
        return str(encode_basestring(text))
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return str(encode_basestring_ascii(whole))


def string_list(texts: Iterable[str], limit: int = MAX_ITEMS) -> str:
    """Return a JSON array of names; what is too much is counted in a last entry (``… 12 more``)."""
    names = list(texts)
    shown = [quoted(name) for name in names[:limit]]
    if len(names) > limit:
        shown.append(quoted(f"{CUT_MARK} {len(names) - limit} more"))
    return f"[{','.join(shown)}]"


def members(values: Mapping[str, str]) -> str:
    """Return the members that have a value (JSON already), each with a comma before it."""
    return "".join([f',"{name}":{value}' for name, value in values.items() if value])


def json_object(values: Mapping[str, str]) -> str:
    """Return a JSON object of members whose values are JSON already, under any names."""
    return "{" + ",".join([f"{quoted(name)}:{value}" for name, value in values.items()]) + "}"
