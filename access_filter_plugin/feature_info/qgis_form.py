"""The form of a layer: which fields it shows, in which order, under which tabs and groups."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from qgis.core import (
    Qgis,
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsEditFormConfig,
    QgsVectorLayer,
)

from ..value_class import value_class

HIDDEN_WIDGET = "Hidden"


@value_class
class FormField:
    """One field as the form places it."""

    index: int
    groups: tuple[str, ...] = ()
    """Tabs and groups around it, outermost first."""
    conditions: tuple[str, ...] = ()
    """Expressions that must all be true for the form to show it."""


@value_class
class Form:
    """The fields of a layer, sorted by what its form does with them."""

    shown: tuple[FormField, ...]
    others: tuple[FormField, ...]
    """Fields that a drag-and-drop form does not place."""
    hidden: tuple[FormField, ...]
    """Fields with the Hidden widget, placed or not."""


def read_form(layer: QgsVectorLayer) -> Form:
    """Return the form of a layer; fields that WMS leaves out are in none of its lists."""
    published = set(published_fields(layer))
    placed = [item for item in _placed(layer) if item.index in published]
    missing = [FormField(index) for index in sorted(published - {item.index for item in placed})]
    hidden = {
        index for index in published if layer.editorWidgetSetup(index).type() == HIDDEN_WIDGET
    }
    return Form(
        shown=tuple(item for item in placed if item.index not in hidden),
        others=tuple(item for item in missing if item.index not in hidden),
        hidden=tuple(item for item in placed + missing if item.index in hidden),
    )


def published_fields(layer: QgsVectorLayer) -> Iterator[int]:
    """Yield the indexes of the fields that the project publishes through WMS."""
    left_out = _left_out_of_wms(layer)
    for index in range(layer.fields().count()):
        if index not in left_out:
            yield index


def _left_out_of_wms(layer: QgsVectorLayer) -> set[int]:
    fields = layer.fields()
    if hasattr(layer, "fieldConfigurationFlags"):
        flag = Qgis.FieldConfigurationFlag.HideFromWms
        flags = map(layer.fieldConfigurationFlags, range(fields.count()))
        return {index for index, value in enumerate(flags) if value & flag}
    with warnings.catch_warnings():  # deprecated, and the only binding that 3.22 has
        warnings.simplefilter("ignore")
        return {fields.indexFromName(name) for name in layer.excludeAttributesWms()}


def _placed(layer: QgsVectorLayer) -> list[FormField]:
    config = layer.editFormConfig()
    if config.layout() != QgsEditFormConfig.EditorLayout.TabLayout:
        return [FormField(index) for index in range(layer.fields().count())]
    found: dict[int, FormField] = {}
    for item in _below(layer, config.invisibleRootContainer(), (), ()):
        found.setdefault(item.index, item)
    return list(found.values())


def _below(
    layer: QgsVectorLayer, container: Any, groups: tuple[str, ...], conditions: tuple[str, ...]
) -> Iterator[FormField]:
    for child in container.children():
        if isinstance(child, QgsAttributeEditorContainer):
            name = (child.name(),) if child.name() and not _is_row(child) else ()
            yield from _below(layer, child, groups + name, conditions + _condition(child))
        elif isinstance(child, QgsAttributeEditorField):
            index = layer.fields().lookupField(child.name())
            if index >= 0:
                yield FormField(index, groups, conditions)


def _is_row(container: QgsAttributeEditorContainer) -> bool:
    """Return whether a container only sets its fields side by side, without a title (3.32)."""
    kind = getattr(container, "type", lambda: None)()
    return getattr(kind, "name", "") == "Row" or str(kind).endswith(".Row")


def _condition(container: QgsAttributeEditorContainer) -> tuple[str, ...]:
    condition = container.visibilityExpression()
    return (condition.data().expression(),) if condition.enabled() else ()
