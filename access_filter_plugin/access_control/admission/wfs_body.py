"""WFS requests with an XML body: QGIS parses it again, so it must say nothing but what we know."""

from __future__ import annotations

import re

from ...late_modules import etree
from ...late_pattern import late_pattern
from ..redaction.xml import Element, XmlError, local_name, parse
from .ogc_filter import check_filter, refuse_odd_nodes
from .refused import MALFORMED, Refused
from .wfs import check_ids, property_tag
from .wfs_layers import Expressions, Layers, QueryLayer, plain_property, without_prefix

_CAPABILITIES_PARTS = frozenset(
    {"AcceptVersions", "Version", "Sections", "Section", "AcceptFormats", "OutputFormat"}
)
_QUERY_ATTRIBUTES = frozenset({"typeName", "typeNames", "srsName", "handle", "featureVersion"})
_QUERY_PARTS = frozenset({"Filter", "SortBy", "PropertyName"})
_IDENTIFIER = late_pattern(r"[A-Za-z_]\w*", re.ASCII)
_ENCODINGS = frozenset({"UTF-8", "UTF8", "US-ASCII", "ASCII"})
#: Encodings in which ASCII bytes mean ASCII.
_SUPERSETS = frozenset({"ISO-8859-1", "ISO-8859-15", "WINDOWS-1252"})
_MANY_TAGS = 100_000
_XML = late_pattern(rb"(\xef\xbb\xbf)?[ \t\r\n]*<")


def is_xml(body: bytes) -> bool:
    """Return whether QGIS will take a body for XML, rather than for parameters."""
    # However many blanks there are: QGIS skips them all.
    return _XML.match(body) is not None or b"\0" in body or body[:2] in (b"\xff\xfe", b"\xfe\xff")


def parse_body(body: bytes) -> Element:
    """Return the root of a body that every parser reads alike; raise Refused."""
    # A tree takes some 230 bytes for each tag, however short the tag is.
    if body.count(b"<") > max(_MANY_TAGS, len(body) // 10):
        raise Refused("The body: it has too many elements", code=MALFORMED)
    try:
        root = parse(body)
    except XmlError as error:
        raise Refused(f"The body: {error}", code=MALFORMED) from error
    encoding = root.getroottree().docinfo.encoding
    if not _is_read_alike((encoding or "UTF-8").upper(), body):
        raise Refused("The body: only UTF-8 is accepted", code=MALFORMED)
    refuse_odd_nodes(root, "The body")
    return root


def _is_read_alike(encoding: str, body: bytes) -> bool:
    return encoding in _ENCODINGS or (encoding in _SUPERSETS and body.isascii())


def check_root(root: Element, operation: str) -> None:
    """Refuse a body that is about another operation than the parameters say."""
    if local_name(root) != operation:
        raise Refused("REQUEST: the body is about another operation")


def check_capabilities_body(root: Element) -> None:
    """Check the body of a GetCapabilities, which QGIS does not read."""
    for element in root.iter():
        if element is not root and local_name(element) not in _CAPABILITIES_PARTS:
            raise Refused(f"The body: {local_name(element)} is not accepted")


def check_describe_body(root: Element, layers: Layers) -> None:
    """Check the body of a DescribeFeatureType: type names, all of them open."""
    for child in root:
        if local_name(child) != "TypeName" or len(child):
            raise Refused(f"The body: {local_name(child)} is not accepted")
        layers.find(without_prefix((child.text or "").strip()))


def check_feature_body(root: Element, layers: Layers, expressions: Expressions) -> None:
    """Check the body of a GetFeature: queries of open layers over visible attributes."""
    if not len(root):
        raise Refused("The body: it has no Query", code=MALFORMED)
    for child in root:
        if local_name(child) != "Query":
            raise Refused(f"The body: {local_name(child)} is not accepted")
        _check_query(child, layers, expressions)


def _check_query(query: Element, layers: Layers, expressions: Expressions) -> None:
    extra = {str(name) for name in query.attrib} - _QUERY_ATTRIBUTES
    if extra:
        raise Refused(f"The body: the attribute {min(extra)} of Query is not accepted")
    layer = layers.find(without_prefix(query.get("typeName", "")))
    for child in query:
        if local_name(child) not in _QUERY_PARTS:
            raise Refused(f"The body: {local_name(child)} is not accepted in a Query")
    properties = [child for child in query if local_name(child) == "PropertyName"]
    for child in properties:
        _leaf(child)
        if (child.text or "").strip() != "*" or len(properties) > 1:
            property_tag(child.text or "", layer)
    filters = 0
    for child in query:
        name = local_name(child)
        if name == "Filter":
            filters += 1
            _check_query_filter(child, layer, expressions, whole=not properties)
        elif name == "SortBy":
            _check_sort(child, layer)
    if filters > 1:
        raise Refused("The body: a Query has one Filter at most")


def _check_query_filter(
    element: Element, layer: QueryLayer, expressions: Expressions, *, whole: bool
) -> None:
    if check_filter(element, layer):
        check_ids(layer, whole=whole)
    else:
        expressions.check_filter(as_text(element), layer)


def as_text(element: Element) -> str:
    """Return an element as XML of its own."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def _check_sort(element: Element, layer: QueryLayer) -> None:
    for item in element:
        if local_name(item) != "SortProperty":
            raise Refused(f"The body: {local_name(item)} is not accepted in SortBy")
        for part in item:
            _leaf(part)
            if local_name(part) == "SortOrder":
                continue
            name = plain_property(part.text or "", layer.type_name)
            # QGIS takes the name for an expression: only an identifier stands for itself.
            if local_name(part) != "PropertyName" or name not in layer.visible:
                raise Refused("SORTBY: it names an attribute that does not exist")
            if _IDENTIFIER.fullmatch(name) is None:
                raise Refused("SORTBY: this attribute can be sorted by with parameters only")


def _leaf(element: Element) -> None:
    if len(element):
        raise Refused(f"The body: {local_name(element)} must hold text alone")
