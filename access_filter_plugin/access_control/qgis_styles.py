"""Which attributes and expressions each named style of a vector layer draws and labels with.

Styles that are not current are read into a scratch layer with the same fields: the project that
QGIS serves is never switched to another style, not even for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from qgis.core import (
    QgsExpression,
    QgsMapLayer,
    QgsReadWriteContext,
    QgsRenderContext,
    QgsRuleBasedLabeling,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtXml import QDomDocument

from ..late_pattern import late_pattern
from .qgis_free_texts import templates

#: A value in a style document that may be an expression with a function call, but a text shown.
#: Qt writes ">" as it is.
_CALL = late_pattern(r'(?<!label=)(?<!name=)"([^"<]*\w\s*\([^"<]*)"')
_DRAWING = (
    QgsMapLayer.StyleCategory.Symbology
    | QgsMapLayer.StyleCategory.Diagrams
    | QgsMapLayer.StyleCategory.Rendering
)
_MAP_TIP = late_pattern(r"<mapTip\b[^>]*>.*?</mapTip>", re.DOTALL)
UNREADABLE = "eval('unreadable')"
"""Stands for a style that cannot be read: an expression of which nobody can tell what it reads."""


def attributes_of_styles(layer: QgsVectorLayer) -> dict[str, frozenset[str]]:
    """Return style name → the expressions it draws and labels with."""
    manager = layer.styleManager()
    current = manager.currentStyle()
    found = {current: _expressions(layer)}
    others = [name for name in manager.styles() if name != current]
    if not others:
        return found
    scratch = _scratch_layer(layer)
    for name in others:
        document = QDomDocument("style")
        # Qt 5 answers with a tuple, Qt 6 with an object that is true when it worked.
        read = document.setContent(manager.style(name).xmlData())
        done = bool(read[0] if isinstance(read, tuple) else read)
        if done:
            done = scratch.importNamedStyle(document)[0]
        found[name] = _expressions(scratch) if done else frozenset({UNREADABLE})
    return found


def _scratch_layer(layer: QgsVectorLayer) -> QgsVectorLayer:
    """Return a layer in memory with the same kind of geometry and the same fields."""
    kind = QgsWkbTypes.displayString(layer.wkbType()) if layer.isSpatial() else "NoGeometry"
    scratch = QgsVectorLayer(kind, "", "memory")
    provider = scratch.dataProvider()
    if provider is not None:
        provider.addAttributes(list(layer.fields()))
        scratch.updateFields()
    return scratch


def _expressions(layer: QgsVectorLayer) -> frozenset[str]:
    columns = {name for name in _columns(layer) if name}
    fields = layer.fields()
    # Names are looked up without regard to case, as QGIS does when it draws.
    quoted = {
        QgsExpression.quotedColumnRef(name) if fields.lookupField(name) >= 0 else name
        for name in columns
    }
    return frozenset(quoted | set(_calls(layer)))


def _columns(layer: QgsVectorLayer) -> Iterator[str]:
    """Yield the columns and expressions that the current style reads, as far as QGIS tells."""
    context = QgsRenderContext()
    renderer = layer.renderer()
    if renderer is not None:
        yield from renderer.usedAttributes(context)
        if renderer.orderByEnabled():
            yield from (clause.expression().expression() for clause in renderer.orderBy().list())
    diagrams = layer.diagramRenderer()
    if diagrams is not None:
        yield from diagrams.referencedFields()
        settings = layer.diagramLayerSettings()
        if settings is not None:
            yield from settings.referencedFields()
    if layer.labeling() is not None and layer.labelsEnabled():
        yield from _labeling_columns(layer, context)


def _labeling_columns(layer: QgsVectorLayer, context: QgsRenderContext) -> Iterator[str]:
    labeling = layer.labeling()
    for provider in labeling.subProviders():
        settings = labeling.settings(provider)
        if settings.isExpression:
            yield settings.fieldName
        yield from settings.referencedFields(context)
    if isinstance(labeling, QgsRuleBasedLabeling):
        for rule in labeling.rootRule().descendants():
            yield rule.filterExpression()


def _calls(layer: QgsVectorLayer) -> Iterator[str]:
    """Yield the values of the current style's document that call a function."""
    document = QDomDocument("style")
    shown = _DRAWING | QgsMapLayer.StyleCategory.Labeling if layer.labelsEnabled() else _DRAWING
    layer.exportNamedStyle(document, QgsReadWriteContext(), shown)
    yield from _written(document.toString())


def _written(style: str) -> Iterator[str]:
    """Yield the calls in a style's document, and the templates in texts that a legend shows."""
    for match in _CALL.finditer(style):
        yield _unescaped(match.group(1))
    for text in templates(style):
        yield _unescaped(text)


def written_in_styles(layer: QgsMapLayer) -> dict[str, frozenset[str]]:
    """Return style name → what a layer other than a vector layer may evaluate to be drawn.

    Map tips are left out: GetFeatureInfo alone shows them, and they are emptied by themselves.
    """
    manager = layer.styleManager()
    current = manager.currentStyle()
    document = QDomDocument("style")
    layer.exportNamedStyle(document, QgsReadWriteContext())
    found = {name: manager.style(name).xmlData() for name in manager.styles()}
    found[current] = document.toString()
    return {
        name: frozenset(_written(_MAP_TIP.sub("", text))) if text else frozenset({UNREADABLE})
        for name, text in found.items()
    }


def _unescaped(text: str) -> str:
    for entity, character in (
        ("&quot;", '"'),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#x9;", "\t"),
        ("&#xd;", "\r"),
        ("&#xa;", "\n"),
        ("&amp;", "&"),
    ):
        text = text.replace(entity, character)
    return text
