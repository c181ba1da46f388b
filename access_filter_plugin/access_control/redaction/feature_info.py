"""GetFeatureInfo in every format, without what the hooks cannot keep out.

The hook decides on field names. QGIS writes displayed names (aliases) and, in JSON, reads the
feature again by displayed name, so an alias that equals a closed field's name shows that field;
forms with tabs write every field of a tab; a closed primary key is read for the feature's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ... import json_codec
from ...late_modules import unescape
from ...late_pattern import late_pattern
from ...value_class import value_class
from ..catalogue import LayerInfo
from ..decision import LayerDecision
from .xml import Element, indented, local_name, parse_answer, remove

_LAYER = late_pattern(r'<Layer\b[^"\n]*(?:"[^"]*"[^"\n]*)*?\sname="([^"]*)"')
_ATTRIBUTE = late_pattern(r'^\s*<Attribute\b[^"\n]*(?:"[^"]*"[^"\n]*)*?\sname="([^"]*)"')
_TEXT_LAYER = late_pattern(r"Layer '(.*)'")
_TEXT_VALUE = late_pattern(r"(.+?) = '")
_QGIS_GML = "{http://qgis.org/gml}"
#: A row of the table (all versions), or the title that newer ones write above it.
_HTML_PART = late_pattern(
    r"<div class='layer-title'>(?P<title>.*?)</div>|"
    r"[ \t]*<tr>\s*<th(?P<first>[^>]*)>(?P<key>.*?)</th>\s*"
    r"<td[^>]*>(?P<value>.*?)</td>\s*</tr>[ \t]*\n?",
    re.DOTALL | re.IGNORECASE,
)
MAX_SEARCHED = 50
"""With more closed names than this an answer is parsed at once."""


@value_class
class LayerKeys:
    """Which displayed names of one layer may stand in an answer."""

    names: frozenset[str]
    """The names by which an answer may call the layer."""
    closed: frozenset[str]
    """Names and aliases of what is closed, folded in case; these never stand."""

    def allows(self, key: str) -> bool:
        """Return whether a property of this displayed name may stay."""
        return key.casefold() not in self.closed


def layer_keys(
    info: LayerInfo, decision: LayerDecision, aliases: Mapping[str, str], title: str = ""
) -> Optional[LayerKeys]:
    """Return the keys of a layer; None when nothing of it is closed."""
    shown = decision.attributes - decision.raw_attributes
    closed = [name for name in info.attributes if name not in shown]
    if not closed:
        return None
    both = [*closed, *(aliases.get(name, "") for name in closed)]
    keys = frozenset(name.casefold() for name in both if name)
    names = frozenset(filter(None, (*info.names, info.wms_name, title)))
    return LayerKeys(names, keys)


class Keys:
    """The keys of all layers that a request asks."""

    def __init__(self, layers: Sequence[LayerKeys], open_names: Iterable[str]) -> None:
        self._layers = tuple(layers)
        self._open_names = frozenset(open_names)
        closed = frozenset(name for keys in self._layers for name in keys.closed)
        self._quoted = tuple(f'"{name}"' for name in closed)

    def __bool__(self) -> bool:
        return bool(self._layers)

    def may_be_in(self, body: bytes) -> bool:
        """Return whether a key of anything closed may stand in a JSON text; False is certain.

        Without a backslash every key stands there as it is, between quotes. Case is folded letter
        by letter, so that of a key within the text is that of the key alone.
        """
        if b"\\" in body or len(self._quoted) > MAX_SEARCHED:
            return True
        text = body.decode("utf-8").casefold()
        return any(name in text for name in self._quoted)

    def of(self, name: str) -> tuple[LayerKeys, ...]:
        """Return the keys that hold for an answer's layer; all of them for an unknown name."""
        found = tuple(keys for keys in self._layers if name in keys.names)
        return found if found or name in self._open_names else self._layers

    def of_id(self, feature_id: str) -> tuple[LayerKeys, ...]:
        """Return the keys for ``layer.fid``; names may hold dots, so all that fit count."""
        parts = feature_id.split(".")
        names = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        found = tuple(keys for keys in self._layers if keys.names & names)
        return found if found or names & self._open_names else self._layers


def _allows(keys: tuple[LayerKeys, ...], key: str) -> bool:
    return all(one.allows(key) for one in keys)


def _lines(text: str) -> list[str]:
    """Return the lines as QGIS ends them: to Python other signs would end one, too."""
    *lines, rest = text.split("\n")
    return [*(f"{line}\n" for line in lines), rest]


def redact_xml(text: str, keys: Keys) -> str:
    """Return the text/xml answer; QGIS writes each attribute on a line of its own."""
    current = keys.of("")
    kept = []
    for line in _lines(text):
        layer = _LAYER.search(line)
        if layer is not None:
            current = keys.of(unescape(layer.group(1)))
        attribute = _ATTRIBUTE.match(line)
        if attribute is None or _allows(current, unescape(attribute.group(1))):
            kept.append(line)
    return "".join(kept)


def redact_plain(text: str, keys: Keys) -> str:
    """Return the text/plain answer; the lines of a value that is left out go with it."""
    current = keys.of("")
    kept = []
    leaving = False
    for line in _lines(text):
        layer = _TEXT_LAYER.fullmatch(line.rstrip("\n"))
        value = _TEXT_VALUE.match(line)
        if layer is not None:
            current, leaving = keys.of(layer.group(1)), False
        elif value is not None:
            leaving = not _allows(current, value.group(1))
        elif not line.strip() or line.startswith("Feature "):
            leaving = False
        if not leaving:
            kept.append(line)
    return "".join(kept)


def redact_html(text: str, keys: Keys) -> str:
    """Return the text/html answer without the table rows of what is closed."""
    current = keys.of("")

    def part(found: re.Match[str]) -> str:
        nonlocal current
        if found.group("title") is not None:
            current = keys.of(unescape(found.group("title")))
            return found.group()
        key = unescape(found.group("key"))
        if key == "Layer" and found.group("first"):  # as 3.22 begins a table
            current = keys.of(unescape(found.group("value")))
            return found.group()
        return found.group() if _allows(current, key) else ""

    return _HTML_PART.sub(part, text)


def redact_json(body: bytes, keys: Keys, shared: frozenset[str] = frozenset()) -> bytes:
    """Return the JSON answer without the properties of what is closed.

    ``shared`` are names of several layers, one with hidden rows. QGIS finds the features in one of
    them, and for JSON reads the rows of those keys in another, without its row filter (seen on
    3.22, 3.40 and 3.44): of these only the ids stay.
    """
    if not shared and not keys.may_be_in(body):
        return body
    document: Any = json_codec.loads(body)
    changed = False
    prefixes = tuple(f"{name}." for name in shared)
    for feature in document.get("features", ()):
        properties = feature.get("properties")
        if str(feature.get("id", "")).startswith(prefixes):
            feature.update(properties={}, geometry=None)
            feature.pop("bbox", None)
            changed = True
            continue
        if not isinstance(properties, dict):
            continue
        current = keys.of_id(str(feature.get("id", "")))
        for key in [key for key in properties if not _allows(current, key)]:
            del properties[key]
            changed = True
    return json_codec.dumps(document) if changed else body


def redact_gml(body: bytes, keys: Keys) -> bytes:
    """Return the GML answer; elements are called like attributes, with cleaned names."""
    root = parse_answer(body)
    for member in root.iter():
        if local_name(member) in {"featureMember", "member"}:
            for feature in member:
                _redact_gml_feature(feature, keys)
    return indented(root)


def _redact_gml_feature(feature: Element, keys: Keys) -> None:
    current = keys.of_id(feature.get("fid", "") or local_name(feature))
    closed = {clean_name(key) for one in current for key in one.closed}
    for child in list(feature):
        if str(child.tag).startswith(_QGIS_GML) and local_name(child).casefold() in closed:
            remove(child)


def clean_name(name: str) -> str:
    """Return an attribute's name as QGIS writes it as an element of GML."""
    return re.sub(r"[^\w.\-_]", "", name.replace(" ", "_"))
