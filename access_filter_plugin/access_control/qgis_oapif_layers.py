"""The collections of a request as its caller may use them, and how many rows they show."""

from __future__ import annotations

import time
from typing import Any, Optional

from qgis.core import QgsFeatureRequest, QgsProject
from qgis.server import QgsServerProjectUtils

from .admission.oapif import ApiLayer, unknown_collection
from .catalogue import LayerInfo, LayerKind
from .project_access import OperationAccess
from .qgis_rows import filtered_request

COUNT_SECONDS = 5.0
"""How long a count of visible rows is used again: a client that pages asks many times."""
COUNT_SHARE = 0.05
"""The share of a worker's time that counting the rows of one layer again may take."""


def collection_info(access: OperationAccess, project: QgsProject, name: str) -> Optional[LayerInfo]:
    """Return the published layer of a collection id; None when there is none, or are several."""
    known = access.cache.get("collections")
    if not isinstance(known, dict):
        known = access.cache["collections"] = _collections(access, project)
    return known.get(name)


def _collections(access: OperationAccess, project: QgsProject) -> dict[str, LayerInfo]:
    published = set(QgsServerProjectUtils.wfsLayerIds(project))
    found: dict[str, list[LayerInfo]] = {}
    for info in access.catalogue.layers.values():
        if info.kind is LayerKind.VECTOR:
            found.setdefault(info.short_name or info.name, []).append(info)
    return {
        name: infos[0]
        for name, infos in found.items()
        if len(infos) == 1 and infos[0].id in published
    }


def api_layer(access: OperationAccess, info: LayerInfo, layer: Any) -> ApiLayer:
    """Return a collection as the caller may use it."""
    key = f"collection {info.id}"
    known = access.cache.get(key)
    if not isinstance(known, ApiLayer):
        known = access.cache[key] = _api_layer(access, info, layer)
    return known


def _api_layer(access: OperationAccess, info: LayerInfo, layer: Any) -> ApiLayer:
    decision = access.decision(info.id)
    visible = decision.attributes - decision.raw_attributes if decision.read else frozenset()
    return ApiLayer(
        id=info.id,
        visible=visible,
        titles=titles_of(layer, visible),
        has_filter=not decision.rows.is_everything,
        is_whole=decision.is_fully_readable,
        has_key=bool(info.primary_key),
    )


def titles_of(layer: Any, visible: frozenset[str]) -> dict[str, str]:
    """Return the visible attributes by their names in JSON, without those a hidden one shares."""
    titles: dict[str, str] = {}
    hidden = {f.displayName() for f in layer.fields() if f.name() not in visible}
    for field in layer.fields():
        if field.name() in visible and field.displayName() not in hidden:
            titles[field.displayName()] = field.name()
    return titles


def listed(access: OperationAccess, project: QgsProject, name: str) -> LayerInfo:
    """Return a collection that is listed for the caller; raise UnknownName."""
    info = collection_info(access, project, name)
    if info is None or not access.decision(info.id).is_listed:
        raise unknown_collection(name)
    return info


def visible_count(access: OperationAccess, info: LayerInfo, layer: Any) -> int:
    """Return how many rows of a layer the caller sees."""
    key = f"count {info.id}"
    known = access.cache.get(key)
    began = time.monotonic()
    if isinstance(known, tuple) and began < known[0]:
        return int(known[1])
    count = _count(layer, access.decision(info.id).rows.expression())
    now = time.monotonic()
    access.cache[key] = (now + max(COUNT_SECONDS, (now - began) / COUNT_SHARE), count)
    return count


def _count(layer: Any, rows: Optional[str]) -> int:
    if rows is None:
        return int(layer.featureCount())
    request = filtered_request(layer, rows)
    if not request.filterExpression().needsGeometry():
        request.setFlags(QgsFeatureRequest.NoGeometry)
    request.setSubsetOfAttributes([])
    return sum(1 for _feature in layer.getFeatures(request))
