"""The collections of a request as its caller may use them."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsProject
from qgis.server import QgsServerProjectUtils

from .admission.oapif import ApiLayer, unknown_collection
from .catalogue import LayerInfo, LayerKind
from .project_access import OperationAccess


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
