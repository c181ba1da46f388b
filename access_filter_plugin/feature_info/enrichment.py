"""The stock FeatureCollection and what is told about its features → the answer.

Ids, order and number of the features stay; a feature about which nothing is told stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Callable, Optional

from ..value_class import mutable_class
from .settings import PROPERTY

VERSION = 1
MEMBER_NAME = "info"

_UNCHANGED = object()


@mutable_class
class Enrichment:
    """What is told about one feature."""

    info: dict[str, Any]
    place: str
    layer: str
    """The layer's id, so that a layer can be left out as a whole."""
    properties: Optional[dict[str, Any]] = None
    """New properties, or None for those that QGIS wrote."""
    geometry: Any = field(default=_UNCHANGED)
    """A new geometry (None is GeoJSON's null), unless it stays as it is."""
    bbox: Optional[list[float]] = None


def is_feature_collection(value: Any) -> bool:
    """Return whether a JSON value is a FeatureCollection of features with properties."""
    if not isinstance(value, dict) or value.get("type") != "FeatureCollection":
        return False
    features = value.get("features")
    return isinstance(features, list) and all(
        isinstance(feature, dict) and isinstance(feature.get("properties"), (dict, type(None)))
        for feature in features
    )


def enriched_feature(feature: dict[str, Any], enrichment: Optional[Enrichment]) -> dict[str, Any]:
    """Return a feature of the answer; the stock feature itself is not changed."""
    if enrichment is None:
        return feature
    answer = {"type": "Feature", **feature}
    if enrichment.geometry is not _UNCHANGED:
        answer["geometry"] = enrichment.geometry
    answer.setdefault("geometry", None)
    if enrichment.bbox is not None:
        answer["bbox"] = enrichment.bbox
    if enrichment.properties is not None:
        answer["properties"] = enrichment.properties
    if enrichment.place == PROPERTY:
        answer["properties"] = {
            **(answer["properties"] or {}),
            MEMBER_NAME: enrichment.info,
        }
    else:
        answer[MEMBER_NAME] = enrichment.info
    return answer


def enriched_collection(
    collection: Mapping[str, Any],
    enrichments: Sequence[Optional[Enrichment]],
    info: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the answer: the stock members, ours, and the features in their order."""
    stock = collection["features"]
    others = {key: value for key, value in collection.items() if key not in ("type", "features")}
    return {
        "type": "FeatureCollection",
        **others,
        MEMBER_NAME: {"version": VERSION, **info},
        "features": [
            enriched_feature(feature, enrichment) for feature, enrichment in zip(stock, enrichments)
        ],
    }


def unwritable_layers(
    enrichments: Sequence[Optional[Enrichment]], dumps: Callable[[Any], bytes]
) -> dict[str, Exception]:
    """Return the layers whose enrichment is no JSON (half a surrogate pair in a text), and why."""
    found: dict[str, Exception] = {}
    for enrichment in enrichments:
        if enrichment is None or enrichment.layer in found:
            continue
        try:
            dumps([enrichment.info, enrichment.properties])
        except (TypeError, ValueError) as error:
            found[enrichment.layer] = error
    return found
