"""A page of features without what its caller does not see: mostly only counts and links differ.

The hooks have kept hidden rows and attributes out, and this wall looks whether they have. Features
that hold no name but those that may be shown stay as QGIS wrote them. Whatever looks different in any
way is written anew as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from ... import json_codec
from .oapif_json import Page, Shown, redact_features, redact_paging

_MEMBERS = frozenset({"type", "id", "geometry", "bbox", "properties"})
_SHAPE = frozenset({"type", "coordinates", "bbox"})
_HEAD = b'{"features":'
_JOINT = b'],"links":['
_TAIL = ("links", "numberMatched", "numberReturned", "timeStamp", "type")
_NAMES = ["features", *_TAIL]


def redact_items(body: bytes, shown: Shown, page: Page) -> bytes:
    """Return an answer with visible properties, the count of visible rows, and their pages."""
    document = json_codec.loads(body)
    features = _as_written(body, document, shown.titles)
    if features is None:
        return json_codec.dumps(redact_features(document, shown, page))
    rest = {name: document[name] for name in _TAIL}
    rest = redact_paging(rest, rest["numberReturned"], page)
    return b"".join((_HEAD, features, b",", json_codec.dumps(rest)[1:]))


def _as_written(body: bytes, document: Any, titles: frozenset[str]) -> Optional[bytes]:
    """Return the features as they are written; None where they could hold any name but these.

    A page begins with its features, and its links come next. Within a string a quote has a
    backslash, so the text between them stands there once, or another time as a part of a feature.
    """
    if not body.startswith(_HEAD + b"[") or body.count(_JOINT) != 1:
        return None
    if not isinstance(document, dict) or list(document) != _NAMES:
        return None
    if type(document["numberReturned"]) is not int:
        return None
    text = body[len(_HEAD) : body.rindex(_JOINT) + 1]
    # Of a name that is there twice the reader has one; what ends before a colon is a name.
    is_told = _count_names(document["features"], titles) == text.count(b'":')
    return text if is_told else None


def _count_names(features: Sequence[Any], titles: frozenset[str]) -> int:
    """Return how many names features hold that are shown, -1 where there is any other."""
    count = 0
    for feature in features:
        properties, shape = feature.get("properties"), feature.get("geometry")
        if type(properties) is not dict or not properties.keys() <= titles:
            return -1
        if not feature.keys() <= _MEMBERS:
            return -1
        count += len(feature) + len(properties)
        if shape is not None:
            if type(shape) is not dict or not shape.keys() <= _SHAPE:
                return -1
            count += len(shape)
    return count
