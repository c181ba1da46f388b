"""Whether two answers tell the same, and which canaries an answer holds."""

from __future__ import annotations

import re
import zlib
from typing import Optional

from qgis.PyQt.QtGui import QImage

from tests.noninterference.table import Request
from tests.support.server import Answer

OUR_HEADERS = frozenset(
    {"x-request-id", "server-timing", "etag", "vary", "cache-control", "content-length"}
)
_TIMES = re.compile(
    rb'"timeStamp": ?"[^"]*"|/(Creation|Mod)Date \([^)]*\)|/ID ?\[[^\]]*\]'
    rb'|<xmp:\w+Date>[^<]*<|xmp:\w+Date="[^"]*"'
    rb'|\stimeStamp="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"'  # WFS, RESULTTYPE=hits
)
_UUID = re.compile(rb"uuid:[0-9a-f-]{36}|\$L?\d*TDCREATE[^$]*")
_CANARY = re.compile(rb"CN[AB]\w*")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


def headers_of(answer: Answer) -> dict[str, str]:
    """Return the headers that are QGIS's."""
    return {
        name.lower(): text_of(value.encode()).decode()
        for name, value in answer.headers.items()
        if name.lower() not in OUR_HEADERS
    }


def text_of(body: bytes) -> bytes:
    """Return a body without the project's folder and the time."""
    plain = re.sub(rb"var[AB](?=%2F|\dF|/|\b)", b"var", body)
    return _UUID.sub(b"", _TIMES.sub(b"", plain))


def pixels_of(body: bytes) -> Optional[tuple[int, int, bytes]]:
    """Return size and pixels of a picture, None where it is none."""
    image = QImage.fromData(body)
    if image.isNull():
        return None
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes() if hasattr(image, "sizeInBytes") else image.byteCount())
    return image.width(), image.height(), bytes(bits)


def difference(one: Answer, other: Answer) -> Optional[str]:
    """Return in what two answers differ, None when they tell the same."""
    if one.status != other.status:
        return f"status {one.status} / {other.status}: {one.body[:200]!r} / {other.body[:200]!r}"
    if headers_of(one) != headers_of(other):
        return f"headers {headers_of(one)} / {headers_of(other)}"
    first, second = text_of(one.body), text_of(other.body)
    if first == second:
        return None
    if "image" in one.headers.get("Content-Type", ""):
        return None if pixels_of(one.body) == pixels_of(other.body) else "pixels"
    at = next(
        (i for i, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second))
    )
    return f"body at {at}: {first[max(0, at - 80) : at + 80]!r} / {second[max(0, at - 80) : at + 80]!r}"


def canaries(request: Request, answer: Answer) -> set[bytes]:
    """Return the canaries of an answer that the request did not say itself."""
    text = answer.body
    for stream in _STREAM.findall(answer.body) if answer.body.startswith(b"%PDF") else ():
        try:
            text += zlib.decompress(stream)
        except zlib.error:
            continue
    said = request.is_named.encode()
    return {found for found in _CANARY.findall(text) if found not in said}


def has_content(answer: Answer, expected: str) -> bool:
    """Return whether an answer is what a caller asked for, and holds the expected text."""
    if answer.status != 200 or not answer.body:
        return False
    picture = pixels_of(answer.body) if "image" in answer.headers.get("Content-Type", "") else None
    if picture is not None:
        pixels = picture[2]
        return (
            any(pixels[i : i + 4] != pixels[:4] for i in range(0, len(pixels), 4))
            or len(pixels) < 800
        )
    return b"ServiceException" not in answer.body and expected.encode() in answer.body
