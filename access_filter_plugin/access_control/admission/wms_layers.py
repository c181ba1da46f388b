"""LAYERS, STYLES, OPACITIES, QUERY_LAYERS and SELECTION in the form that was checked.

Groups become their permitted members (QGIS 3.22 refuses a group with one closed member, later
versions print it whole), and each layer stands with the style it is drawn with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Optional

from ...value_class import mutable_class, value_class
from ..project_access import OperationAccess
from .catalog_mode import closed_answer
from .grammar import split_list
from .verdict import Verdict, refuse
from .wms_tree import Asked, MapTree, exists, is_open, resolve

EXTERNAL = "EXTERNAL_WMS:"


@value_class
class Layers:
    """The layers of a request, expanded; or the refusal of the first that is not open."""

    asked: tuple[Asked, ...] = ()
    styles: tuple[str, ...] = ()
    """For each layer the style to draw it with, as far as one was named or must be."""
    opacities: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    refusal: Optional[Verdict] = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the project's layers."""
        return tuple(asked.id for asked in self.asked if asked.id)

    @property
    def names(self) -> str:
        """The value of LAYERS."""
        return ",".join(asked.name for asked in self.asked)


@mutable_class
class _Builder:
    asked: list[Asked] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    opacities: list[str] = field(default_factory=list)


def unknown_layer(name: str) -> Verdict:
    """Return the answer for a layer that does not exist, or might as well not."""
    return refuse(f"The layer '{name}' does not exist.", status=400, code="LayerNotDefined")


def unknown_style(name: str, layer: str) -> Verdict:
    """Return the answer for a style that does not exist, or might as well not."""
    sentence = f"Style '{name}' does not exist for layer '{layer}'"
    return refuse(sentence, status=400, code="StyleNotDefined")


def requested_layers(
    names: Sequence[str],
    styles: Sequence[str],
    opacities: Sequence[str],
    tree: MapTree,
    access: OperationAccess,
) -> Layers:
    """Return the permitted layers of a request, or the refusal of a name or style."""
    built = _Builder()
    for index, name in enumerate(names):
        style = styles[index] if index < len(styles) else ""
        opacity = opacities[index] if index < len(opacities) else None
        if name.startswith(EXTERNAL):
            _add(built, (Asked("", name),), [style or "default"], opacity)
            continue
        found = resolve(name, tree, access)
        if found is None:
            unknown = unknown_layer(name)
            return Layers(refusal=closed_answer(access, unknown, exists=exists(name, tree)))
        drawn = [_style(asked, style, access) for asked in found]
        if None in drawn:
            return Layers(refusal=_closed_style(style, found[drawn.index(None)], access))
        _add(built, found, [text or "" for text in drawn], opacity)
    return Layers(
        asked=tuple(built.asked), styles=tuple(built.styles), opacities=tuple(built.opacities)
    )


def _add(
    built: _Builder, found: Sequence[Asked], styles: Sequence[str], opacity: Optional[str]
) -> None:
    built.asked += found
    built.styles += styles
    if opacity is not None:
        # QGIS applies no opacity to the members of a group that was named as one.
        built.opacities += ["255" if asked.from_group else opacity for asked in found]


def _style(asked: Asked, style: str, access: OperationAccess) -> Optional[str]:
    """Return the style to draw a layer with, None when the one that was named is not open."""
    decision = access.decision(asked.id)
    info = access.catalogue.layers[asked.id]
    if "," in style + decision.default_style:
        return None if style else ""  # QGIS would cut it into two names
    if not style:
        return decision.default_style
    if style in decision.styles:
        return style
    # A style of a group is meant for those members that have it.
    return None if not asked.from_group or style in info.styles else decision.default_style


def _closed_style(style: str, asked: Asked, access: OperationAccess) -> Verdict:
    known = style in access.catalogue.layers[asked.id].styles
    return closed_answer(access, unknown_style(style, asked.name), exists=known)


def layer_changes(
    parameters: Mapping[str, str], found: Layers, prefix: str = ""
) -> dict[str, Optional[str]]:
    """Return LAYERS, STYLES and OPACITIES as they were checked, to be set on the request."""
    changes: dict[str, Optional[str]] = {f"{prefix}LAYERS": found.names}
    for single in ("LAYER", "STYLE"):
        if f"{prefix}{single}" in parameters:
            changes[f"{prefix}{single}"] = None
    named = parameters.get(f"{prefix}STYLES", "") + parameters.get(f"{prefix}STYLE", "")
    if named.strip(","):
        changes[f"{prefix}STYLES"] = ",".join(found.styles)
    elif f"{prefix}STYLES" in parameters:
        changes[f"{prefix}STYLES"] = ""
    if parameters.get(f"{prefix}OPACITIES"):
        changes[f"{prefix}OPACITIES"] = ",".join(found.opacities)
    return changes


def may_lead_outside(name: str) -> bool:
    """Return whether a parameter may be one of an outside layer: never what may be of a map here."""
    return ":" in name and not name.startswith("MAP")


def names_of(parameters: Mapping[str, str], prefix: str = "") -> list[str]:
    """Return the names that LAYER and LAYERS hold together, as QGIS reads them."""
    return split_list(parameters.get(f"{prefix}LAYER", "")) + split_list(
        parameters.get(f"{prefix}LAYERS", "")
    )


def styles_of(parameters: Mapping[str, str], prefix: str = "") -> list[str]:
    """Return the styles by position; an empty place means the default style."""
    single = split_list(parameters.get(f"{prefix}STYLE", ""))
    several = parameters.get(f"{prefix}STYLES", "")
    return single + (several.split(",") if several else [])


def query_layers(
    value: str, tree: MapTree, access: OperationAccess
) -> tuple[str, tuple[str, ...], Optional[Verdict]]:
    """Return QUERY_LAYERS with groups expanded, the layers' ids, and a refusal or None."""
    names: list[str] = []
    ids: list[str] = []
    for name in split_list(value):
        if name.startswith(EXTERNAL):
            names.append(name)
            continue
        found = resolve(name, tree, access)
        if found is None:
            unknown = unknown_layer(name)
            return "", (), closed_answer(access, unknown, exists=exists(name, tree))
        # The members of a group that cannot be asked are passed over, as QGIS does.
        asked = [a for a in reversed(found) if a.id in tree.queryable] or list(found[:1])
        names += [a.name for a in asked]
        for one in asked:
            # Of a name that a group has as well, QGIS takes the group.
            ids += [one.id, *(i for i in tree.groups.get(one.name, ()) if is_open(access, i))]
    return ",".join(names), tuple(ids), None


def selection(value: str, names: Sequence[str]) -> str:
    """Return SELECTION without the entries of layers that the request does not show."""
    kept = []
    for entry in split_list(value, ";"):
        layer, _colon, ids = entry.partition(":")
        if layer in names and ids:
            kept.append(entry)
    return ";".join(kept)
