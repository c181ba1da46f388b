"""Bodies of OGC API Features edits: one GeoJSON feature, or the values of a PATCH."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

from ...value_class import value_class
from .oapif import bad_request
from .transaction import refuse_template

_MEMBERS = frozenset({"type", "properties", "geometry", "id", "links", "bbox", "timeStamp"})


@value_class
class SentFeature:
    """What an edit sends; QGIS takes a null as "not sent"."""

    values: Mapping[str, Any]
    geometry: Optional[Mapping[str, Any]] = None


def read_feature(body: bytes) -> SentFeature:
    """Return the feature of a POST or PUT; raise Refused for anything else."""
    document = _object(body)
    if document.get("type") != "Feature" or not _MEMBERS.issuperset(document):
        raise bad_request("The body is not one GeoJSON feature.")
    geometry = document.get("geometry")
    if geometry is not None and not isinstance(geometry, dict):
        raise bad_request("The geometry is not GeoJSON.")
    return SentFeature(_values(document.get("properties")), geometry)


def read_patch(body: bytes) -> SentFeature:
    """Return the values of a PATCH: ``{"modify": {...}}``."""
    document = _object(body)
    if set(document) != {"modify"}:
        raise bad_request('The body must hold "modify" alone.')
    return SentFeature(_values(document["modify"]))


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(
            body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON, or has a key twice.") from error
    if not isinstance(document, dict):
        raise bad_request("The body is not a JSON object.")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key is given twice")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _values(properties: Any) -> dict[str, Any]:
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        raise bad_request("Feature properties are not valid")
    for name, value in properties.items():
        for text in _texts(value):
            if "\0" in text:  # where a data source may end the text that was judged
                raise bad_request(f"{name}: a value must not hold a null character")
            refuse_template(text, name)
    return {name: value for name, value in properties.items() if value is not None}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return []
