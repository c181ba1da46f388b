"""A page of features without what its caller does not see: mostly only counts and links differ.

The hooks have kept hidden rows and attributes out, and this wall looks whether they have. That every
key of the features is one that may be shown is told by counting, without parsing them; they then
stay as QGIS wrote them. Whatever looks different in any way is parsed as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from ... import json_codec
from ...late_pattern import late_pattern
from .oapif_json import Page, Shown, redact_features, redact_paging

STRUCTURE = frozenset({"type", "id", "geometry", "coordinates", "geometries", "bbox", "properties"})
"""The keys of GeoJSON."""
MAX_KEYS = 60
"""With more columns than this parsing is as fast."""
_HEAD = b'{"features":'
_JOINT = b'],"links":['
_TAIL = frozenset({"links", "numberMatched", "numberReturned", "timeStamp", "type"})
_PLAIN = late_pattern(r"\w[^\x00-\x1f\x7f\"\\]*")


def keys_of(titles: Iterable[str], hidden: Iterable[str]) -> tuple[bytes, ...]:
    """Return the keys of features of these properties; none where counting them would not be safe.

    A key that begins with a letter or digit is found in JSON as a key alone: behind the end of
    another string there is never a letter.
    """
    shown = STRUCTURE.union(titles)
    if len(shown) > MAX_KEYS or not STRUCTURE.isdisjoint(hidden):
        return ()
    if any(_PLAIN.fullmatch(name) is None for name in shown):
        return ()
    return tuple(f'"{name}":'.encode() for name in shown)


def redact_items(body: bytes, shown: Shown, page: Page) -> bytes:
    """Return an answer with visible properties, the count of visible rows, and their pages."""
    parts = _parts(body)
    if parts is None or not _holds_only(parts[0], shown.keys):
        return json_codec.dumps(redact_features(json_codec.loads(body), shown, page))
    features, rest = parts
    rest = redact_paging(rest, rest["numberReturned"], page)
    return b"".join((_HEAD, features, b",", json_codec.dumps(rest)[1:]))


def _parts(body: bytes) -> Optional[tuple[bytes, Any]]:
    """Return the features as they are written, and the rest as a document; None if unsure.

    Within a string a quote has a backslash, and no link holds links: the last joint is the one.
    """
    joint = body.rfind(_JOINT)
    if joint < 0 or not body.startswith(_HEAD + b"["):
        return None
    try:
        rest = json_codec.loads(b"{" + body[joint + 2 :])
    except ValueError:
        return None
    if not isinstance(rest, dict) or rest.keys() != _TAIL:
        return None
    if type(rest["numberReturned"]) is not int:
        return None
    return body[len(_HEAD) : joint + 1], rest


def _holds_only(features: bytes, keys: tuple[bytes, ...]) -> bool:
    """Return whether features hold no key but these; True is certain.

    Without a backslash a quote only begins or ends a string, and what ends before a colon is a key.
    A text that begins with a colon is counted with the keys: then there seem to be too many.
    """
    if not keys or b"\\" in features:
        return False
    return features.count(b'":') == sum(map(features.count, keys))
