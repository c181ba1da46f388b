"""Guards that protect everybody, in every project, with or without rules (contract, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import QgsExpression, QgsMapLayer

from ..operator_settings import OperatorSettings
from ..ows_request import OAPIF, OwsRequest
from .admission.grammar import split_list
from .admission.guard_body import body_reads_server
from .admission.guards import (
    EXTERNAL,
    atlas_filter,
    external_layers,
    leads_outside,
    names_file,
    reads_server,
    second_name,
    smuggles,
    template_parameter,
)
from .admission.verdict import ADMITTED, Verdict, refuse
from .qgis_wms_project import wms_facts

_BAD = "InvalidParameterValue"
_UNSUPPORTED = "OperationNotSupported"
_WMS_TEXTS = ("FILTER", "SLD_BODY", "HIGHLIGHT_SYMBOL", "FILTER_GEOM")
_SYMBOLS = ("SLD_BODY", "HIGHLIGHT_SYMBOL")
_WFS_TEXTS = ("EXP_FILTER", "FILTER", "SORTBY", "OGC_FILTER")
#: Requests that QGIS answers as WMS even when they name no service.
_WITHOUT_SERVICE = ("GetMap", "GetFeatureInfo")


def guard(request: OwsRequest, state: Any, settings: OperatorSettings) -> Verdict:
    """Return a refusal of what endangers others, or ``ADMITTED`` itself."""
    if not request.operation.isascii():
        # QGIS folds case in ways of its own, and would run what no rule or guard knows.
        return refuse("REQUEST: this request is not supported", status=501, code=_UNSUPPORTED)
    service = request.service
    if service != OAPIF and second_name(request.parameters) is not None:
        return refuse("The name of a parameter is not understood", status=400, code=_BAD)
    refusal: Optional[Verdict] = None
    if service == "WMS" or (request.operation in _WITHOUT_SERVICE and service != "WMTS"):
        refusal = _wms(request, state, settings)
    elif service == "WMTS":
        refusal = _wmts(request)
    elif service == "WFS":
        refusal = _wfs(request)
    elif service == OAPIF:
        refusal = _oapif(request)
    return ADMITTED if refusal is None else refusal


def _wms(request: OwsRequest, state: Any, settings: OperatorSettings) -> Optional[Verdict]:
    parameters = request.parameters
    operation = request.operation
    refusal = _print(parameters) if operation == "GetPrint" else None
    if refusal is not None:
        return refusal
    for name in _WMS_TEXTS:
        value = parameters.get(name)
        if value and (reads_server(value) or (name in _SYMBOLS and names_file(value))):
            return _expression(name)
    names_outside = any(EXTERNAL in parameters.get(n, "") for n in ("LAYERS", "LAYER"))
    if names_outside or operation in ("GetPrint", "GetFeatureInfo"):
        refusal = _external(request, settings)
        if refusal is not None:
            return refusal
    if "BBOX" in parameters and operation in ("GetLegendGraphic", "GetLegendGraphics"):
        return _legend(request, state)
    return None


def _print(parameters: Mapping[str, str]) -> Optional[Verdict]:
    name = template_parameter(parameters)
    if name is not None:
        return refuse(f"{name}: a value holds no expression template", status=400, code=_BAD)
    for name, value in parameters.items():
        if name != "MAP" and names_file(value):
            return refuse(f"{name}: a value names no file", status=400, code=_BAD)
        if name.endswith(":HIGHLIGHT_SYMBOL") and reads_server(value):
            return _expression(name)
    atlas = atlas_filter(parameters.get("ATLAS_PK", ""))
    # What does not parse is the text of a key, such as an address of electronic mail.
    if reads_server(atlas) and not QgsExpression(atlas).hasParserError():
        return _expression("ATLAS_PK")
    return None


def _expression(name: str) -> Verdict:
    sentence = f"{name}: it reads what is not for clients"
    return refuse(sentence, status=400, code=_BAD)


def _external(request: OwsRequest, settings: OperatorSettings) -> Optional[Verdict]:
    for layer in external_layers(request.parameters):
        if leads_outside(request.parameters, layer, settings.external_wms):
            return refuse("EXTERNAL_WMS: this server does not pass on requests to that host")
    return None


def _legend(request: OwsRequest, state: Any) -> Optional[Verdict]:
    """Refuse a legend by content in another style: QGIS would leave that style behind."""
    parameters = request.parameters
    if not parameters["BBOX"]:
        return None
    if parameters.get("SLD") or parameters.get("SLD_BODY"):
        return refuse("BBOX: it does not go together with SLD", status=400, code=_BAD)
    styles = split_list(parameters.get("STYLE", "")) + split_list(parameters.get("STYLES", ""))
    if not styles or state is None:
        return None
    names = split_list(parameters.get("LAYER", "")) + split_list(parameters.get("LAYERS", ""))
    current = _current_styles(names, state)
    if all(style in current and len(current) == 1 for style in styles):
        return None
    return refuse("BBOX: it does not go together with another style", status=400, code=_BAD)


def _current_styles(names: list[str], state: Any) -> frozenset[str]:
    """Return the styles that the layers have now; a legend in these changes nothing."""
    tree = wms_facts(state).tree
    ids = [i for name in names for i in (*tree.layers.get(name, ()), *tree.groups.get(name, ()))]
    layers = [state.layers[layer_id] for layer_id in ids if layer_id in state.layers]
    return frozenset(_style(layer) for layer in layers)


def _style(layer: QgsMapLayer) -> str:
    manager = layer.styleManager()
    return str(manager.currentStyle()) if manager is not None else ""


def _wmts(request: OwsRequest) -> Optional[Verdict]:
    for name, value in request.parameters.items():
        if smuggles(value):
            sentence = f"{name}: the value cannot be passed on"
            return refuse(sentence, status=400, code=_BAD)
    return None


def _wfs(request: OwsRequest) -> Optional[Verdict]:
    for name in _WFS_TEXTS:
        value = request.parameters.get(name)
        if value and reads_server(value):
            return _expression(name)
    # QGIS makes this parameter of a body; sent as a parameter, it is looked at as one.
    sent = request.parameters.get("REQUEST_BODY")
    if sent and not request.body and reads_server(sent):
        return _expression("REQUEST_BODY")
    if request.body and body_reads_server(request.body):
        return refuse("the body reads what is not for clients", status=400, code=_BAD)
    return None


def _oapif(request: OwsRequest) -> Optional[Verdict]:
    for name, value in request.parameters.items():
        # A quote lets the rest of the value become an expression (3.22 to 3.44).
        if ("'" in value or "%27" in value) and reads_server(_outside_quotes(value)):
            return _expression(name)
    return None


def _outside_quotes(value: str) -> str:
    """Return the value as QGIS puts it into an expression."""
    return f"'{value}'"
