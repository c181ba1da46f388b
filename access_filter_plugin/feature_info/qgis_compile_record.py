"""Works out what is told of the records of a layer, be they asked for or related."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional

from qgis.core import QgsProject, QgsVectorLayer

from .fields import FieldFrame
from .lint import Lint, unknown_field
from .name_selection import exact_names, has_wildcard, select
from .qgis_expressions import AuthoredExpression, parse_expression, parse_template
from .qgis_features import FeatureKeys
from .qgis_form import Form, FormField, published_fields, read_form
from .qgis_labels import plain_labeler
from .qgis_plan import (
    AttachmentPlan,
    ComputedPlan,
    FieldPlan,
    LinkPlan,
    MaptipPlan,
    RecordPlan,
)
from .qgis_values import type_name
from .qgis_widgets import widget_of
from .settings import LayerSettings
from .templates import split_template

Path = Callable[..., str]


class RecordCompiler:
    """Works out what is told of the records of one vector layer."""

    def __init__(
        self, layer: QgsVectorLayer, name: str, settings: Any, path: Path, lint: Lint
    ) -> None:
        self._layer = layer
        self._wms_name = name
        self._settings = settings
        self._path = path
        self._lint = lint
        self._published = set(published_fields(layer))
        self.own: frozenset[str] = frozenset()
        """The settings' keys that were written for this layer alone."""

    def record(self) -> RecordPlan:
        """Return the plan: fields in order, display name, computed values."""
        form = read_form(self._layer)
        return RecordPlan(
            layer=self._layer,
            keys=FeatureKeys(self._layer),
            wms_name=self._wms_name,
            fields=tuple(self._fields(form)),
            title=self._display_name(),
            computed=self._computed(),
        )

    def _fields(self, form: Form) -> Iterable[FieldPlan]:
        settings = self._settings
        by_name = {
            self._name(item.index): item for item in (*form.shown, *form.others, *form.hidden)
        }
        for number, entry in enumerate(settings.fields or ()):
            name = entry.removeprefix("!")
            if not has_wildcard(name):
                self._check_field("fields", f"[{number}]", name)
        for key in ("rename", "units"):
            computed = settings.computed if key == "units" else {}
            for name in getattr(settings, key):
                if name not in computed:
                    self._check_field(key, f".{name}", name)
        chosen = select(
            settings.fields,
            *([self._name(item.index) for item in items] for items in _lists(form)),
        )
        for name in chosen:
            yield self._field(by_name[name], named=name in exact_names(settings.fields))

    def _field(self, item: FormField, *, named: bool) -> FieldPlan:
        layer, settings = self._layer, self._settings
        name = self._name(item.index)
        labeler = plain_labeler(layer, item.index)
        return FieldPlan(
            index=item.index,
            attribute=name,
            labeler=labeler,
            is_text=labeler.shows_text_as_it_is and name not in settings.units,
            shares_entries=labeler.depends_on_value,
            frame=FieldFrame(
                name=settings.rename.get(name, name),
                alias=layer.attributeDisplayName(item.index),
                type=type_name(layer.fields().at(item.index)),
                widget=widget_of(layer, item.index)[0],
                groups=item.groups,
                unit=settings.units.get(name, ""),
            ),
            conditions=() if named else self._conditions(item),
        )

    def _conditions(self, item: FormField) -> tuple[AuthoredExpression, ...]:
        found = []
        for text in item.conditions:
            try:
                found.append(parse_expression(self._layer, text))
            except ValueError:
                continue  # the form ignores it as well
        return tuple(found)

    def _display_name(self) -> Optional[AuthoredExpression]:
        try:
            return parse_expression(self._layer, self._layer.displayExpression())
        except ValueError:
            return None

    def _computed(self) -> dict[str, ComputedPlan]:
        found = {}
        for name, text in self._settings.computed.items():
            expression = self.expression("computed", name, text)
            if expression is not None:
                found[name] = ComputedPlan(expression, self._settings.units.get(name, ""))
        return found

    def links(self, links: Mapping[str, str]) -> dict[str, LinkPlan]:
        """Return the links whose expressions are all right."""
        found = {}
        for name, template in links.items():
            parts = tuple(split_template(template))
            texts = [text for is_expression, text in parts if is_expression]
            expressions = [self.expression("links", name, text) for text in texts]
            if None not in expressions:
                found[name] = LinkPlan(parts, tuple(item for item in expressions if item))
        return found

    def attachments(
        self, project: QgsProject, attachments: Mapping[str, str]
    ) -> Iterable[AttachmentPlan]:
        """Yield the attachment fields that are there."""
        home = os.path.dirname(project.fileName())
        for name, base_url in attachments.items():
            if not self._check_field("attachments", f".{name}", name):
                continue
            index = self._layer.fields().indexFromName(name)
            root = str(self._layer.editorWidgetSetup(index).config().get("DefaultRoot") or "")
            new_name = self._settings.rename.get(name, name)
            yield AttachmentPlan(index, name, new_name, base_url, (root, home))

    def maptip(self, settings: LayerSettings) -> Optional[MaptipPlan]:
        """Return the map tip if it was asked for and there is one."""
        template = self._layer.mapTipTemplate()
        if not settings.maptip or not template:
            return None
        try:
            expressions = parse_template(self._layer, template)
        except ValueError as error:
            self._lint.warn(self._path("maptip"), f"the map tip {error}")
            return None
        return MaptipPlan(template, tuple(expressions))

    def expression(self, key: str, name: str, text: str) -> Optional[AuthoredExpression]:
        """Return an expression of the settings, or None and a warning."""
        path = self._path(key, name)
        own = key in self.own
        try:
            expression = parse_expression(self._layer, text)
        except ValueError as error:
            self._lint.warn(path, str(error))
            return None
        for column in sorted(expression.unknown):
            message = unknown_field(self._layer.name(), column, self._layer.fields().names())
            self._lint.misses(path, message, own=own)
            return None
        for column in sorted(expression.columns or ()):
            if self._layer.fields().indexFromName(column) not in self._published:
                message = f'the field "{column}" is not published by WMS'
                self._lint.misses(path, message, own=own)
                return None
        self._lint.fits(path)
        return expression

    def _check_field(self, key: str, suffix: str, name: str) -> bool:
        """Return whether a name in the settings is a published field of the layer."""
        path = self._path(key) + suffix
        index = self._layer.fields().indexFromName(name)
        if index in self._published:
            self._lint.fits(path)
            return True
        if index >= 0:
            message = f'the field "{name}" is not published by WMS'
        else:
            message = unknown_field(self._layer.name(), name, self._layer.fields().names())
        self._lint.misses(path, message, own=key in self.own)
        return False

    def _name(self, index: int) -> str:
        return str(self._layer.fields().at(index).name())


def _lists(form: Form) -> tuple[tuple[FormField, ...], ...]:
    return form.shown, form.others, form.hidden
