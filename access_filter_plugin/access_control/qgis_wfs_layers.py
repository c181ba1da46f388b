"""The published layers of a WFS or OAPIF request as its caller may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import Qgis, QgsExpression, QgsOgcUtils, QgsProject
from qgis.PyQt.QtXml import QDomDocument
from qgis.server import QgsServerProjectUtils

from ..late_pattern import late_pattern
from .admission.refused import Refused
from .admission.wfs_layers import QueryLayer, unknown_type, without_prefix
from .catalogue import LayerInfo, LayerKind
from .decision import LayerDecision
from .expression import ExpressionError
from .project_access import OperationAccess
from .qgis_client_expression import canonical_expression
from .qgis_feature_ids import key_expression

ALL_COLUMNS = "*"
_TESTS_WHOLE_ROWS = Qgis.versionInt() < 32400
"""3.22 puts ids and row filter into one expression; 3.40 and 3.44 do not (facts F9)."""
_TAG = late_pattern(r"[^\w.-_]")


def tag_name(attribute: str) -> str:
    """Return an attribute as WFS names its element (``cleanTagNameRegExp`` of QGIS)."""
    return _TAG.sub("", attribute.replace(" ", "_"))


Published = Mapping[str, tuple[LayerInfo, ...]]


def published(access: OperationAccess, project: QgsProject) -> Published:
    """Return the layers that WFS publishes, by type name; a name may stand for several.

    Kept with the decisions, which belong to one generation of the project.
    """
    known = access.cache.get("published")
    if isinstance(known, dict):
        return known
    names: dict[str, tuple[LayerInfo, ...]] = {}
    for layer_id in QgsServerProjectUtils.wfsLayerIds(project):
        info = access.catalogue.layers.get(layer_id)
        if info is not None and info.kind is LayerKind.VECTOR:
            names[info.wfs_name] = (*names.get(info.wfs_name, ()), info)
    access.cache["published"] = names
    return names


def reads_visible_only(decision: LayerDecision) -> bool:
    """Return whether the row filter of a layer reads no hidden attribute."""
    text = decision.rows.expression()
    if text is None:
        return True
    columns = QgsExpression(text).referencedColumns()
    return ALL_COLUMNS not in columns and columns <= decision.attributes


def query_layer(access: OperationAccess, info: LayerInfo) -> Optional[QueryLayer]:
    """Return a layer as the caller may use it; None when it is hidden."""
    decision = access.decision(info.id)
    if not decision.is_listed:
        return None
    key = f"query {info.id}"
    known = access.cache.get(key)
    if not isinstance(known, QueryLayer):
        known = access.cache[key] = _query_layer(info, decision)
    return known


def _query_layer(info: LayerInfo, decision: LayerDecision) -> QueryLayer:
    visible = decision.attributes if decision.read else frozenset()
    return QueryLayer(
        id=info.id,
        type_name=info.wfs_name,
        visible=visible,
        tags={tag_name(name): name for name in sorted(visible)},
        has_filter=not decision.rows.is_everything,
        has_key=bool(info.primary_key),
        filter_is_visible=reads_visible_only(decision),
        tests_whole_rows=_TESTS_WHOLE_ROWS,
    )


class WfsLayers:
    """``Layers`` of the judges, made from the decisions of a request as far as it names them."""

    def __init__(self, access: OperationAccess, project: QgsProject) -> None:
        self._access = access
        self._published = published(access, project)
        self.found: set[str] = set()
        """The ids of all layers that were asked for."""

    def find(self, type_name: str) -> QueryLayer:
        """Return a layer; raise UnknownName for one that is unknown, hidden or ambiguous."""
        infos = self._published.get(type_name) or self._published.get(without_prefix(type_name))
        if infos is None or len(infos) != 1:
            raise unknown_type(type_name)
        found = query_layer(self._access, infos[0])
        if found is None:
            raise unknown_type(type_name)
        self.found.add(found.id)
        return found


class WfsExpressions:
    """``Expressions`` of the judges."""

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._layers = layers

    def canonical(self, text: str, layer: QueryLayer, parameter: str) -> str:
        """Return an expression as it was understood; raise Refused."""
        try:
            return canonical_expression(text, layer.visible)
        except ExpressionError as error:
            raise Refused(f"{parameter}: {error}") from error

    def check_filter(self, xml: str, layer: QueryLayer) -> None:
        """Refuse an OGC filter whose expression, as QGIS makes it, names what it must not."""
        expression = filter_expression(xml, self._layers[layer.id])
        if expression:
            self.canonical(expression, layer, "FILTER")

    def by_key(self, layer: QueryLayer, ids: list[str]) -> str:
        """Return the expression that selects rows by their ids."""
        provider = self._layers[layer.id].dataProvider()
        parts = [key_expression(fid, provider) for fid in ids]
        if not all(parts):
            raise Refused("FEATUREID: the id is not understood")
        return " OR ".join(f"({part})" for part in parts)


def dom_element(xml: str) -> Any:
    """Return the root element of an XML text as QGIS's own parser reads it, with its document."""
    document = QDomDocument()
    read = document.setContent(xml, True)
    if not (read[0] if isinstance(read, tuple) else read):
        raise Refused("FILTER: it is not well-formed XML")
    return document, document.documentElement()


def filter_expression(xml: str, layer: Any) -> str:
    """Return the expression that QGIS makes of an OGC filter; empty for a filter of nothing."""
    _document, element = dom_element(xml)
    if not element.hasChildNodes():
        return ""
    expression = QgsOgcUtils.expressionFromOgcFilter(element, layer)
    if expression is None or expression.hasParserError() or not expression.expression():
        raise Refused("FILTER: it is not understood")
    return str(expression.expression())
