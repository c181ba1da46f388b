"""Map tips and display names that show what the caller may not see."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsVectorLayer

from .catalogue import Source
from .decision import LayerDecision
from .project_access import OperationAccess
from .qgis_free_texts import reads_layers, templates
from .qgis_sources import expression_sources

_NAMES_KEY = "unsafe_display_names"
_TIPS_KEY = "unsafe_map_tips"


def unsafe_display_names(access: OperationAccess, state: Any) -> frozenset[str]:
    """Return the ids of readable layers whose display name uses something closed."""
    known = access.shared.get(_NAMES_KEY)
    if not isinstance(known, frozenset):
        known = frozenset(
            layer_id
            for layer_id, layer in _readable(access, state)
            if isinstance(layer, QgsVectorLayer)
            and not expressions_are_open(access, state, layer, [layer.displayExpression()])
        )
        access.shared[_NAMES_KEY] = known
    return known


def unsafe_map_tips(access: OperationAccess, state: Any) -> frozenset[str]:
    """Return the ids of readable layers whose map tip uses something closed."""
    known = access.shared.get(_TIPS_KEY)
    if not isinstance(known, frozenset):
        known = frozenset(
            layer_id
            for layer_id, layer in _readable(access, state)
            if not expressions_are_open(access, state, layer, templates(_map_tip(layer)))
        )
        access.shared[_TIPS_KEY] = known
    return known


def _readable(access: OperationAccess, state: Any) -> list[tuple[str, Any]]:
    return [(i, layer) for i, layer in state.layers.items() if access.decision(i).read]


def _map_tip(layer: Any) -> str:
    return str(layer.mapTipTemplate() or "") if hasattr(layer, "mapTipTemplate") else ""


def expressions_are_open(
    access: OperationAccess, state: Any, layer: Any, expressions: list[str]
) -> bool:
    """Return whether all is open that expressions over a layer read; the layer may be None."""
    for text in expressions:
        if not isinstance(layer, QgsVectorLayer):
            if reads_layers(text):
                return False
            continue
        for source in expression_sources(state.project, layer, text):
            if not source_is_open(source, access.decision(source.layer)):
                return False
    return True


def source_is_open(source: Source, decision: LayerDecision) -> bool:
    """Return whether all of a source is visible to the caller."""
    if not decision.read or (source.rows and not decision.rows.is_everything):
        return False
    if source.attributes is None:
        return not decision.hidden
    return source.attributes <= decision.attributes
