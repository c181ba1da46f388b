"""OGC API Features: which path is asked, with which parameters.

QGIS searches its patterns anywhere in the path and reads the first of several parameters of one
name, in exactly this case. So a path is accepted in its plain form only, and a parameter once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from types import MappingProxyType
from typing import Optional

from ...late_pattern import late_pattern
from ...value_class import value_class
from .grammar import Grammar, is_bbox, is_boolean, is_crs, is_integer, is_text, is_word, one_of
from .refused import Refused, UnknownName

BAD_REQUEST = "Bad request error"
NOT_FOUND = "API not found error"
_DOCUMENT_TYPES = ("", "json", "geojson", "openapi3")
_PATH = late_pattern(r"(?P<root>(?:/[^/]+)*?)/wfs3(?P<rest>[/.].*)?")
_FEATURE_ID = late_pattern(r"[\w@.:{}-]{1,200}")
_IDENTIFIER = late_pattern(r"[A-Za-z_]\w*", re.ASCII)
_ESCAPE = late_pattern(r"%[0-9A-Fa-f]{2}")
_DATA = frozenset({"Collection", "Items", "Item"})


@value_class
class ApiPath:
    """What a path is about: the kind is the operation that reads it."""

    kind: str
    collection: str = ""
    feature_id: str = ""
    extension: str = ""


@value_class
class ApiLayer:
    """One collection as its caller may use it."""

    id: str
    visible: frozenset[str] = frozenset()
    titles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The visible attributes by the names that JSON shows (aliases, where there are any)."""
    has_filter: bool = False
    is_whole: bool = True
    """True when no row and no attribute is hidden."""
    has_key: bool = True


def unknown_collection(name: str) -> UnknownName:
    """Return the refusal of a collection, in the words of QGIS."""
    sentence = f"Collection with given id ({name}) was not found or multiple matches were found"
    return UnknownName(name, sentence, status=404, code=NOT_FOUND)


def bad_request(sentence: str) -> Refused:
    """Return the refusal of a request that is not understood."""
    return Refused(sentence, code=BAD_REQUEST)


@lru_cache(maxsize=64)
def read_path(path: str) -> ApiPath:
    """Return what a decoded path is about; raise Refused for a form that is not the plain one.

    Two walls read the path of every request, and clients ask for the same few again; what is
    remembered follows from the text alone, and a refusal is not remembered.
    """
    found = _PATH.fullmatch(path)
    rest = (found.group("rest") or "") if found else ""
    if found is None or "//" in path or "/wfs3" in rest or "/wfs3" in found.group("root"):
        raise bad_request("Requested URI does not match any registered API handler")
    parts = rest.strip("/").split("/") if rest.strip("/") else []
    if any(part in (".", "..") for part in parts):
        raise bad_request("Requested URI does not match any registered API handler")
    return _kind(parts)


_HANDLED = frozenset({"collections", "api", "conformance"})
"""What QGIS takes for a document wherever in a path it stands, below ``static`` too."""


def _kind(parts: list[str]) -> ApiPath:
    if not parts:
        return ApiPath("LandingPage")
    name, extension = _split_extension(parts[0])
    if parts[0] == "static" and len(parts) > 1:
        if any(_split_extension(part)[0] in _HANDLED for part in parts):
            raise bad_request("Requested URI does not match any registered API handler")
        return ApiPath("Static")
    if len(parts) == 1:
        documents = {"api": "Api", "conformance": "Conformance", "collections": "Collections"}
        if name in documents:
            return ApiPath(documents[name], extension=extension)
        if name in ("", "index"):
            return ApiPath("LandingPage", extension=extension)
    if parts[0] == "collections" and len(parts) > 1:
        return _in_collection(parts[1:])
    raise bad_request("Requested URI does not match any registered API handler")


def _in_collection(parts: list[str]) -> ApiPath:
    if len(parts) == 1:
        name, extension = _split_extension(parts[0])
        return ApiPath("Collection", name, extension=extension)
    items, extension = _split_extension(parts[1])
    if items != "items" or (len(parts) > 2 and extension) or len(parts) > 3:
        raise bad_request("Requested URI does not match any registered API handler")
    if len(parts) == 2:
        return ApiPath("Items", parts[0], extension=extension)
    feature_id, extension = _split_extension(parts[2])
    if _FEATURE_ID.fullmatch(feature_id) is None:
        raise bad_request(f"Invalid feature ID [{feature_id}]")
    return ApiPath("Item", parts[0], feature_id, extension)


def _split_extension(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    known = extension.lower() in ("json", "geojson", "html", "openapi3", "flatgeobuf", "xml")
    return (stem, extension.lower()) if dot and known else (name, "")


def check_format(path: ApiPath) -> None:
    """Refuse the formats that cannot be redacted: pages and binary files."""
    if path.kind in ("LandingPage", "Conformance", "Static"):
        return
    if path.extension not in _DOCUMENT_TYPES:
        raise Refused("Only JSON is available here: end the path with .json.", status=406)


_COMMON: dict[str, Grammar] = {
    "MAP": is_text,
    "f": one_of("json", "geojson"),
    "_": is_word,
}
_ITEMS: dict[str, Grammar] = {
    **_COMMON,
    "limit": is_integer,
    "offset": is_integer,
    "bbox": is_bbox,
    "bbox-crs": is_crs,
    "crs": is_crs,
    "resultType": one_of("results", "hits"),
    "sortdesc": is_boolean,
    "properties": is_text,
}
_ITEM: dict[str, Grammar] = {**_COMMON, "crs": is_crs}


def check_query(path: ApiPath, query: Sequence[tuple[str, str]], layer: Optional[ApiLayer]) -> None:
    """Raise Refused for a query that is not understood or that asks for what is hidden."""
    seen: set[str] = set()
    for name, value in query:
        if not name and not value:
            continue  # "?&offset=10", as QGIS itself writes links to other pages (3.22 to 3.44)
        if name.lower() in seen:
            raise bad_request(f"Argument '{name}' is given more than once")
        seen.add(name.lower())
        if path.kind == "Items" and layer is not None:
            _check_item_parameter(name, value, layer)
        elif not _is_common(name, value, _ITEM if path.kind in _DATA else _COMMON):
            raise bad_request(f"Argument '{name}' is not valid.")


def _is_common(name: str, value: str, grammars: Mapping[str, Grammar]) -> bool:
    key = "MAP" if name.upper() == "MAP" else name
    return key in grammars and grammars[key](value)


def _check_item_parameter(name: str, value: str, layer: ApiLayer) -> None:
    if name == "sortby":
        if value not in layer.visible or _IDENTIFIER.fullmatch(value) is None:
            raise bad_request(f"Invalid sortBy field '{value}'")
    elif name == "datetime":
        # QGIS puts the time in the place of the row filter, and picks the field by itself.
        if not layer.is_whole:
            raise bad_request("Argument 'datetime' is not accepted for this collection.")
    elif name in layer.visible or name in layer.titles:
        check_value(name, value)
    elif not _is_common(name, value, _ITEMS):
        raise bad_request(f"Argument '{name}' is not valid.")


def check_value(name: str, value: str) -> None:
    """Refuse a filter value that could end the literal into which QGIS puts it unescaped."""
    if "'" in value or "\\" in value or _ESCAPE.search(value) or not is_text(value):
        raise bad_request(f"Invalid filter field value [{name}]")


def offset_of(query: Sequence[tuple[str, str]]) -> int:
    """Return the offset of a checked query."""
    return next((int(value) for name, value in query if name == "offset" and value), 0)


def invalid_offset(count: int) -> Refused:
    """Return the refusal of an offset beyond the visible rows, in the words of QGIS."""
    return bad_request(
        f"Argument 'offset' is not valid. Offset for features to retrieve [0-{count}]"
    )
