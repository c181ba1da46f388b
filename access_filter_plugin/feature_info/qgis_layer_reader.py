"""Tells everything about the features of one layer in one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from qgis.core import QgsFeature

from . import settings as words
from .attachments import attachment_url, media_type
from .caller import Caller
from .enrichment import Enrichment
from .fields import properties_of
from .map_request import has_own_styles, styles_by_layer
from .qgis_evaluate import Evaluator
from .qgis_expressions import column_indexes
from .qgis_features import fetch_by_key
from .qgis_geometry import GeometryWriter
from .qgis_layer_view import DRAWN_ANEW, layer_view
from .qgis_layers import key_in
from .qgis_legend import Legend, legend_of_style
from .qgis_plan import LayerPlan, LinkPlan, RecordPlan
from .qgis_raster import BandReader
from .qgis_records import Record, RecordReader
from .qgis_related import read_related
from .qgis_search import RequestPlace
from .qgis_values import to_text
from .templates import fill_link
from .values import is_dropped


class LayerReader:
    """Reads one layer for one caller."""

    def __init__(self, plan: LayerPlan, caller: Caller, place: RequestPlace) -> None:
        self.plan = plan
        self._caller = caller
        self._place = place
        self._view = layer_view(plan, caller)
        self._reader = (
            None if plan.record is None else RecordReader(plan.record, caller, plan.settings.empty)
        )
        self.legend = self._legend()
        self._writer: Optional[GeometryWriter] = None

    @property
    def evaluator(self) -> Evaluator:
        """The layer's expression context."""
        if self._reader is None:
            return Evaluator(self.plan.layer, self._caller.variables())
        return self._reader.evaluator

    def read(self, stock: Sequence[Mapping[str, Any]]) -> list[Optional[Enrichment]]:
        """Return what is told of each stock feature; None for one the caller should not see."""
        if self.plan.record is None or self._reader is None:
            return [self._raster(feature) for feature in stock]
        return self._vectors(self.plan.record, self._reader, stock)

    def _raster(self, feature: Mapping[str, Any]) -> Enrichment:
        entries = BandReader(self.plan, self._place.search).entries(feature["properties"] or {})
        info: dict[str, Any] = {
            "layer": self.plan.head,
            "title": self.plan.title,
            "fields": entries,
        }
        if self.plan.settings.static:
            info["static"] = dict(self.plan.settings.static)
        enrichment = Enrichment(info, self.plan.settings.place, self.plan.layer_id)
        self._set_properties(enrichment, entries)
        return enrichment

    def _vectors(
        self, record: RecordPlan, reader: RecordReader, stock: Sequence[Mapping[str, Any]]
    ) -> list[Optional[Enrichment]]:
        keys = [key_in(self.plan, feature["id"]) for feature in stock]
        told = self._told_by_stock(reader, keys, stock)
        if told is not None:
            return told
        rows = fetch_by_key(
            record.keys,
            keys,
            self._view.sight.rows,
            self._attributes(),
            geometry=self._needs_geometry(),
        )
        found = {key: rows[key] for key in keys if key in rows}
        read = dict(zip(found, self._told(reader, found)))
        return [read.get(key) for key in keys]

    def _told_by_stock(
        self, reader: RecordReader, keys: Sequence[str], stock: Sequence[Mapping[str, Any]]
    ) -> Optional[list[Optional[Enrichment]]]:
        """Return what is told from the values of the stock answer; None where they do not do."""
        values, stock_values = self._view.values, self.plan.stock_values
        if values is None or stock_values is None:
            return None
        legend = None if self.legend is None else self.legend.only_entry
        if self.legend is not None and legend is None:
            return None  # the symbol depends on the feature
        rows = stock_values.rows(stock, values)
        if rows is None:
            return None
        records = reader.read_rows(rows)
        return [
            self._enrichment(key, None, record, {}, legend) for key, record in zip(keys, records)
        ]

    def _told(self, reader: RecordReader, found: Mapping[str, QgsFeature]) -> list[Enrichment]:
        features = list(found.values())
        records = reader.read(features)
        related = self._related(features)
        legends = self._legend_entries(reader, features)
        return [
            self._enrichment(key, *parts)
            for key, *parts in zip(found, features, records, related, legends)
        ]

    def _related(self, features: Sequence[QgsFeature]) -> Sequence[dict[str, Any]]:
        plan = self.plan
        if not plan.related:
            return [{}] * len(features)
        return read_related(plan.related, plan.layer, features, self._caller, plan.settings.empty)

    def _enrichment(
        self,
        key: str,
        feature: Optional[QgsFeature],
        record: Record,
        related: dict[str, Any],
        legend: Optional[dict[str, str]],
    ) -> Enrichment:
        info: dict[str, Any] = {
            "layer": self.plan.head,
            "title": record.title or f"{self.plan.wms_name}.{key}",
            "fields": record.fields,
        }
        if record.computed:
            info["computed"] = record.computed
        if related:
            info["related"] = related
        if self._view.has_additions:
            info.update(self._additions(feature))
        if legend is not None:
            info["legend"] = legend
        enrichment = Enrichment(info, self.plan.settings.place, self.plan.layer_id)
        self._set_properties(enrichment, record.fields)
        self._set_geometry(enrichment, feature)
        return enrichment

    def _additions(self, feature: Optional[QgsFeature]) -> dict[str, Any]:
        """Return what the author added for each feature, without what is empty."""
        found = {
            "links": self._links_of(feature),
            "attachments": self._attachments_of(feature),
            "static": dict(self.plan.settings.static),
            "maptip": self._maptip_of(feature),
        }
        return {name: value for name, value in found.items() if value}

    def _set_properties(self, enrichment: Enrichment, entries: list[dict[str, Any]]) -> None:
        mode = self.plan.settings.properties
        if mode != words.STOCK:
            enrichment.properties = properties_of(entries, mode, self.plan.settings.empty)

    def _set_geometry(self, enrichment: Enrichment, feature: Optional[QgsFeature]) -> None:
        settings = self.plan.settings
        if settings.geometry == words.NO_GEOMETRY:
            enrichment.geometry = None
        elif settings.geometry in DRAWN_ANEW and feature is not None:
            if self._writer is None:
                self._writer = GeometryWriter(
                    settings.geometry, settings.precision, self.plan.layer.crs(), self._place.crs
                )
            enrichment.geometry, enrichment.bbox = self._writer.write(feature.geometry())

    def _attributes(self) -> set[int]:
        found = set(self._view.attributes)
        if self.legend is not None:
            found |= column_indexes(self.plan.layer, self.legend.attributes)
        return found

    def _needs_geometry(self) -> bool:
        return self._view.needs_geometry or (self.legend is not None and self.legend.needs_geometry)

    def _links_of(self, feature: QgsFeature) -> dict[str, Optional[str]]:
        found = {name: self._link(link, feature) for name, link in self._view.links.items()}
        empty = self.plan.settings.empty
        return {name: link for name, link in found.items() if not is_dropped(link, empty)}

    def _link(self, link: LinkPlan, feature: QgsFeature) -> Optional[str]:
        values = [to_text(self.evaluator.value(item.text, feature)) for item in link.expressions]
        return fill_link(link.parts, values)

    def _attachments_of(self, feature: QgsFeature) -> list[dict[str, str]]:
        found = []
        for item in self._view.attachments:
            value = to_text(feature.attribute(item.index))
            url = attachment_url(value, item.base_url, item.folders)
            if url is not None:
                found.append({"field": item.name, "url": url, "type": media_type(url)})
        return found

    def _maptip_of(self, feature: QgsFeature) -> Optional[str]:
        if self._view.maptip is None:
            return None
        return self.evaluator.filled(self._view.maptip.template, feature)

    def _legend_entries(
        self, reader: RecordReader, features: Sequence[QgsFeature]
    ) -> list[Optional[dict[str, str]]]:
        if self.legend is None:
            return [None] * len(features)
        return self.legend.entries(features, reader.evaluator, self._place)

    def _legend(self) -> Optional[Legend]:
        """Return the legend of the style that was drawn, if it is open to the caller."""
        plan = self.plan
        if plan.record is None or has_own_styles(self._place.parameters):
            return None
        asked = styles_by_layer(self._place.parameters)
        named = next((asked[name] for name in plan.names if name in asked), "")
        style = named or self._view.sight.default_style or plan.style
        if self._view.sight.styles is not None and style not in self._view.sight.styles:
            return None
        if style not in plan.legends and style in plan.layer.styleManager().styles():
            plan.legends[style] = legend_of_style(plan.layer, style)
        return plan.legends.get(style)  # nothing is kept of names that a client made up
