"""Which attributes and expressions each named style of a vector layer draws and labels with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qgis.core import QgsExpression, QgsRenderContext, QgsVectorLayer

#: An attribute value in a style document that calls a function reading other layers or variables.
_CALL = re.compile(
    r'"([^"<>]*\b(?:aggregate|relation_aggregate|get_feature|get_feature_by_id|overlay_\w+|'
    r"represent_value|represent_attributes|eval|eval_template|layer_property|raster_value|"
    r'raster_statistic|raster_attributes|load_layer|maptip|display_expression)\s*\([^"<>]*)"'
)


def attributes_of_styles(layer: QgsVectorLayer) -> dict[str, frozenset[str]]:
    """Return style name → expressions; the current style is put back, also after an error.

    A style that is not current can only be asked by making it current for a moment; that happens
    once per project load, before QGIS runs the request.
    """
    manager = layer.styleManager()
    current = manager.currentStyle()
    found = {current: _expressions(layer)}
    try:
        for name in manager.styles():
            if name != current and manager.setCurrentStyle(name):
                found[name] = _expressions(layer)
    finally:
        if manager.currentStyle() != current:
            manager.setCurrentStyle(current)
    return found


def _expressions(layer: QgsVectorLayer) -> frozenset[str]:
    columns = {name for name in _columns(layer) if name}
    known = set(layer.fields().names())
    quoted = {QgsExpression.quotedColumnRef(name) if name in known else name for name in columns}
    return frozenset(quoted | set(_calls(layer)))


def _columns(layer: QgsVectorLayer) -> Iterator[str]:
    context = QgsRenderContext()
    renderer = layer.renderer()
    if renderer is not None:
        yield from renderer.usedAttributes(context)
    diagrams = layer.diagramRenderer()
    if diagrams is not None:
        yield from diagrams.referencedFields()
    labeling = layer.labeling()
    if labeling is None or not layer.labelsEnabled():
        return
    for provider in labeling.subProviders():
        settings = labeling.settings(provider)
        if settings.isExpression:
            yield settings.fieldName
        elif settings.fieldName:
            yield QgsExpression.quotedColumnRef(settings.fieldName)
        yield from settings.dataDefinedProperties().referencedFields()


def _calls(layer: QgsVectorLayer) -> Iterator[str]:
    """Yield the texts of the current style's document that call such a function."""
    from qgis.PyQt.QtXml import QDomDocument

    document = QDomDocument("style")
    layer.exportNamedStyle(document)
    for match in _CALL.finditer(document.toString()):
        yield _unescaped(match.group(1))


def _unescaped(text: str) -> str:
    for entity, character in (
        ("&quot;", '"'),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#xa;", "\n"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, character)
    return text
