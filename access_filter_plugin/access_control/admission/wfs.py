"""WFS requests by parameters: what they may say, and the canonical form of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ...late_pattern import late_pattern
from ..expression import quoted_column
from .grammar import (
    Grammar,
    is_bbox,
    is_crs,
    is_integer,
    is_media_type,
    is_text,
    is_word,
    one_of,
    wrong_parameter,
)
from .ogc_filter import check_filter, parse_filter
from .refused import Refused
from .wfs_layers import Expressions, Layers, QueryLayer, plain_property, unknown_type

Changes = dict[str, Optional[str]]

_COMMON: dict[str, Grammar] = {
    "SERVICE": is_word,
    "REQUEST": is_word,
    "VERSION": is_word,
    "MAP": is_text,
    "OUTPUTFORMAT": is_media_type,
    "NAMESPACE": is_text,
    "NAMESPACES": is_text,
    "EXCEPTIONS": is_media_type,
    "LANGUAGE": is_word,
    "ACCEPTVERSIONS": is_text,
    "ACCEPTFORMATS": is_text,
    "SECTIONS": is_text,
    "UPDATESEQUENCE": is_word,
    "SCHEMALOCATION": is_text,
    "HANDLE": is_text,
    # What browsers add so that a cache does not answer.
    "_": is_word,
    "_DC": is_word,
    "T": is_word,
    "TIMESTAMP": is_word,
}
_QUERY: dict[str, Grammar] = {
    "RESULTTYPE": one_of("results", "hits"),
    "MAXFEATURES": is_integer,
    "COUNT": is_integer,
    "STARTINDEX": is_integer,
    "SRSNAME": is_crs,
    "BBOX": is_bbox,
    "GEOMETRYNAME": one_of("extent", "centroid", "none"),
    "TRAVERSEXLINKDEPTH": is_word,
}
_JUDGED = frozenset(
    {"TYPENAME", "TYPENAMES", "FEATUREID", "PROPERTYNAME", "FILTER", "EXP_FILTER", "SORTBY"}
)
_BODY = frozenset({"REQUEST_BODY"})
_PARAMETERS = {
    "GetCapabilities": (_COMMON, _BODY),
    "DescribeFeatureType": (_COMMON, _BODY | {"TYPENAME", "TYPENAMES"}),
    "GetFeature": ({**_COMMON, **_QUERY}, _BODY | _JUDGED),
    "Transaction": (
        {**_COMMON, "RELEASEACTION": is_word, "LOCKID": is_word, "SRSNAME": is_crs},
        _BODY,
    ),
}
_GROUPS = late_pattern(r"(\([^()]*\))+")
_GROUP = late_pattern(r"\(([^()]*)\)")
_DIRECTION = late_pattern(r"[ +](A|ASC|D|DESC)$")


def check_parameters(operation: str, parameters: Mapping[str, str]) -> None:
    """Raise Refused for a parameter that the operation does not know, or of a wrong form."""
    known = _PARAMETERS.get(operation)
    if known is None:
        raise Refused("REQUEST: this operation cannot be restricted", code="OperationNotSupported")
    grammars, judged = known
    for name, value in parameters.items():
        if value and name not in grammars and name not in judged:
            raise Refused(f"{name}: this parameter is not accepted")
    wrong = wrong_parameter(parameters, grammars, [n for n in parameters if n in grammars])
    if wrong is not None:
        raise Refused(f"{wrong}: the value is not understood")


def names_nothing(parameters: Mapping[str, str]) -> bool:
    """Return whether no parameter says which features are asked for."""
    return not any(parameters.get(name) for name in _JUDGED)


def type_names(text: str, layers: Layers) -> list[QueryLayer]:
    """Return the layers of a TYPENAME; one unknown or hidden name makes all of it unknown."""
    return [layers.find(name.strip()) for name in text.split(",") if name]


def describe_changes(parameters: Mapping[str, str], layers: Layers) -> Changes:
    """Return the canonical TYPENAME of a DescribeFeatureType."""
    type_names(parameters.get("TYPENAMES", ""), layers)
    return _type_name_change(parameters, type_names(parameters.get("TYPENAME", ""), layers))


def feature_changes(
    parameters: Mapping[str, str], layers: Layers, expressions: Expressions
) -> Changes:
    """Return what makes a GetFeature canonical; raise Refused for what cannot be enforced."""
    type_names(parameters.get("TYPENAMES", ""), layers)
    asked = type_names(parameters.get("TYPENAME", ""), layers)
    if parameters.get("FEATUREID"):
        return _by_id(parameters, asked, layers, expressions)
    if not asked:
        raise Refused("TYPENAME is mandatory except if FEATUREID is used")
    changes = _type_name_change(parameters, asked)
    changes.update(_properties(parameters, asked))
    changes.update(_conditions(parameters, asked, expressions))
    return {name: text for name, text in changes.items() if parameters.get(name) != text}


def _type_name_change(parameters: Mapping[str, str], asked: list[QueryLayer]) -> Changes:
    canonical = ",".join(layer.type_name for layer in asked)
    return {"TYPENAME": canonical} if canonical != parameters.get("TYPENAME", "") else {}


def _groups(parameter: str, text: str, count: int) -> list[str]:
    """Return the parts of ``(a)(b)``, or the one text; refuse what QGIS would split elsewhere."""
    if "(" not in text and ")" not in text:
        parts = [text]
    elif _GROUPS.fullmatch(text) is not None:
        parts = [found.group(1) for found in _GROUP.finditer(text)]
    else:
        raise Refused(f"{parameter}: parentheses are accepted around a whole part only")
    if len(parts) != count:
        raise Refused(f"{parameter}: one part for each type name is needed")
    return parts


def _properties(parameters: Mapping[str, str], asked: list[QueryLayer]) -> Changes:
    text = parameters.get("PROPERTYNAME", "")
    if not text:
        return {}
    parts = _groups("PROPERTYNAME", text, len(asked))
    canonical = [_property_list(part, layer) for part, layer in zip(parts, asked)]
    if len(canonical) == 1:
        return {"PROPERTYNAME": canonical[0]}
    return {"PROPERTYNAME": "".join(f"({part})" for part in canonical)}


def _property_list(text: str, layer: QueryLayer) -> str:
    if text.strip() == "*":
        return "*"
    return ",".join(property_tag(item, layer) for item in text.split(","))


def property_tag(text: str, layer: QueryLayer) -> str:
    """Return a property as the schema names it; raise Refused when it is not visible."""
    name = plain_property(text, layer.type_name)
    if name == "geometry" or name in layer.tags:
        return name
    for tag, attribute in layer.tags.items():
        if attribute == name:
            return tag
    raise Refused("PROPERTYNAME: it names an attribute that does not exist")


def _conditions(
    parameters: Mapping[str, str], asked: list[QueryLayer], expressions: Expressions
) -> Changes:
    changes: Changes = {}
    filters = parameters.get("FILTER", "")
    if filters:
        parts = _groups("FILTER", filters, len(asked))
        if len(parts) == 1 and asked[0].has_filter:
            ids = check_filter(parse_filter(parts[0]), asked[0])
            if ids:
                return _ids_as_expression(ids, asked[0], expressions)
        for part, layer in zip(parts, asked):
            check_xml_filter(part, layer, expressions, whole=not parameters.get("PROPERTYNAME"))
    expression = parameters.get("EXP_FILTER", "")
    if expression:
        layer = _only(asked, "EXP_FILTER")
        changes["EXP_FILTER"] = expressions.canonical(expression, layer, "EXP_FILTER")
    order = parameters.get("SORTBY", "")
    if order:
        changes["SORTBY"] = _sort_by(order, _only(asked, "SORTBY"))
    return changes


def _ids_as_expression(ids: list[str], layer: QueryLayer, expressions: Expressions) -> Changes:
    own = [fid.split(".")[1] for fid in ids if fid.split(".")[0] == layer.type_name and "." in fid]
    own += [fid for fid in ids if "." not in fid]
    if not own:
        raise Refused(f"No FeatureId element correctly parse against typeName '{layer.type_name}'")
    if not layer.has_key:
        raise Refused("FILTER: this layer has no primary key, so its rows have no ids here")
    return {"FILTER": None, "EXP_FILTER": expressions.by_key(layer, own)}


def check_xml_filter(
    text: str, layer: QueryLayer, expressions: Expressions, *, whole: bool
) -> None:
    """Check an OGC filter for a layer; ``whole`` is True when all attributes are asked for."""
    ids = check_filter(parse_filter(text), layer)
    if ids:
        check_ids(layer, whole=whole)
    else:
        expressions.check_filter(text, layer)


def check_ids(layer: QueryLayer, *, whole: bool) -> None:
    """Refuse ids where QGIS would judge the row filter without the attributes it reads."""
    if not layer.has_filter:
        return
    if not layer.has_key:
        raise Refused("FILTER: this layer has no primary key, so its rows have no ids here")
    if not (layer.tests_whole_rows or (whole and layer.filter_is_visible)):
        raise Refused("FILTER: ids are not accepted here; use FEATUREID, or no property names")


def _only(asked: list[QueryLayer], parameter: str) -> QueryLayer:
    if len(asked) != 1:
        raise Refused(f"{parameter}: it is accepted with one type name only")
    return asked[0]


def _sort_by(text: str, layer: QueryLayer) -> str:
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return ",".join(_sort_item(item.strip(), layer) for item in text.split(","))


def _sort_item(item: str, layer: QueryLayer) -> str:
    direction = _DIRECTION.search(item)
    name = (item[: direction.start()] if direction else item).strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('""', '"')
    name = name if name in layer.visible else layer.tags.get(name, name)
    if name not in layer.visible or any(sign in name for sign in "(),"):
        raise Refused("SORTBY: it names an attribute that does not exist")
    descends = direction is not None and direction.group(1).startswith("D")
    return f"{quoted_column(name)} {'DESC' if descends else 'ASC'}"


def _by_id(
    parameters: Mapping[str, str],
    asked: list[QueryLayer],
    layers: Layers,
    expressions: Expressions,
) -> Changes:
    """Judge a request by FEATUREID; on a layer with a row filter it becomes one by expression.

    QGIS from 3.24 on tests the row filter on a row that was fetched with the asked for and visible
    attributes alone, so a filter that is true for NULL would let hidden rows out.
    """
    for other in ("FILTER", "BBOX", "EXP_FILTER", "SORTBY"):
        if parameters.get(other):
            raise Refused(f"{other}: it is not accepted together with FEATUREID")
    ids: dict[str, list[str]] = {}
    for item in parameters["FEATUREID"].split(","):
        type_name, dot, fid = item.strip().partition(".")
        if not dot:
            raise Refused("FEATUREID has to have TYPENAME in the values")
        if ":" in type_name:
            # To QGIS what stands before the colon is the layer, and a property behind it.
            raise unknown_type(type_name)
        ids.setdefault(layers.find(type_name).type_name, []).append(fid.split(".")[0])
    found = [layers.find(name) for name in ids]
    named = {layer.id for layer in asked}
    if named and named != {layer.id for layer in found}:
        raise unknown_type(parameters["TYPENAME"])
    if not any(layer.has_filter for layer in found):
        return _checked_id_properties(parameters, found, sum(map(len, ids.values())))
    if len(found) > 1:
        raise Refused("FEATUREID: one layer at a time is accepted here")
    layer = found[0]
    if not layer.has_key:
        raise Refused("FEATUREID: this layer has no primary key, so its rows have no ids here")
    count = sum(map(len, ids.values()))
    return {
        "FEATUREID": None,
        "TYPENAME": layer.type_name,
        "EXP_FILTER": expressions.by_key(layer, ids[layer.type_name]),
        **_one_property_list(parameters, layer, count),
    }


def _checked_id_properties(
    parameters: Mapping[str, str], found: list[QueryLayer], count: int
) -> Changes:
    text = parameters.get("PROPERTYNAME", "")
    if not text:
        return {}
    if len(found) > 1:
        raise Refused("PROPERTYNAME: with FEATUREID it is accepted for one layer only")
    parts = _groups("PROPERTYNAME", text, count)
    canonical = [_property_list(part, found[0]) for part in parts]
    joined = canonical[0] if count == 1 else "".join(f"({part})" for part in canonical)
    return {"PROPERTYNAME": joined} if joined != text else {}


def _one_property_list(parameters: Mapping[str, str], layer: QueryLayer, count: int) -> Changes:
    text = parameters.get("PROPERTYNAME", "")
    if not text:
        return {}
    lists = {_property_list(part, layer) for part in _groups("PROPERTYNAME", text, count)}
    if len(lists) > 1:
        raise Refused("PROPERTYNAME: the same list for every id is accepted only")
    return {"PROPERTYNAME": lists.pop()}
