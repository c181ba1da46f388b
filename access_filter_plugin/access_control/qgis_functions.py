"""What QGIS's expression functions read: nothing but their arguments, a layer, or one cannot tell.

Functions are known by QGIS's own groups; a function that neither a group nor a name below calls
harmless (a newer one, or one that a plugin registered) counts as reading everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from qgis.core import QgsExpression, QgsExpressionFunction

#: Groups whose functions only compute from their arguments and the current feature's columns.
_HARMLESS_GROUPS = frozenset(
    {
        "Arrays",
        "CRS",
        "Color",
        "Conditionals",
        "Conversions",
        "Date and Time",
        "Files and Paths",
        "Fuzzy Matching",
        "GeometryGroup",
        "Layout",
        "Maps",
        "Math",
        "Operators",
        "Processing",
        "Sensors",
        "String",
        "Variables",
        "deprecated",
    }
)
_HARMLESS_NAMES = frozenset(
    {
        "mime_type",
        "var",
        "env",
        "with_variable",
        "is_layer_visible",
        "$id",
        "uuid",
        "feature_id",
        "is_feature_valid",
        "is_selected",
        "num_selected",
    }
)
#: Functions whose first argument is the layer (its name or id) that they read.
LAYER_FUNCTIONS = frozenset(
    {
        "aggregate",
        "get_feature",
        "get_feature_by_id",
        "layer_property",
        "decode_uri",
        "raster_value",
        "raster_statistic",
        "raster_attributes",
        "overlay_contains",
        "overlay_crosses",
        "overlay_disjoint",
        "overlay_equals",
        "overlay_intersects",
        "overlay_nearest",
        "overlay_touches",
        "overlay_within",
    }
)
RELATION_FUNCTIONS = frozenset({"relation_aggregate"})
LABEL_FUNCTIONS = frozenset({"represent_value", "represent_attributes"})
#: Functions that hand out the current feature whole, which referencedColumns does not tell of all.
FEATURE_FUNCTIONS = frozenset(
    {
        "$currentfeature",
        "attribute",
        "attributes",
        "represent_attributes",
        "is_attribute_valid",
        "current_value",
        "current_parent_value",
    }
)
#: Parts of the names of variables that hold a feature, or something made of one.
_FEATURE_VARIABLES = ("feature", "attribute", "atlas", "parent")


@lru_cache(maxsize=1)
def _groups() -> Mapping[str, frozenset[str]]:
    """Return QGIS's own functions with their groups; a function made in Python is none of them."""
    return {
        function.name(): frozenset(function.groups())
        for function in QgsExpression.Functions()
        if type(function) is QgsExpressionFunction
    }


@lru_cache(maxsize=1)
def _canonical_names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for function in QgsExpression.Functions():
        for name in (*function.aliases(), function.name()):
            names[name.lower()] = function.name()
    return names


def canonical_name(name: str) -> str:
    """Return the name by which QGIS reports a function that is called by this name or alias."""
    return _canonical_names().get(name.lower(), name.lower())


def own_rows_functions(functions: Iterable[str]) -> frozenset[str]:
    """Return those that aggregate over the rows of the layer that they are evaluated on."""
    others = LAYER_FUNCTIONS | RELATION_FUNCTIONS
    return frozenset(
        f for f in functions if "Aggregates" in _groups().get(f, ()) and f not in others
    )


def unknown_functions(functions: Iterable[str]) -> frozenset[str]:
    """Return those of which one cannot tell what they read (``eval``, ``maptip``, others' own)."""
    named = LAYER_FUNCTIONS | RELATION_FUNCTIONS | LABEL_FUNCTIONS | FEATURE_FUNCTIONS
    groups = _groups()
    return frozenset(
        name
        for name in functions
        if name not in named
        and name not in _HARMLESS_NAMES
        and not (groups.get(name, frozenset()) & (_HARMLESS_GROUPS | {"Aggregates"}))
    )


def holds_a_feature(variable: str) -> bool:
    """Return whether a variable may hold a whole feature (``@feature``, ``@atlas_feature`` …)."""
    return any(part in variable.lower() for part in _FEATURE_VARIABLES)
