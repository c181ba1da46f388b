"""Schemas of WFS (``DescribeFeatureType``) without the attributes that a caller does not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .xml import Element, descendants, local_name, remove

GEOMETRY_ELEMENT = "geometry"
_TYPE_SUFFIX = "Type"

Names = Mapping[str, frozenset[str]]
"""Type name → the names of its properties that may be shown."""


def redact_schema(root: Element, shown: Names) -> None:
    """Take types and properties out of an XML schema that are not to be shown."""
    for kind in descendants(root, "complexType"):
        type_name = str(kind.get("name", "")).removesuffix(_TYPE_SUFFIX)
        names = shown.get(type_name)
        if names is None:
            remove(kind)
            continue
        for sequence in descendants(kind, "sequence"):
            for element in list(sequence):
                if not _is_shown(str(element.get("name", "")), names):
                    remove(element)
    for element in list(root):
        if local_name(element) == "element" and element.get("name") not in shown:
            remove(element)


def redact_json_schema(document: Any, shown: Names) -> Any:
    """Return a JSON schema without the types and properties that are not to be shown."""
    types = [
        _redacted_type(kind, shown[kind["typeName"]])
        for kind in document["featureTypes"]
        if kind["typeName"] in shown
    ]
    return {**document, "featureTypes": types}


def _redacted_type(kind: Any, names: frozenset[str]) -> Any:
    properties = [p for p in kind["properties"] if _is_shown(p["name"], names)]
    return {**kind, "properties": properties}


def _is_shown(name: str, names: frozenset[str]) -> bool:
    return name == GEOMETRY_ELEMENT or name in names
