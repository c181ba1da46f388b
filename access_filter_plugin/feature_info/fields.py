"""One attribute as the answer shows it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Optional

from ..value_class import value_class
from . import settings as words
from .values import exact_text, is_dropped

GROUP_SEPARATOR = " / "


@value_class
class FieldFrame:
    """What is the same in all features: everything of a field but its value."""

    name: str
    """As the answer names it, after ``rename``."""
    alias: str
    type: str
    widget: str
    groups: tuple[str, ...] = ()
    """Tabs and groups of the form, outermost first."""
    unit: str = ""

    @cached_property
    def _frame(self) -> dict[str, Any]:
        """The member of ``fields`` with nothing in it; copied for each value, which is faster."""
        found: dict[str, Any] = {
            "name": self.name,
            "alias": self.alias,
            "value": None,
            "label": None,
            "type": self.type,
            "widget": self.widget,
        }
        if self.groups:
            found["group"] = GROUP_SEPARATOR.join(self.groups)
        if len(self.groups) > 1:
            found["groups"] = list(self.groups)
        if self.unit:
            found["unit"] = self.unit
        return found

    def entry(self, value: Any, label: Optional[str]) -> dict[str, Any]:
        """Return the member of ``fields`` for one value."""
        found = self._frame.copy()
        found["value"] = value
        found["label"] = with_unit(label, self.unit) if self.unit else label
        if type(value) is int:
            text = exact_text(value)
            if text is not None:
                found["text"] = text
        return found

    def text_entry(self, value: str) -> dict[str, Any]:
        """Return the member of ``fields`` for a text that is its own label."""
        found = self._frame.copy()
        found["value"] = found["label"] = value
        return found


def with_unit(label: Optional[str], unit: str) -> Optional[str]:
    """Return a label with its unit behind it; nothing has no unit."""
    return f"{label} {unit}" if unit and label else label


def computed_entry(value: Any, label: Optional[str], unit: str) -> dict[str, Any]:
    """Return the member of ``computed`` for one value."""
    found = {"value": value, "label": with_unit(label, unit)}
    if unit:
        found["unit"] = unit
    text = exact_text(value)
    if text is not None:
        found["text"] = text
    return found


def properties_of(entries: Iterable[dict[str, Any]], mode: str, empty: str) -> dict[str, Any]:
    """Return ``properties`` made of field entries: by name or alias, values or labels.

    Of two fields with one alias, the second stands under its name.
    """
    shown = "value" if mode == words.NAMES else "label"
    found: dict[str, Any] = {}
    for entry in entries:
        if is_dropped(entry["value"], empty) or is_dropped(entry[shown], empty):
            continue
        key = entry["alias"] if mode == words.ALIASES else entry["name"]
        found[entry["name"] if key in found else key] = entry[shown]
    return found
