"""JSON documents of OGC API Features without what a caller does not see."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Callable, Optional

from ...late_pattern import late_pattern
from ...value_class import value_class

_OFFSET = late_pattern(r"(?<=[?&]offset=)\d+")
_OFFSET_RANGE = late_pattern(r"\[0-\d+\]")
_COLLECTION_PATH = late_pattern(r"/collections/([^/?]+)/items")


@value_class
class Shown:
    """What of one collection is shown."""

    titles: frozenset[str] = frozenset()
    """The names of properties that may be shown, as JSON has them."""
    parameters: frozenset[str] = frozenset()
    """The names of parameters by which features may be asked for."""
    hides_something: bool = False
    edits: frozenset[str] = frozenset()


@value_class
class Page:
    """Which part of the features was asked for."""

    offset: int = 0
    limit: int = 10
    count: Optional[int] = None
    """How many rows the caller sees; None when QGIS counts them through the row filter."""
    total: Optional[int] = None
    """How many rows there are, hidden ones too, where ``count`` is None and rows are hidden."""
    find_count: Callable[[], int] = int
    """Finds ``count`` where it turns out to be needed."""


def redact_collections(document: Any, shown: Mapping[str, Shown]) -> Any:
    """Return the list of collections without those that are not listed."""
    kept = [
        redact_collection(collection, shown[collection["id"]])
        for collection in document["collections"]
        if collection["id"] in shown
    ]
    return {**document, "collections": kept}


def redact_collection(document: Any, shown: Shown) -> Any:
    """Return one collection; its time is read from all rows, so it goes with hidden ones."""
    if not shown.hides_something:
        return document
    extent = document["extent"]
    temporal = {**extent["temporal"], "interval": None}
    return {**document, "extent": {**extent, "temporal": temporal}}


def redact_feature(document: Any, shown: Shown) -> Any:
    """Return one feature without the properties that are not to be shown."""
    properties = document.get("properties")
    if not isinstance(properties, dict) or properties.keys() <= shown.titles:
        return document
    kept = {name: value for name, value in properties.items() if name in shown.titles}
    return {**document, "properties": kept}


def redact_features(document: Any, shown: Shown, page: Page) -> Any:
    """Return features with visible properties, the count of visible rows, and their pages."""
    features = [redact_feature(feature, shown) for feature in document["features"]]
    return redact_paging({**document, "features": features}, len(features), page)


def redact_paging(document: Any, returned: int, page: Page) -> Any:
    """Return an answer, with its features or without, with the count of visible rows and pages."""
    count = page.count
    if _counts_hidden_rows(document, returned, page):
        count = page.find_count()
    if count is None:
        return document
    if returned:
        # What has come out is seen, even where the count is some seconds old.
        count = max(count, page.offset + returned)
    links = [
        _with_last_offset(link, page.limit, count) if link.get("rel") == "last" else link
        for link in document["links"]
        if _is_needed(link.get("rel"), page, count)
    ]
    return {**document, "numberMatched": count, "links": links}


def _counts_hidden_rows(document: Any, returned: int, page: Page) -> bool:
    """Return whether QGIS may have counted all rows, having taken no notice of a condition.

    So it does with the name of an attribute that it knows by another name here, or does not publish.
    """
    if page.total is None:
        return False
    matched = document["numberMatched"]
    return bool(matched >= page.total and matched != page.offset + returned)


def _is_needed(relation: Optional[str], page: Page, count: int) -> bool:
    if relation == "next":
        return page.offset + page.limit < count
    if relation in ("first", "last"):
        return count > page.limit
    return True


def _with_last_offset(link: Any, limit: int, count: int) -> Any:
    if not limit:
        return link
    offset = (ceil(count / limit) - 1) * limit
    return {**link, "href": _OFFSET.sub(str(offset), link["href"])}


def redact_api(document: Any, shown: Mapping[str, Shown]) -> Any:
    """Return the description of the API without hidden collections, attributes and counts."""
    paths = {}
    for path, verbs in document["paths"].items():
        found = _COLLECTION_PATH.search(path)
        if found is None:
            paths[path] = verbs
        elif found.group(1) in shown:
            paths[path] = _redacted_verbs(verbs, shown[found.group(1)])
    return {**document, "paths": paths}


def _redacted_verbs(verbs: Any, shown: Shown) -> Any:
    edits = {"post": "Insert", "put": "Update", "patch": "Update", "delete": "Delete"}
    kept = {v: d for v, d in verbs.items() if v not in edits or edits[v] in shown.edits}
    if "get" in kept and "parameters" in kept["get"]:
        parameters = [
            _redacted_parameter(parameter, shown)
            for parameter in kept["get"]["parameters"]
            if _may_be_named(parameter, shown)
        ]
        kept["get"] = {**kept["get"], "parameters": parameters}
    return kept


_NOT_ATTRIBUTES = frozenset(
    {
        "limit",
        "offset",
        "resultType",
        "bbox",
        "bbox-crs",
        "crs",
        "datetime",
        "sortby",
        "sortdesc",
        "properties",
        "featureId",
    }
)


def _may_be_named(parameter: Any, shown: Shown) -> bool:
    name = parameter.get("name")
    return name is None or name in _NOT_ATTRIBUTES or name in shown.parameters


def _redacted_parameter(parameter: Any, shown: Shown) -> Any:
    if parameter.get("name") == "properties" and shown.hides_something:
        names = "', '".join(sorted(shown.titles))
        text = f"Comma separated list of properties. Valid values: '{names}'"
        return {**parameter, "description": text}
    if parameter.get("name") == "offset":
        return {**parameter, "description": _OFFSET_RANGE.sub("", parameter["description"])}
    return parameter
