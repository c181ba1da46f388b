"""Map tips, annotations and current styles, for the time of one WMS or WMTS request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsRectangle,
)

from ..request_context import RequestContext
from .admission.verdict import Verdict
from .admission.wms_tree import is_open
from .project_access import OperationAccess
from .qgis_free_texts import templates
from .qgis_map_tips import expressions_are_open, unsafe_map_tips
from .qgis_styles import UNREADABLE
from .qgis_wms_dimensions import leave_out_dimensions
from .qgis_wms_project import wms_facts
from .qgis_written_expressions import annotation_expressions

Register = Callable[[Callable[[], None]], None]

_DRAWING = frozenset({"GetMap", "GetTile", "GetPrint", "GetFeatureInfo"})
_STYLES_KEY = "wms_open_styles"
_ANNOTATIONS_KEY = "open_annotations"
EXTENTS_NOTE = "access_control.extents"


def mutate_wms(
    context: RequestContext,
    access: OperationAccess,
    state: Any,
    verdict: Verdict,
    undo: Register,
) -> None:
    """Set the project so that maps and GetFeatureInfo show nothing that is hidden."""
    if access.service not in ("WMS", "WMTS"):
        return
    undo = _keeping_clean(state.project, undo)
    facts = wms_facts(state)
    _set_open_styles(access, state, undo)
    if access.operation == "GetFeatureInfo":
        _empty_map_tips(access, state, undo)
    if access.operation in _DRAWING:
        if facts.has_annotations:
            _hide_annotations(access, state, undo)
        if facts.dimensions:
            leave_out_dimensions(_effective(context, verdict), access, state, undo)
    if access.service == "WMTS":
        if verdict.notes.get("group"):
            _leave_out_closed_members(access, state, undo)
        if access.operation == "GetCapabilities":
            context.notes[EXTENTS_NOTE] = dict(_extents(access, state))


def _effective(context: RequestContext, verdict: Verdict) -> dict[str, str]:
    """Return the parameters that QGIS gets: a dimension may have been dropped from those sent."""
    merged = {**context.request.parameters, **verdict.changes}
    return {name: value for name, value in merged.items() if value}


def may_mutate_wms(access: OperationAccess, state: Any) -> bool:
    """Return whether some request of the operation may need anything set; False is certain.

    What depends on more than the decisions and the project, such as the parameters, counts as
    something that may be set.
    """
    if access.service != "WMS":
        return access.service == "WMTS"
    facts = wms_facts(state)
    if access.operation in _DRAWING and (facts.has_annotations or facts.dimensions):
        return True
    if access.operation == "GetFeatureInfo" and unsafe_map_tips(access, state):
        return True
    return bool(_open_styles(access))


def _keeping_clean(project: Any, undo: Register) -> Register:
    """Return ``undo``, which with its first entry puts the project's dirty flag back as well."""
    is_kept = False

    def register(function: Callable[[], None]) -> None:
        nonlocal is_kept
        if not is_kept:
            is_kept = True
            undo(partial(project.setDirty, project.isDirty()))
        undo(function)

    return register


def _set_open_styles(access: OperationAccess, state: Any, undo: Register) -> None:
    """Make an open style current where the project's own default is closed (policy 21)."""
    for layer_id, style in _open_styles(access):
        manager = state.layers[layer_id].styleManager()
        undo(partial(manager.setCurrentStyle, manager.currentStyle()))
        manager.setCurrentStyle(style)


def _open_styles(access: OperationAccess) -> tuple[tuple[str, str], ...]:
    """Return the layers in whose default style nothing may be shown, and the style to take."""
    wanted = access.cache.get(_STYLES_KEY)
    if not isinstance(wanted, tuple):
        wanted = access.cache[_STYLES_KEY] = tuple(_other_styles(access))
    return wanted


def _other_styles(access: OperationAccess) -> Iterator[tuple[str, str]]:
    for layer_id, info in access.catalogue.layers.items():
        decision = access.decision(layer_id)
        style = decision.default_style
        if decision.read and style and style != info.default_style:
            yield layer_id, style


def _empty_map_tips(access: OperationAccess, state: Any, undo: Register) -> None:
    for layer_id in unsafe_map_tips(access, state):
        layer = state.layers[layer_id]
        before = layer.mapTipTemplate()
        undo(partial(layer.setMapTipTemplate, before))
        layer.setMapTipTemplate("")


def _hide_annotations(access: OperationAccess, state: Any, undo: Register) -> None:
    annotations = state.project.annotationManager().annotations()
    may_show = access.cache.get(_ANNOTATIONS_KEY)
    if not isinstance(may_show, tuple) or len(may_show) != len(annotations):
        may_show = tuple(_may_show(annotation, access, state) for annotation in annotations)
        access.cache[_ANNOTATIONS_KEY] = may_show
    for annotation, is_open_to_caller in zip(annotations, may_show):
        if annotation.isVisible() and not is_open_to_caller:
            undo(partial(annotation.setVisible, True))
            annotation.setVisible(False)


def _may_show(annotation: Any, access: OperationAccess, state: Any) -> bool:
    layer = annotation.mapLayer()
    if layer is not None:
        decision = access.decision(layer.id())
        if not decision.read or not decision.rows.is_everything:
            return False
    found = [text for shown in _texts(annotation) for text in templates(shown)]
    found += annotation_expressions(annotation)
    return expressions_are_open(access, state, layer, found)


def _texts(annotation: Any) -> Iterator[str]:
    if hasattr(annotation, "document"):
        yield annotation.document().toPlainText()
    if hasattr(annotation, "sourceFile"):
        yield f"[% {UNREADABLE} %]"  # an HTML page, which may hold any expression


def _leave_out_closed_members(access: OperationAccess, state: Any, undo: Register) -> None:
    """Let QGIS leave closed layers out of a group: 3.22 would refuse all of it.

    The list holds names, so a permitted layer with the name of a closed one is left out as well.
    """
    project = state.project
    before, existed = project.readListEntry("WMSRestrictedLayers", "/")
    closed = [
        info.name
        for layer_id, info in access.catalogue.layers.items()
        if not is_open(access, layer_id)
    ]
    if existed:
        undo(lambda: project.writeEntry("WMSRestrictedLayers", "/", before))
    else:
        undo(lambda: project.removeEntry("WMSRestrictedLayers", "/"))
    project.writeEntry("WMSRestrictedLayers", "/", [*before, *closed])


def _extents(access: OperationAccess, state: Any) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Yield layer id → extent in WGS 84 of the layers that may be listed."""
    geographic = QgsCoordinateReferenceSystem("EPSG:4326")
    for layer_id, layer in state.layers.items():
        if not is_open(access, layer_id) or layer.extent().isNull():
            continue
        transform = QgsCoordinateTransform(layer.crs(), geographic, state.project)
        try:
            box: QgsRectangle = transform.transformBoundingBox(layer.extent())
        except QgsCsException:
            continue
        yield layer_id, (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
