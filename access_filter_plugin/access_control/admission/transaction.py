"""A WFS transaction as plain actions, understood completely or refused.

QGIS commits action by action, answers an unknown property of an Insert by reading it for ever, and
takes only local names into account. So everything is judged here, before QGIS sees any of it.
"""

from __future__ import annotations

from typing import Optional, Union

from ...value_class import value_class
from ..redaction.xml import Element, children, local_name
from .refused import MALFORMED, Refused
from .wfs_body import as_text
from .wfs_layers import without_prefix

GEOMETRY_ELEMENT = "geometry"
_TEMPLATE = "[%"
_UPDATE_ATTRIBUTES = frozenset({"typeName", "handle", "srsName", "inputFormat"})


@value_class
class Insert:
    """One new feature."""

    type_name: str
    values: tuple[tuple[str, Optional[str]], ...]
    geometry: Optional[str] = None
    """The XML of the element that holds the geometry; None when there is none."""


@value_class
class Update:
    """New values for the features of a filter; a value of None is NULL."""

    type_name: str
    values: tuple[tuple[str, Optional[str]], ...]
    geometry: Optional[str] = None
    filter: Optional[Element] = None


@value_class
class Delete:
    """The features of a filter are to go."""

    type_name: str
    filter: Element


Change = Union[Insert, Update, Delete]


def read_transaction(root: Element) -> list[Change]:
    """Return the actions of a Transaction; raise Refused for what is not understood."""
    actions: list[Change] = []
    for child in root:
        name = local_name(child)
        if name == "Insert":
            actions += _inserts(child)
        elif name == "Update":
            actions.append(_update(child))
        elif name == "Delete":
            actions.append(_delete(child))
        else:
            raise Refused(f"The body: {name} is not accepted in a Transaction", code=MALFORMED)
    if not actions:
        raise Refused("No actions found", code=MALFORMED)
    return actions


def refuse_template(text: str, name: str) -> None:
    """Refuse a value that GetFeatureInfo would later evaluate for whoever looks at it."""
    if _TEMPLATE in text:
        raise Refused(f"{name}: a value must not hold an expression template")


def _inserts(element: Element) -> list[Insert]:
    if not len(element):
        raise Refused("The body: an Insert has no feature", code=MALFORMED)
    if len({local_name(feature) for feature in element}) > 1:
        raise Refused("The body: an Insert is about one type name only", code=MALFORMED)
    return [_insert(feature) for feature in element]


def _insert(feature: Element) -> Insert:
    values: list[tuple[str, Optional[str]]] = []
    geometry = None
    for part in feature:
        name = local_name(part)
        if name == GEOMETRY_ELEMENT:
            geometry = _geometry(part, geometry)
        elif name != "boundedBy":
            values.append((name, _text(part, name)))
    _refuse_twice(values)
    return Insert(local_name(feature), tuple(values), geometry)


def _update(element: Element) -> Update:
    _check_attributes(element)
    values: list[tuple[str, Optional[str]]] = []
    geometry = None
    for part in element:
        if local_name(part) == "Property":
            name, value = _property(part)
            if name == GEOMETRY_ELEMENT:
                if value is None:
                    raise Refused("The body: a geometry has no value", code=MALFORMED)
                geometry = _geometry(value, geometry)
            else:
                values.append((name, None if value is None else _text(value, name)))
        elif local_name(part) != "Filter":
            raise Refused(f"The body: {local_name(part)} is not accepted in an Update")
    if not values and geometry is None:
        raise Refused(
            "Update action element must have one or more Property element", code=MALFORMED
        )
    _refuse_twice(values)
    return Update(_type_name(element), tuple(values), geometry, _filter(element))


def _property(element: Element) -> tuple[str, Optional[Element]]:
    names, values = children(element, "Name"), children(element, "Value")
    if len(names) != 1 or len(values) > 1 or len(element) != 1 + len(values) or len(names[0]):
        raise Refused("The body: a Property has one Name and one Value", code=MALFORMED)
    return names[0].text or "", values[0] if values else None


def _delete(element: Element) -> Delete:
    _check_attributes(element)
    found = _filter(element)
    if found is None or len(element) != 1:
        raise Refused("Delete action element first child is not Filter", code=MALFORMED)
    return Delete(_type_name(element), found)


def _filter(element: Element) -> Optional[Element]:
    found = children(element, "Filter")
    if len(found) > 1:
        raise Refused("The body: an action has one Filter at most", code=MALFORMED)
    return found[0] if found else None


def _check_attributes(element: Element) -> None:
    extra = {str(name) for name in element.attrib} - _UPDATE_ATTRIBUTES
    if extra:
        raise Refused(f"The body: the attribute {min(extra)} is not accepted")


def _type_name(element: Element) -> str:
    return without_prefix(element.get("typeName", ""))


def _text(element: Element, name: str) -> str:
    if len(element):
        raise Refused(f"{name}: a value is text alone", code=MALFORMED)
    text = element.text or ""
    refuse_template(text, name)
    return text


def _geometry(element: Element, before: Optional[str]) -> str:
    if before is not None or len(element) != 1:
        raise Refused("geometry: one geometry is needed", code=MALFORMED)
    return as_text(element)


def _refuse_twice(values: list[tuple[str, Optional[str]]]) -> None:
    names = [name for name, _value in values]
    if len(set(names)) < len(names):
        raise Refused("The body: a property is given twice", code=MALFORMED)
