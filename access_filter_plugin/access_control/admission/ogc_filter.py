"""OGC filters, held to visible attributes and to operators that only compare.

QGIS reads a filter by the local names of its elements, so everything here goes by local names too.
What is not on the lists is refused: a ``Function`` could call any expression function.
"""

from __future__ import annotations

from ...late_modules import etree
from ...late_pattern import late_pattern
from ..redaction.xml import Element, XmlError, local_name, parse
from .refused import Refused
from .wfs_layers import GEOMETRY_NAMES, QueryLayer, without_prefix

LOGICAL = frozenset({"And", "Or", "Not"})
COMPARISONS = frozenset(
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
BOUNDARIES = frozenset({"LowerBoundary", "UpperBoundary"})
ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div"})
SPATIAL = frozenset(
    {"BBOX", "Intersects", "Within", "Contains", "Disjoint", "Overlaps", "Touches", "Crosses"}
)
IDENTIFIERS = frozenset({"FeatureId", "GmlObjectId"})
PROPERTY = frozenset({"PropertyName", "ValueReference"})
GML = frozenset(
    {
        "Box", "Envelope", "Point", "LineString", "Polygon", "LinearRing", "MultiPoint",
        "MultiLineString", "MultiPolygon", "MultiCurve", "MultiSurface", "Curve", "Surface",
        "coordinates", "coord", "X", "Y", "Z", "pos", "posList", "lowerCorner", "upperCorner",
        "exterior", "interior", "outerBoundaryIs", "innerBoundaryIs", "pointMember",
        "pointMembers", "lineStringMember", "polygonMember", "curveMember", "curveMembers",
        "surfaceMember", "surfaceMembers", "segments", "LineStringSegment", "patches",
        "PolygonPatch",
    }
)  # fmt: skip
_COORDINATES = late_pattern(r"[\s\d.,;+eE-]*")
_WORD = late_pattern(r"[\w.:/-]{0,120}")
_MATCHING = frozenset({"wildCard", "singleChar", "escape", "escapeChar", "matchCase"})


def parse_filter(text: str, parameter: str = "FILTER") -> Element:
    """Return the Filter element of a parameter; raise Refused when it is something else."""
    try:
        root = parse(text.strip())
    except XmlError as error:
        raise Refused(f"{parameter}: {error}") from error
    refuse_odd_nodes(root, parameter)
    if local_name(root) != "Filter":
        raise Refused(f"{parameter}: it is not an OGC filter")
    return root


def refuse_odd_nodes(root: Element, what: str) -> None:
    """Raise Refused for comments and instructions: parsers differ in what they make of them."""
    odd = (etree.Comment, etree.ProcessingInstruction, etree.Entity)
    if next(root.iter(*odd), None) is not None:
        raise Refused(f"{what}: comments and processing instructions are not accepted")


def check_filter(root: Element, layer: QueryLayer) -> list[str]:
    """Check a Filter element for one layer; return the feature ids it names; raise Refused."""
    ids: list[str] = []
    children = list(root)
    if root.text and root.text.strip():
        raise Refused("FILTER: text is not a filter")
    names = {local_name(child) for child in children}
    if names & IDENTIFIERS:
        if len(names) > 1:
            raise Refused("FILTER: ids of both kinds, or ids beside conditions, are not accepted")
        return [_feature_id(child) for child in children]
    if len(children) > 1:
        raise Refused("FILTER: it has more than one condition; join them by And or Or")
    for child in children:
        _condition(child, layer)
    _check_boxes(root)
    return ids


def _check_boxes(root: Element) -> None:
    """Refuse what QGIS does not read as it stands: an ``And`` of several boxes, or of one alone.

    It takes the first box of an ``And`` for all of them, and needs something beside it (3.22 to
    3.44).
    """
    boxes = [element for element in root.iter() if local_name(element) == "BBOX"]
    if len(boxes) > 1:
        raise Refused("FILTER: one BBOX is accepted only")
    for box in boxes:
        parent = box.getparent()
        if parent is not None and local_name(parent) == "And" and len(parent) < 2:
            raise Refused("FILTER: an And needs two conditions")


def has_box(root: Element) -> bool:
    """Return whether a filter has a BBOX, which QGIS applies in ways of its own."""
    return any(local_name(element) == "BBOX" for element in root.iter())


def _feature_id(element: Element) -> str:
    values = [v for k, v in element.attrib.items() if str(k).rpartition("}")[2] in ("fid", "id")]
    if len(values) != 1 or len(element) or len(element.attrib) != 1:
        raise Refused("FILTER: an id needs exactly one fid or gml:id")
    return str(values[0])


def _condition(element: Element, layer: QueryLayer) -> None:
    name = local_name(element)
    if name in LOGICAL:
        for child in element:
            _condition(child, layer)
    elif name in COMPARISONS:
        _no_attributes(element, _MATCHING)
        for child in element:
            _operand(child, layer)
    elif name in SPATIAL:
        for child in element:
            _spatial_operand(child)
    else:
        raise Refused(f"FILTER: {name or 'this node'} is not accepted here")


def _operand(element: Element, layer: QueryLayer) -> None:
    name = local_name(element)
    if name in PROPERTY:
        _property(element, layer)
    elif name == "Literal":
        _leaf(element)
    elif name in BOUNDARIES or name in ARITHMETIC:
        for child in element:
            _operand(child, layer)
    else:
        raise Refused(f"FILTER: {name or 'this node'} is not accepted here")


def _property(element: Element, layer: QueryLayer) -> None:
    _leaf(element)
    if (element.text or "") not in layer.visible:
        raise Refused("FILTER: it names an attribute that does not exist")


def _leaf(element: Element) -> None:
    if len(element):
        raise Refused(f"FILTER: {local_name(element)} must hold text alone")


def _no_attributes(element: Element, allowed: frozenset[str]) -> None:
    extra = {str(name) for name in element.attrib} - allowed
    if extra:
        raise Refused(f"FILTER: the attribute {min(extra)} is not accepted")


def _spatial_operand(element: Element) -> None:
    name = local_name(element)
    if name in PROPERTY:
        _leaf(element)
        text = without_prefix((element.text or "").strip()).rpartition("/")[2]
        if text and text not in GEOMETRY_NAMES:
            raise Refused("FILTER: a spatial condition is about the property geometry")
        return
    check_geometry(element)


def check_geometry(element: Element) -> None:
    """Raise Refused for what is not the GML of a geometry, of numbers alone."""
    for part in element.iter():
        if local_name(part) not in GML:
            raise Refused(f"FILTER: {local_name(part)} is not a geometry")
        if _COORDINATES.fullmatch(part.text or "") is None:
            raise Refused("FILTER: the coordinates of a geometry are numbers")
        for name, value in part.attrib.items():
            text = str(value)
            is_odd = _WORD.fullmatch(text) is None and len(text.strip()) > 1
            if is_odd and name != "srsName":
                raise Refused("FILTER: an attribute of a geometry is not understood")
