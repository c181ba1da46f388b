"""GetPrint: which layouts, maps and texts a restricted caller may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Optional

from ...late_pattern import late_pattern
from ...value_class import mutable_class, value_class
from ..project_access import OperationAccess
from .catalog_mode import closed_answer
from .grammar import is_integer, is_text, split_list
from .verdict import Verdict, refuse
from .wms_filter import unsafe_symbol
from .wms_layers import (
    EXTERNAL,
    layer_changes,
    may_lead_outside,
    names_of,
    requested_layers,
    styles_of,
)
from .wms_parameters import PRINT_MAP
from .wms_tree import MapTree

_INVALID = "InvalidParameterValue"
#: A label may show HTML, which could fetch pictures.
_MARKUP = late_pattern(r"<[A-Za-z!/]")
#: Written in one way only: to QGIS ``MAP00:`` is map 0 as well.
_MAP_KEY = late_pattern(r"MAP(0|[1-9][0-9]{0,2}):(.+)", re.DOTALL)


@value_class
class LayoutFacts:
    """What admission needs to know of one print layout."""

    label_ids: frozenset[str] = frozenset()
    """Upper-case ids of its labels, which a request may fill with text."""
    maps: int = 0
    free_maps: int = 0
    """Maps that show whatever the request names: without theme, without locked layers."""
    is_beside_external: bool = False
    """True when the request names an outside layer, whose parameters hold a colon."""
    coverage: str = ""
    """Id of the layer whose rows its atlas visits; empty without an atlas."""
    has_row_numbers: bool = False
    """True when QGIS takes ATLAS_PK for numbers in an expression: the rows have no key."""
    drawn_styles: tuple[tuple[str, str], ...] = ()
    """(layer id, style) that its themes draw with."""


@mutable_class
class Print:
    """What becomes of the parameters of a GetPrint."""

    changes: dict[str, Optional[str]] = field(default_factory=dict)
    refusal: Optional[Verdict] = None


def unknown_template(name: str) -> Verdict:
    """Return the answer for a layout that does not exist, or might as well not."""
    sentence = f"The requested template '{name}' is not available."
    return refuse(sentence, status=400, code=_INVALID)


def admit_template(
    name: str, layouts: Mapping[str, LayoutFacts], access: OperationAccess
) -> Optional[Verdict]:
    """Return the refusal of a layout that is closed, or None when it is open."""
    unknown = unknown_template(name)
    layout = layouts.get(name)
    if layout is None:
        return unknown
    draws_closed = any(
        style not in access.decision(layer_id).styles for layer_id, style in layout.drawn_styles
    )
    if draws_closed or not access.allows_template(name):
        return closed_answer(access, unknown, exists=True)
    return None


def admit_atlas(value: str, layout: LayoutFacts, access: OperationAccess) -> Optional[Verdict]:
    """Return the refusal of an ATLAS_PK, or None.

    Before QGIS draws ``*`` it counts all rows, hidden ones among them.
    """
    if not value or not layout.coverage:
        return None
    wanted = split_list(value)
    if wanted == ["*"]:
        if access.decision(layout.coverage).rows.is_everything:
            return None
        return refuse("ATLAS_PK: name the rows to print", status=400, code=_INVALID)
    if layout.has_row_numbers and not all(is_integer(part) for part in wanted):
        return refuse("ATLAS_PK: these rows are known by numbers", status=400, code=_INVALID)
    return None


def print_parameters(
    parameters: Mapping[str, str],
    layout: LayoutFacts,
    tree: MapTree,
    access: OperationAccess,
    known: Mapping[str, object],
) -> Print:
    """Return the changes of the parameters that only a print has, or a refusal."""
    result = Print()
    if any(EXTERNAL in value for value in parameters.values()):
        layout = replace(layout, is_beside_external=True)
    maps: set[int] = set()
    layered: set[int] = set()
    for key in sorted(parameters):
        found = _MAP_KEY.fullmatch(key)
        if found is None:
            _other_key(key, parameters[key], layout, known, result)
            continue
        maps.add(int(found.group(1)))
        if found.group(2) == "LAYERS" and parameters[key]:
            layered.add(int(found.group(1)))
        result.refusal = result.refusal or _map_key(key, found.group(2), parameters, result)
    for index in sorted(layered):
        refusal = _map_layers(index, parameters, tree, access, result)
        result.refusal = result.refusal or refusal
    if result.refusal is None and not names_of(parameters):
        drawn = layout.maps if "ATLAS_PK" in parameters else len(maps)
        if layout.free_maps and len(layered) < drawn:
            result.refusal = refuse("LAYERS: name the layers to print", status=400)
    return result


def _other_key(
    key: str, value: str, layout: LayoutFacts, known: Mapping[str, object], result: Print
) -> None:
    if key in known or (layout.is_beside_external and may_lead_outside(key)):
        return  # the guards have looked at where an outside layer leads
    if key not in layout.label_ids:
        result.changes[key] = None  # an HTML frame would load what it names
    elif not is_text(value) or _MARKUP.search(value):
        result.refusal = refuse(f"{key}: a text holds no template and no markup", status=400)


def _map_key(
    key: str, name: str, parameters: Mapping[str, str], result: Print
) -> Optional[Verdict]:
    grammar = PRINT_MAP.get(name)
    if grammar is None:
        result.changes[key] = None
        return None
    value = parameters[key]
    if not grammar(value):
        return refuse(f"{key}: the value is not understood", status=400)
    if name == "HIGHLIGHT_SYMBOL":
        why = unsafe_symbol(value)
        return refuse(f"{key}: {why}") if why else None
    return None


def _map_layers(
    index: int,
    parameters: Mapping[str, str],
    tree: MapTree,
    access: OperationAccess,
    result: Print,
) -> Optional[Verdict]:
    prefix = f"MAP{index}:"
    names = names_of(parameters, prefix)
    found = requested_layers(names, styles_of(parameters, prefix), (), tree, access)
    if found.refusal is not None:
        return found.refusal
    result.changes.update(layer_changes(parameters, found, prefix))
    return None
