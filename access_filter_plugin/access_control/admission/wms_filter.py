"""FILTER of WMS: one expression for each layer, or one OGC filter for each position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, Optional

from ..expression import ExpressionError
from ..redaction.xml import Element, XmlError, local_name, parse
from .grammar import split_list

Canonical = Callable[[str, str], str]
"""(expression, layer id) → canonical expression over its visible attributes, or ExpressionError."""

#: What an OGC filter may be made of; functions are not among it.
_LOGIC = frozenset({"And", "Or", "Not"})
_COMPARISONS = frozenset(
    {
        "PropertyIsEqualTo",
        "PropertyIsNotEqualTo",
        "PropertyIsLessThan",
        "PropertyIsGreaterThan",
        "PropertyIsLessThanOrEqualTo",
        "PropertyIsGreaterThanOrEqualTo",
        "PropertyIsLike",
        "PropertyIsNull",
        "PropertyIsBetween",
    }
)
_PARTS = frozenset({"LowerBoundary", "UpperBoundary", "Literal"})
_NAMES = frozenset({"PropertyName", "ValueReference"})
_OPEN = "(<"
_END = "Filter>"


def canonical_filter(value: str, layers: Mapping[str, str], canonical: Canonical) -> str:
    """Return FILTER as it was understood; raise ExpressionError when it was not.

    ``layers`` maps the WMS names that the request shows to layer ids. What is meant for another
    layer is left out: QGIS would not look at it.
    """
    if value.lstrip().startswith(("<", _OPEN, "()")):
        raise ExpressionError("an OGC filter needs the position of its layer")
    if "<Filter" in value or "()" in value or _OPEN in value:
        raise ExpressionError("it mixes two kinds of filter")
    kept = []
    for part in split_list(value, ";"):
        names, colon, expression = part.partition(":")
        if not colon:
            raise ExpressionError("it is not LAYER:EXPRESSION")
        for name in split_list(names):
            layer_id = layers.get(name)
            if layer_id is not None and expression.strip():
                kept.append(f"{name}:{canonical(expression, layer_id)}")
    return ";".join(kept)


def is_ogc_filter(value: str) -> bool:
    """Return whether FILTER is meant to hold OGC filters rather than expressions."""
    return value.lstrip().startswith(("<", _OPEN, "()"))


def check_ogc_filter(
    value: str, layer_ids: list[str], attributes: Callable[[str], frozenset[str]]
) -> None:
    """Raise ExpressionError unless each OGC filter compares visible attributes with literals."""
    for index, text in enumerate(_ogc_filters(value)):
        if not text:
            continue
        if index >= len(layer_ids):
            raise ExpressionError("it has more filters than there are layers")
        if "<!" in text:
            # Of a name in several nodes QGIS reads the first alone, and here they would be one.
            raise ExpressionError("an OGC filter holds no comment and no CDATA")
        try:
            root = parse(_with_namespace(text))
        except XmlError as error:
            raise ExpressionError(str(error)) from error
        if local_name(root) != "Filter" or (root.text or "").strip():
            raise ExpressionError("it is not an OGC filter")
        for child in root:
            _check(child, attributes(layer_ids[index]))


def _with_namespace(text: str) -> str:
    """Declare the prefixes that clients leave undeclared and QGIS does not ask for."""
    head, close, rest = text.partition(">")
    for prefix in ("ogc", "fes", "gml"):
        if f"xmlns:{prefix}" not in text and f"{prefix}:" in text:
            head += f' xmlns:{prefix}="http://www.opengis.net/{prefix}"'
    return head + close + rest


def _ogc_filters(value: str) -> list[str]:
    """Return the filters as QGIS cuts them: ``(<Filter>…</Filter>)()`` or one without brackets.

    To QGIS whatever does not begin and end just so, be it by a blank, is the text of expressions.
    """
    if value.startswith("<"):
        if not value.endswith(_END):
            raise ExpressionError("it is not one OGC filter from beginning to end")
        return [value]
    found: list[str] = []
    text = value
    while text:
        if text.startswith("()"):
            found.append("")
            text = text[2:]
            continue
        end = text.find(f"{_END})")
        if not text.startswith(_OPEN) or end < 0:
            raise ExpressionError("it is not a list of OGC filters")
        found.append(text[1 : end + len(_END)])
        text = text[end + len(_END) + 1 :]
    return found


def _check(element: Element, attributes: frozenset[str]) -> None:
    name = local_name(element)
    if name in _NAMES:
        if (element.text or "") not in attributes or len(element):
            raise ExpressionError("it uses an attribute that does not exist")
        return
    if name == "Literal":
        if len(element):
            raise ExpressionError("a literal holds an element")
        return
    if name not in _LOGIC | _COMPARISONS | _PARTS:
        raise ExpressionError(f"it uses {name or 'something else'} instead of a comparison")
    for child in element:
        _check(child, attributes)


def unsafe_symbol(value: str) -> Optional[str]:
    """Return why a HIGHLIGHT_SYMBOL is not let in, or None.

    A symbol document may call functions and fetch pictures; the plain ones do neither.
    """
    lowered = value.lower()
    for word in ("function", "externalgraphic", "onlineresource", "inlinecontent", "vendoroption"):
        if word in lowered:
            return f"it uses {word}"
    if "<!" in value or "&" in value or "[%" in value:
        return "it uses an entity or a template"
    return None
