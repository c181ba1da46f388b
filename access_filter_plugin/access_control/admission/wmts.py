"""Admission of WMTS: tiles and feature info of permitted layers and groups."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...ows_request import OwsRequest
from ..project_access import OperationAccess
from .catalog_mode import challenge_listing, closed_answer, everything_is_closed
from .grammar import Grammar, is_integer, is_media_type, is_text, is_word, wrong_parameter
from .verdict import ADMITTED, Verdict, refuse
from .wms_parameters import COMMON
from .wms_tree import MapTree, exists, is_open, resolve

_TILE: Mapping[str, Grammar] = MappingProxyType(
    {
        **COMMON,
        "LAYER": is_text,
        "STYLE": is_text,
        "FORMAT": is_media_type,
        "TILEMATRIXSET": is_text,
        "TILEMATRIX": is_word,
        "TILEROW": is_integer,
        "TILECOL": is_integer,
    }
)
_OPERATIONS: Mapping[str, Mapping[str, Grammar]] = MappingProxyType(
    {
        "GetCapabilities": MappingProxyType({**COMMON, "UPDATESEQUENCE": is_word}),
        "GetTile": _TILE,
        "GetFeatureInfo": MappingProxyType(
            {**_TILE, "INFOFORMAT": is_media_type, "I": is_integer, "J": is_integer}
        ),
    }
)


def admit(request: OwsRequest, access: OperationAccess, tree: MapTree) -> Verdict:
    """Return the verdict on a WMTS request of a restricted caller."""
    known = _OPERATIONS.get(request.operation)
    if known is None:
        sentence = "REQUEST: this request is not supported"
        return refuse(sentence, status=501, code="OperationNotSupported")
    parameters = request.parameters
    wrong = wrong_parameter(parameters, known)
    if wrong is not None:
        sentence = f"{wrong}: the value is not understood"
        return refuse(sentence, status=400, code="InvalidParameterValue")
    changes = {name: None for name in parameters if name not in known}
    if request.operation == "GetCapabilities":
        listed = (is_open(access, layer_id) for layer_id in access.catalogue.layers)
        if everything_is_closed(access, listed):
            return challenge_listing(access)
        return Verdict(changes=changes) if changes else ADMITTED
    return _tile(parameters, access, tree, changes)


def _tile(
    parameters: Mapping[str, str],
    access: OperationAccess,
    tree: MapTree,
    changes: Mapping[str, None],
) -> Verdict:
    name = parameters.get("LAYER", "")
    if not name:
        return Verdict(changes=changes) if changes else ADMITTED
    found = resolve(name, tree, access)
    if found is None:
        unknown = refuse(f"Layer '{name}' not found", status=400, code="LayerNotDefined")
        return closed_answer(access, unknown, exists=exists(name, tree))
    ids = tuple(asked.id for asked in found)
    is_group = found[0].from_group
    return Verdict(changes=dict(changes), notes={"layers": ids, "group": is_group})
