"""Expressions anywhere in a layout or an annotation: in symbols, grids, table cells, data-defined properties.

A layout has more places for an expression than QGIS has methods that tell of them, and each version
adds some. So its document is read: data-defined properties by their names, and whatever else looks
like the call of a function.
"""

from __future__ import annotations

from collections.abc import Iterator

from qgis.core import (
    QgsAnnotation,
    QgsAnnotationLayer,
    QgsExpression,
    QgsPrintLayout,
    QgsReadWriteContext,
)
from qgis.PyQt.QtXml import QDomDocument

from ..late_pattern import late_pattern
from .qgis_free_texts import templates
from .qgis_styles import UNREADABLE
from .redaction.xml import Element, XmlError, parse

_CALL = late_pattern(r"\w\s*\(")


def written_expressions(layout: QgsPrintLayout) -> frozenset[str]:
    """Return every text of a layout that QGIS may evaluate."""
    document = QDomDocument()
    document.appendChild(layout.writeXml(document, QgsReadWriteContext()))
    return _of_document(document)


def annotation_expressions(annotation: QgsAnnotation) -> frozenset[str]:
    """Return every expression of an annotation's symbols."""
    document = QDomDocument()
    element = document.createElement("annotation")
    document.appendChild(element)
    annotation.writeXml(element, document, QgsReadWriteContext())
    return _of_document(document)


def annotation_layer_expressions(layer: QgsAnnotationLayer) -> frozenset[str]:
    """Return every expression in the texts and symbols of an annotation layer's items."""
    document = QDomDocument()
    root = document.createElement("items")
    document.appendChild(root)
    for item in layer.items().values():
        element = document.createElement("item")
        item.writeXml(element, document, QgsReadWriteContext())
        root.appendChild(element)
    return _of_document(document)


def _of_document(document: QDomDocument) -> frozenset[str]:
    try:
        root = parse(document.toString())
    except XmlError:
        return frozenset({UNREADABLE})
    return frozenset(text for element in root.iter() for text in _of_element(element))


def _of_element(element: Element) -> Iterator[str]:
    if _is_switched_off(element):
        return
    value = str(element.get("value", ""))
    if value and element.get("name") == "expression":
        yield value
    if value and element.get("name") == "field":
        yield str(QgsExpression.quotedColumnRef(value))
    yield from templates(str(element.text or ""))
    for name, text in element.attrib.items():
        yield from templates(str(text))
        if text and (str(name).endswith("Expression") or _CALL.search(str(text)) is not None):
            yield str(text)


def _is_switched_off(element: Element) -> bool:
    """Return whether an element is part of a data-defined property that is not active."""
    parent = element.getparent()
    options = () if parent is None else parent
    return any(o.get("name") == "active" and o.get("value") == "false" for o in options)
