"""What an answer says went wrong: code and text of QGIS's error documents, by a bounded look."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, Optional

from ..late_modules import unescape
from ..late_pattern import late_pattern
from .scrub import scrubbed

#: An answer larger than this is no error document of QGIS.
MAX_ERROR_BODY = 65536
_LOOKED_AT = 4096
MAX_TEXT = 300

_ROOT = late_pattern(
    rb"\s{0,20}(?:<\?xml[^>]{0,200}\?>\s{0,20})?"
    rb"<(?:\w{1,20}:)?(?:ServiceExceptionReport|ServerException|ExceptionReport)\b"
)
_XML = late_pattern(
    rb"<(?:\w{1,20}:)?(ServiceException|ServerException|Exception)\b([^>]{0,300})>"
    rb"\s{0,20}(.{0,2000}?)</(?:\w{1,20}:)?\1>",
    re.DOTALL,
)
_CODE = late_pattern(rb"""(?:code|exceptionCode)\s?=\s?["']([^"']{1,80})["']""")
_TAG = late_pattern(r"<[^>]{0,200}>")
_JSON_PAIR = late_pattern(rb'"(code|description)"\s?:\s?("(?:[^"\\]|\\.){0,1000}")')


class ServiceError(NamedTuple):
    """The member ``error`` of a line."""

    code: str
    text: str = ""


ABORTED = ServiceError("aborted", "the client closed the connection")
UNFINISHED = ServiceError("unfinished", "another plugin or a crash ended the request early")


def read_error(status: int, body: bytes) -> Optional[ServiceError]:
    """Return the error an answer tells of; None for a good answer.

    QGIS answers some errors with status 200 (an unknown service), so small bodies are looked at
    whatever the status.
    """
    start = body[:_LOOKED_AT]
    found = _xml_error(start) if _ROOT.match(start) else None
    if found is None and status >= 400:
        found = _json_error(start) if start.lstrip()[:1] in (b"[", b"{") else None
    if found is None and status >= 400:
        return ServiceError(str(status))
    return found


def _xml_error(start: bytes) -> Optional[ServiceError]:
    match = _XML.search(start)
    if match is None:
        return None
    code = _CODE.search(match[2])
    name = code[1] if code else match[1]
    return ServiceError(_text(name, 80), _text(match[3], MAX_TEXT))


def _json_error(start: bytes) -> Optional[ServiceError]:
    found = {match[1]: match[2] for match in reversed(list(_JSON_PAIR.finditer(start)))}
    if not found:
        return None
    code = _json_string(found.get(b"code", b""))[:80]
    return ServiceError(code, scrubbed(_json_string(found.get(b"description", b"")))[:MAX_TEXT])


def _json_string(raw: bytes) -> str:
    try:
        return str(json.loads(raw)) if raw else ""
    except ValueError:
        return ""


def _text(raw: bytes, limit: int) -> str:
    text = _TAG.sub(" ", raw.decode("utf-8", "replace"))
    return scrubbed(unescape(text).strip())[:limit]
