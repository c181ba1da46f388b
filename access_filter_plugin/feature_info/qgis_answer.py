"""One GetFeatureInfo answer: every layer's features read once more, and told in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ..value_class import mutable_class, value_class
from . import settings as words
from .boundary import attempt
from .caller import Caller
from .enrichment import Enrichment
from .map_request import crs_name, feature_count
from .qgis_geometry import WGS84_CRS
from .qgis_layer_reader import LayerReader
from .qgis_layers import Assignment
from .qgis_plan import OTHER, LayerPlan
from .qgis_search import RequestPlace, has_more

Report = Callable[[LayerPlan, Exception], None]
"""Logs why a layer stays as it is."""


@value_class
class Answer:
    """What is added to a FeatureCollection."""

    enrichments: list[Optional[Enrichment]]
    info: dict[str, Any]


@mutable_class
class _LayerAnswer:
    """What is told of one layer."""

    plan: LayerPlan
    indexes: list[int]
    """Where its features stand in the stock answer."""
    enrichments: Sequence[Optional[Enrichment]] = ()
    """One for each of them; none at all when the layer stays as it is."""
    is_truncated: bool = False


class AnswerBuilder:
    """Works on one answer for one caller."""

    def __init__(
        self,
        queried: Sequence[LayerPlan],
        parameters: Mapping[str, str],
        caller: Caller,
        report: Report,
        truncated: Optional[frozenset[str]] = None,
    ) -> None:
        """``queried`` are the layers asked about, in their order.

        ``truncated`` are the layers with more features than returned, where that is known.
        """
        self._caller = caller
        self._report = report
        self._truncated = truncated
        self._feature_count = feature_count(parameters)
        self._queried = queried
        self._crs = crs_name(parameters)
        self._place = RequestPlace(parameters)

    def build(self, features: Sequence[Mapping[str, Any]]) -> Answer:
        """Return what is told of these features, in their order."""
        layers: dict[str, _LayerAnswer] = {}
        for index, plan in enumerate(Assignment(self._queried, self._caller).layers(features)):
            if plan is not None:
                layer = layers.get(plan.layer_id)
                if layer is None:
                    layer = layers[plan.layer_id] = _LayerAnswer(plan, [])
                layer.indexes.append(index)
        enrichments: list[Optional[Enrichment]] = [None] * len(features)
        for layer in layers.values():
            self._read(layer, features)
            for index, enrichment in zip(layer.indexes, layer.enrichments):
                enrichments[index] = enrichment
        passed: Mapping[str, int] = {}
        if any(plan.kind == OTHER for plan in self._queried):
            passed = Counter(str(feature.get("id")) for feature in features)
        return Answer(enrichments, self._info(layers, passed))

    def _read(self, layer: _LayerAnswer, features: Sequence[Mapping[str, Any]]) -> None:
        """Read one layer; whatever goes wrong there leaves that layer as QGIS wrote it."""

        def work() -> None:
            reader = LayerReader(layer.plan, self._caller, self._place)
            stock = [features[index] for index in layer.indexes]
            layer.enrichments = reader.read(stock)
            layer.is_truncated = self._is_truncated(layer, reader, stock)

        def failed(error: Exception) -> None:
            layer.enrichments = ()
            layer.is_truncated = self._is_full(layer)
            self._report(layer.plan, error)

        attempt(work, failed)

    def _is_full(self, layer: _LayerAnswer) -> bool:
        """Return whether more of a layer may be there, of which nothing could be read."""
        if self._truncated is not None:
            return layer.plan.layer_id in self._truncated
        return len(layer.indexes) >= self._feature_count

    def _is_truncated(
        self, layer: _LayerAnswer, reader: LayerReader, stock: Sequence[Mapping[str, Any]]
    ) -> bool:
        """Return whether the place has more features of a layer than were returned.

        Where the place cannot be asked again, a layer that reached FEATURE_COUNT counts as cut off.
        """
        if self._truncated is not None:
            return layer.plan.layer_id in self._truncated
        legend = reader.legend
        if layer.plan.record is None:
            return False
        returned = len({feature["id"] for feature in stock})
        is_full = returned >= self._feature_count
        if not is_full and (legend is None or legend.draws_everything):
            return False
        if self._place.search is None:
            return is_full
        return has_more(
            self._place.search,
            layer.plan.layer,
            returned,
            legend=legend,
            rows=self._caller.sight(layer.plan.layer_id).rows,
            evaluator=reader.evaluator,
        )

    def _info(
        self, layers: Mapping[str, _LayerAnswer], passed: Mapping[str, int]
    ) -> dict[str, Any]:
        """Return the collection's ``info``: every layer asked for, with or without features.

        ``passed`` counts ids: features of layers that we leave alone are called like the layer.
        """
        seen = [
            plan
            for plan in self._queried
            if plan.is_queryable and self._caller.sight(plan.layer_id).read
        ]
        in_wgs84 = {plan.layer_id for plan in seen if plan.settings.geometry == words.WGS84}
        crs = WGS84_CRS if seen and len(in_wgs84) == len(seen) else self._crs or None
        told = []
        for plan in seen:
            layer = layers.get(plan.layer_id)
            untold = passed.get(plan.wms_name, 0) if plan.kind == OTHER else 0
            entry = {
                "name": plan.wms_name,
                "title": plan.title,
                "returned": untold if layer is None else len(layer.indexes),
                "truncated": layer is not None and layer.is_truncated,
            }
            if plan.layer_id in in_wgs84 and crs != WGS84_CRS:
                entry["crs"] = WGS84_CRS
            told.append(entry)
        return {"crs": crs, "layers": told}
