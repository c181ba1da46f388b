"""What layers and their styles are made of: queries, groups, annotations, titles, symbols.

What cannot be told counts as made of everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qgis.core import (
    QgsAnnotationLayer,
    QgsMapLayer,
    QgsProject,
    QgsVectorLayer,
    QgsVirtualLayerDefinition,
)
from qgis.PyQt.QtCore import QUrl

from ..late_pattern import late_pattern
from .catalogue import Source
from .qgis_free_texts import templates
from .qgis_functions import LAYER_FUNCTIONS, RELATION_FUNCTIONS, canonical_name
from .qgis_sources import UNKNOWN_SOURCE, expression_sources, free_sources
from .qgis_styles import attributes_of_styles, written_in_styles
from .qgis_virtual_rasters import raster_sources
from .qgis_wms_project import server_text
from .qgis_written_expressions import annotation_layer_expressions

_CALLED = late_pattern(r"(\w+)\s*\(")
_EVALUATING = frozenset({"eval", "eval_template", "load_layer", "maptip", "display_expression"})


def layer_sources(project: QgsProject, layer: QgsMapLayer) -> tuple[Source, ...]:
    """Return what a whole layer is made of: what it computes from, and what its title reads."""
    return (*_computed_from(project, layer), *dict.fromkeys(_title_sources(project, layer)))


def _title_sources(project: QgsProject, layer: QgsMapLayer) -> Iterator[Source]:
    """Yield what the templates in a layer's title or name read, which legends evaluate."""
    for text in (server_text(layer, "title"), layer.name()):
        for template in templates(text):
            yield from _sources_of(project, layer, template)


def _sources_of(project: QgsProject, layer: QgsMapLayer, text: str) -> list[Source]:
    if isinstance(layer, QgsVectorLayer):
        return expression_sources(project, layer, text)
    return free_sources(project, text)


def _annotation_sources(project: QgsProject, layer: QgsAnnotationLayer) -> Iterator[Source]:
    linked = layer.linkedVisibilityLayer() if hasattr(layer, "linkedVisibilityLayer") else None
    if linked is not None:
        yield Source(linked.id(), frozenset())  # it is drawn only together with that one
    for text in sorted(annotation_layer_expressions(layer)):
        yield from free_sources(project, text)


def _computed_from(project: QgsProject, layer: QgsMapLayer) -> tuple[Source, ...]:
    """Return the layers that a virtual, a group or an annotation layer is made of."""
    if isinstance(layer, QgsAnnotationLayer):
        return tuple(dict.fromkeys(_annotation_sources(project, layer)))
    if hasattr(layer, "childLayers"):
        return tuple(Source(child.id(), frozenset(), rows=False) for child in layer.childLayers())
    if isinstance(layer, QgsVectorLayer) and layer.providerType() == "virtual":
        return tuple(_virtual_sources(project, layer))
    return raster_sources(project, layer)


def _virtual_sources(project: QgsProject, layer: QgsVectorLayer) -> Iterable[Source]:
    """Return what a virtual layer's query may read: every layer it names, whole."""
    definition = QgsVirtualLayerDefinition.fromUrl(_virtual_url(layer))
    text = _without_doubled_quotes(definition.query().lower())
    named = {source.reference() for source in definition.sourceLayers() if source.isReferenced()}
    found = [
        Source(other.id(), None)
        for other in project.mapLayers().values()
        if other.id() != layer.id()
        and (other.id() in named or _is_named(other.id(), text) or _is_named(other.name(), text))
    ]
    embedded = any(not source.isReferenced() for source in definition.sourceLayers())
    called = {canonical_name(name) for name in _CALLED.findall(text)}
    computed = called & (LAYER_FUNCTIONS | RELATION_FUNCTIONS | _EVALUATING)
    return found + ([UNKNOWN_SOURCE] if embedded or computed or not found else [])


def _is_named(name: str, text: str) -> bool:
    """Return whether a query names a layer; a name within a longer word is another name."""
    folded = name.lower()
    if not re.fullmatch(r"\w+", folded):
        return folded in text
    return re.search(rf"(?<!\w){folded}(?!\w)", text) is not None


def _without_doubled_quotes(text: str) -> str:
    """Return SQL in which a quote within a quoted name stands once, as it does in the name."""
    for quote in ("'", '"', "`"):
        text = text.replace(quote * 2, quote)
    return text


def _virtual_url(layer: QgsVectorLayer) -> QUrl:
    return QUrl.fromEncoded(layer.source().encode())


def style_sources(project: QgsProject, layer: QgsMapLayer) -> dict[str, tuple[Source, ...]]:
    """Return style name → what it draws with."""
    if layer.styleManager() is None:
        return {}
    is_vector = isinstance(layer, QgsVectorLayer)
    styles = attributes_of_styles(layer) if is_vector else written_in_styles(layer)
    found: dict[str, tuple[Source, ...]] = {}
    for style, expressions in styles.items():
        sources: list[Source] = []
        for text in sorted(expressions):
            sources += _sources_of(project, layer, text)
        found[style] = tuple(dict.fromkeys(sources))
    return found
