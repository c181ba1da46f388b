"""What of an XML body reads the server: the guard of bodies, which holds for everybody.

It looks at bytes, so that a large body costs a search and not a copy of its text.
"""

from __future__ import annotations

import re

from ...late_modules import unescape
from ...late_pattern import late_pattern
from ..redaction.xml import XmlError, descendants, parse
from .guards import FORBIDDEN_FUNCTIONS, reads_server
from .wfs_body import is_xml

_ENCODING = late_pattern(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
#: Encodings in which ASCII bytes mean ASCII, whatever stands before them.
_PLAIN = late_pattern(rb"utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
_NAMED = late_pattern(rb"""name\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


def body_reads_server(body: bytes) -> bool:
    """Return whether QGIS would read the environment or files for a WFS body, or might.

    Entities of its own and encodings that hide ASCII are refused: names could be made of them. A
    body that is no XML becomes parameters, which are looked at as such.
    """
    if not is_xml(body):
        return False
    if not _is_plain(body) or b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return True
    if b"Function" in body and any(map(_is_forbidden, _NAMED.finditer(body))):
        return True
    return b"SortBy" in body and _sorts_by_server(body)


def _is_plain(body: bytes) -> bool:
    if b"\0" in body:
        return False
    start = body[:4096].removeprefix(_BOM).lstrip()
    if not start.startswith(b"<?xml"):
        return True
    declaration = start[: start.find(b">")]
    if b"encoding" not in declaration:
        return True
    found = _ENCODING.findall(declaration)
    return len(found) == 1 and _PLAIN.fullmatch(found[0]) is not None


def _is_forbidden(found: re.Match[bytes]) -> bool:
    name = unescape(found.group(1)[1:-1].decode("utf-8", "replace"))
    return name.strip().lower() in FORBIDDEN_FUNCTIONS


def _sorts_by_server(body: bytes) -> bool:
    """Return whether a body sorts by an expression that reads the server: QGIS evaluates it."""
    try:
        root = parse(body)
    except XmlError:
        return True
    names = descendants(root, "SortProperty")
    return any(reads_server("".join(str(text) for text in name.itertext())) for name in names)
