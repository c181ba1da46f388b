"""Admission of WMS: what a restricted caller asks, in the form that QGIS will run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Callable, Optional

from ...ows_request import OwsRequest
from ...value_class import value_class
from ..catalogue import LayerKind
from ..expression import ExpressionError
from ..project_access import OperationAccess
from .catalog_mode import challenge_listing, everything_is_closed
from .grammar import has_template, wrong_parameter
from .verdict import ADMITTED, Verdict, refuse
from .wms_filter import canonical_filter, check_ogc_filter, is_ogc_filter, unsafe_symbol
from .wms_layers import (
    EXTERNAL,
    Layers,
    layer_changes,
    may_lead_outside,
    names_of,
    query_layers,
    requested_layers,
    selection,
    styles_of,
)
from .wms_parameters import OPERATIONS, REFUSED
from .wms_print import LayoutFacts, admit_atlas, admit_template, print_parameters
from .wms_tree import MapTree, is_open

_LEGENDS = ("GetLegendGraphic", "GetLegendGraphics")
_LISTINGS = ("GetCapabilities", "GetProjectSettings", "GetContext")
#: Answers of which not even the form of a value is a matter of one layer.
_WITHOUT_LAYERS = (*_LISTINGS, "GetSchemaExtension")


@value_class
class WmsProject:
    """What admission needs to know of a project, as plain values."""

    tree: MapTree = field(default_factory=MapTree)
    layouts: Mapping[str, LayoutFacts] = field(default_factory=dict)
    canonical: Callable[[str, frozenset[str]], str] = lambda text, _attributes: text
    """(expression, attributes) → canonical expression; raises ExpressionError."""
    dimensions: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Upper-case dimension parameter → (layer id, attribute) that it filters by."""
    has_annotations: bool = True
    """False when there is none that could have to be hidden."""
    unsafe_names: frozenset[str] = frozenset()
    """Ids of layers whose display name is an expression that the caller may not see."""


def admit(request: OwsRequest, access: OperationAccess, project: WmsProject) -> Verdict:
    """Return the verdict on a WMS request of a restricted caller."""
    known = OPERATIONS.get(request.operation)
    if known is None:
        return refuse("REQUEST: this request is not supported", status=501, code=_UNSUPPORTED)
    parameters = request.parameters
    for name in REFUSED:
        if parameters.get(name):
            return refuse(f"{name}: a style document cannot be restricted")
    wrong = wrong_parameter(parameters, known)
    if wrong is not None:
        return refuse(f"{wrong}: the value is not understood", status=400, code=_INVALID)
    if request.operation in _WITHOUT_LAYERS:
        return _listing(request, access, known)
    return _with_layers(request, access, project, known)


_UNSUPPORTED = "OperationNotSupported"
_INVALID = "InvalidParameterValue"


def _listing(request: OwsRequest, access: OperationAccess, known: Mapping[str, object]) -> Verdict:
    listed = (is_open(access, layer_id) for layer_id in access.catalogue.layers)
    if request.operation in _LISTINGS and everything_is_closed(access, listed):
        return challenge_listing(access)
    unknown = {name: None for name in request.parameters if name not in known}
    return Verdict(changes=unknown) if unknown else ADMITTED


def _with_layers(
    request: OwsRequest,
    access: OperationAccess,
    project: WmsProject,
    known: Mapping[str, object],
) -> Verdict:
    parameters = request.parameters
    changes: dict[str, Optional[str]] = {}
    if request.operation == "GetPrint":
        refusal = _print(parameters, access, project, known, changes)
    else:
        refusal = _drop_unknown(parameters, access, project, known, changes)
    if refusal is not None:
        return refusal
    opacities = [text for text in parameters.get("OPACITIES", "").split(",") if text]
    found = requested_layers(
        names_of(parameters), styles_of(parameters), opacities, project.tree, access
    )
    if found.refusal is not None:
        return found.refusal
    if found.asked:
        changes.update(layer_changes(parameters, found))
    queried: tuple[str, ...] = ()
    if request.operation == "GetFeatureInfo":
        names, queried, refusal = query_layers(
            parameters.get("QUERY_LAYERS", ""), project.tree, access
        )
        if refusal is not None:
            return refusal
        changes["QUERY_LAYERS"] = names
        _info_parameters(parameters, queried, project, changes)
    refusal = _values(request, access, project, found, queried, changes)
    if refusal is not None:
        return refusal
    return Verdict(changes=_real_changes(parameters, changes), notes={"layers": found.ids})


def _real_changes(
    parameters: Mapping[str, str], changes: Mapping[str, Optional[str]]
) -> dict[str, Optional[str]]:
    """Return the changes that change something, so that a plain request stays as it is."""
    return {n: v for n, v in changes.items() if parameters.get(n) != v}


def _print(
    parameters: Mapping[str, str],
    access: OperationAccess,
    project: WmsProject,
    known: Mapping[str, object],
    changes: dict[str, Optional[str]],
) -> Optional[Verdict]:
    if any(has_template(value) for value in parameters.values()):
        return refuse("GetPrint: a value holds an expression template", status=400, code=_INVALID)
    name = parameters.get("TEMPLATE", "")
    refusal = admit_template(name, project.layouts, access)
    refusal = refusal or admit_atlas(parameters.get("ATLAS_PK", ""), project.layouts[name], access)
    if refusal is not None:
        return refusal
    result = print_parameters(parameters, project.layouts[name], project.tree, access, known)
    changes.update(result.changes)
    changes["FORMAT_OPTIONS"] = None  # it would embed rows and attributes of more than is shown
    return result.refusal


def _drop_unknown(
    parameters: Mapping[str, str],
    access: OperationAccess,
    project: WmsProject,
    known: Mapping[str, object],
    changes: dict[str, Optional[str]],
) -> Optional[Verdict]:
    has_external = any(name.startswith(EXTERNAL) for name in names_of(parameters))
    for name in parameters:
        if name in known:
            continue
        uses = project.dimensions.get(name)
        if uses and all(_is_visible(access, *use) for use in uses):
            continue
        if has_external and may_lead_outside(name):
            continue  # the guards have looked at where it leads
        changes[name] = None
    return None


def _is_visible(access: OperationAccess, layer_id: str, attribute: str) -> bool:
    decision = access.decision(layer_id)
    return not decision.read or attribute in decision.attributes


def _info_parameters(
    parameters: Mapping[str, str],
    queried: tuple[str, ...],
    project: WmsProject,
    changes: dict[str, Optional[str]],
) -> None:
    if "WITH_DISPLAY_NAME" in parameters and project.unsafe_names.intersection(queried):
        changes["WITH_DISPLAY_NAME"] = None


def _values(
    request: OwsRequest,
    access: OperationAccess,
    project: WmsProject,
    found: Layers,
    queried: tuple[str, ...],
    changes: dict[str, Optional[str]],
) -> Optional[Verdict]:
    """Check what needs to know the layers: formats, filters, selections, legends by content."""
    parameters = request.parameters
    ids = (*found.ids, *queried)
    refusal = _format(request, access, found, changes)
    refusal = refusal or _filter(parameters, access, project, found, queried, changes)
    if refusal is not None:
        return refusal
    why = unsafe_symbol(parameters.get("HIGHLIGHT_SYMBOL", ""))
    if why is not None:
        return refuse(f"HIGHLIGHT_SYMBOL: {why}")
    if parameters.get("SELECTION"):
        shown = [access.catalogue.layers[layer_id].wms_name for layer_id in ids]
        changes["SELECTION"] = selection(parameters["SELECTION"], shown)
    by_content = request.operation in _LEGENDS and parameters.get("BBOX")
    if by_content and any(not _is_whole(access, layer_id) for layer_id in found.ids):
        return refuse("BBOX: the legend of what is shown cannot be restricted; leave it out")
    return None


def _is_whole(access: OperationAccess, layer_id: str) -> bool:
    """Return whether no row and no attribute of a layer is hidden."""
    decision = access.decision(layer_id)
    return decision.rows.is_everything and not decision.hidden and not decision.raw_attributes


def _format(
    request: OwsRequest,
    access: OperationAccess,
    found: Layers,
    changes: dict[str, Optional[str]],
) -> Optional[Verdict]:
    """Refuse the formats of GetMap that carry rows and attributes of restricted layers."""
    if request.operation == "GetPrint" or "FORMAT" not in request.parameters:
        return None
    wanted = request.parameters["FORMAT"].lower()
    if wanted.startswith("image/") or wanted in ("png", "jpg", "jpeg", ""):
        changes["FORMAT_OPTIONS"] = None
        return None
    if request.operation != "GetMap":
        return None
    for layer_id in found.ids:
        info = access.catalogue.layers[layer_id]
        if info.kind is not LayerKind.RASTER and not _is_whole(access, layer_id):
            return refuse("FORMAT: this format cannot be restricted; ask for an image")
    if "dxf" not in wanted:
        changes["FORMAT_OPTIONS"] = None
    return None


def _filter(
    parameters: Mapping[str, str],
    access: OperationAccess,
    project: WmsProject,
    found: Layers,
    queried: tuple[str, ...],
    changes: dict[str, Optional[str]],
) -> Optional[Verdict]:
    value = parameters.get("FILTER", "")
    if not value:
        return None

    def attributes(layer_id: str) -> frozenset[str]:
        return access.decision(layer_id).attributes

    shown = {a.name: a.id for a in found.asked if a.id}
    for layer_id in queried:
        shown.setdefault(access.catalogue.layers[layer_id].wms_name, layer_id)
    try:
        if is_ogc_filter(value):
            if any(asked.from_group for asked in found.asked):
                raise ExpressionError("an OGC filter does not go with a group")
            check_ogc_filter(value, [a.id for a in found.asked], attributes)
            return None
        changes["FILTER"] = canonical_filter(
            value, shown, lambda text, layer_id: project.canonical(text, attributes(layer_id))
        )
    except ExpressionError as error:
        return refuse(f"FILTER: {error}", status=400, code=_INVALID)
    return None
