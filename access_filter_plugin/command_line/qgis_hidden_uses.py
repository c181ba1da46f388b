"""Hidden attributes and closed layers that map tips, display names and dimensions make use of."""

from __future__ import annotations

from collections.abc import Iterator

from qgis.core import QgsProject, QgsVectorLayer
from qgis.server import QgsServerProjectUtils

from ..access_control.lint import sample_subjects
from ..access_control.project_access import OperationAccess, ProjectAccess
from ..access_control.qgis_map_tips import unsafe_display_names, unsafe_map_tips
from ..qgis_project import ProjectState
from ..strict_json import shown


def hidden_uses(project: ProjectAccess, state: ProjectState) -> Iterator[tuple[str, str]]:
    """Yield a path and a sentence for everything that is left out for somebody, each once."""
    told: set[tuple[str, str]] = set()
    for who, subject in sample_subjects(project.bound.policy).items():
        access = project.access(subject, "WMS", "GetMap")
        for found in _uses(access, state):
            if found not in told:
                told.add(found)
                path, message = found
                yield path, f"{message} (first for {who})"


def _uses(access: OperationAccess, state: ProjectState) -> Iterator[tuple[str, str]]:
    tips, names = unsafe_map_tips(access, state), unsafe_display_names(access, state)
    for layer_id, layer in state.layers.items():
        path = f"layer {shown(layer.name())}"
        if layer_id in tips:
            yield path, "its map tip is left out: it uses something hidden"
        if layer_id in names:
            yield path, "its display name is left out: it uses something hidden"
        decision = access.decision(layer_id)
        if not isinstance(layer, QgsVectorLayer) or not decision.read:
            continue
        for dimension in layer.serverProperties().wmsDimensions():
            fields = {dimension.fieldName, dimension.endFieldName} - {""}
            if fields - decision.attributes:
                name = shown(dimension.name)
                yield path, f"its dimension {name} is left out: it uses something hidden"


def published_services(project: QgsProject) -> dict[str, list[str]]:
    """Return layer id → the services that the project publishes the layer by."""
    hidden = frozenset(QgsServerProjectUtils.wmsRestrictedLayers(project))
    by_wfs = frozenset(QgsServerProjectUtils.wfsLayerIds(project))
    by_wcs = frozenset(QgsServerProjectUtils.wcsLayerIds(project))
    found = {}
    for layer_id, layer in project.mapLayers().items():
        services = ["WMS"] if layer.name() not in hidden else []
        services += ["WFS", "OAPIF"] if layer_id in by_wfs else []
        services += ["WCS"] if layer_id in by_wcs else []
        found[layer_id] = services
    return found
