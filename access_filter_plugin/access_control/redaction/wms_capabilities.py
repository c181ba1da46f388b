"""WMS capabilities and project settings without what the caller may not see.

QGIS leaves closed layers out by itself (``layerPermissions``); what it does not ask about are
groups, styles, attributes, layouts and the lists of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Callable

from ...value_class import value_class
from .xml import Element, child_text, children, descendants, local_name, remove


@value_class
class ListedLayer:
    """One layer that the caller sees."""

    is_queryable: bool = True
    closed_styles: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    """The visible attributes by field name."""
    has_hidden: bool = False


@value_class
class Listing:
    """What the caller may be told of a project."""

    layers: Mapping[str, ListedLayer] = field(default_factory=dict)
    """WMS name → layer."""
    templates: frozenset[str] = frozenset()
    other_names: frozenset[str] = frozenset()
    """Names and ids by which WFSLayers and the drawing order may mention layers."""


_PARTS = tuple(f"{{*}}{name}" for name in ("Name", "Layer", "Style", "Attributes", "PrimaryKey"))


def redact_capabilities(root: Element, listing: Listing) -> None:
    """Take out of a WMS document what is not in the listing."""
    for capability in children(root, "Capability"):
        for layer in children(capability, "Layer"):
            _redact_layer(layer, listing, is_root=True)
    # One walk, for it goes past every element; the list stands before anything is taken out.
    for element in descendants(root, *_LISTS):
        _LISTS[local_name(element)](element, listing)


def _redact_wfs_layer(element: Element, listing: Listing) -> None:
    if element.get("name") not in listing.other_names:
        remove(element)


def _redact_templates(templates: Element, listing: Listing) -> None:
    for template in children(templates, "ComposerTemplate"):
        if template.get("name") not in listing.templates:
            remove(template)
    if len(templates) == 0:
        remove(templates)


def _redact_order(order: Element, listing: Listing) -> None:
    names = (order.text or "").split(",")
    order.text = ",".join(name for name in names if name in listing.other_names)


_LISTS: Mapping[str, Callable[[Element, Listing], None]] = MappingProxyType(
    {
        "WFSLayer": _redact_wfs_layer,
        "ComposerTemplates": _redact_templates,
        "LayerDrawingOrder": _redact_order,
    }
)


def _redact_layer(layer: Element, listing: Listing, *, is_root: bool = False) -> bool:
    """Redact a layer or group; return whether GetFeatureInfo may ask it or something in it."""
    parts = _parts(layer)
    members, styles = parts.get("Layer", []), parts.get("Style", [])
    if members or not styles:
        return _redact_group(layer, members, listing, is_root=is_root)
    names = parts.get("Name", [])
    found = listing.layers.get((names[0].text or "") if names else "")
    if found is None:
        remove(layer)
        return False
    if found.closed_styles:
        _redact_styles(styles, found)
    if found.has_hidden:
        _redact_attributes(layer, parts, found)
    queryable = layer.get("queryable")
    if not found.is_queryable and queryable:
        layer.set("queryable", "0")
        return False
    return queryable == "1"


def _parts(layer: Element) -> dict[str, list[Element]]:
    """Return the children of a layer that say what it is, by local name, in one pass."""
    found: dict[str, list[Element]] = {}
    for child in layer.iterchildren(*_PARTS):
        found.setdefault(local_name(child), []).append(child)
    return found


def _redact_group(
    layer: Element, members: list[Element], listing: Listing, *, is_root: bool
) -> bool:
    queryable = [_redact_layer(member, listing) for member in members]
    if not children(layer, "Layer") and not is_root:
        remove(layer)
        return False
    if layer.get("queryable") == "1" and not any(queryable) and members:
        layer.set("queryable", "0")
    return any(queryable)


def _redact_styles(styles: list[Element], found: ListedLayer) -> None:
    for style in styles:
        if child_text(style, "Name") in found.closed_styles:
            remove(style)


def _redact_attributes(
    layer: Element, parts: Mapping[str, list[Element]], found: ListedLayer
) -> None:
    for attributes in parts.get("Attributes", ()):
        for attribute in children(attributes, "Attribute"):
            if attribute.get("name") not in found.attributes:
                remove(attribute)
    for key in parts.get("PrimaryKey", ()):
        for attribute in children(key, "PrimaryKeyAttribute"):
            if (attribute.text or "") not in found.attributes:
                remove(attribute)
        if len(key) == 0:
            remove(key)
    if layer.get("displayField") and layer.get("displayField") not in found.attributes:
        del layer.attrib["displayField"]


def redact_context(root: Element, listing: Listing) -> None:
    """Take closed layers, groups and styles out of a GetContext document."""
    for element in descendants(root, "Layer"):
        found = listing.layers.get(element.get("name", ""))
        if children(element, "Layer"):
            continue
        if found is None:
            remove(element)
            continue
        if not found.is_queryable and element.get("queryable"):
            element.set("queryable", "false")
        for styles in children(element, "StyleList"):
            _redact_styles(children(styles, "Style"), found)
    _remove_empty_groups(root)


def _remove_empty_groups(root: Element) -> None:
    for name in ("Layer", "Group"):
        for element in reversed(descendants(root, name)):
            inner = {local_name(child) for child in element}
            if not inner & {"Layer", "Group", "Server"} and element.getparent() is not None:
                remove(element)


def redact_styles(root: Element, listing: Listing) -> None:
    """Take closed styles out of the document of GetStyles."""
    for named in descendants(root, "NamedLayer"):
        found = listing.layers.get(child_text(named, "Name"))
        if found is None:
            remove(named)
            continue
        for style in children(named, "UserStyle"):
            if child_text(style, "Name") in found.closed_styles:
                remove(style)
