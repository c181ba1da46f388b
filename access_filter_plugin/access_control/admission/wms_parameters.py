"""Which parameters each WMS operation knows, and what their values may look like.

What is not here never reaches QGIS from a restricted caller: harmless additions of clients (cache
busters, tokens) are dropped, and what could not be enforced is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .grammar import (
    Grammar,
    is_bbox,
    is_boolean,
    is_color,
    is_crs,
    is_integer,
    is_media_type,
    is_number,
    is_text,
    is_word,
    list_of,
    one_of,
)

#: Names a client may send with every service; MAP was judged with the project.
COMMON: Mapping[str, Grammar] = MappingProxyType(
    {
        "SERVICE": is_word,
        "REQUEST": is_word,
        "VERSION": is_word,
        "WMTVER": is_word,
        "MAP": lambda _text: True,
        "LANGUAGE": is_word,
        "EXCEPTIONS": is_media_type,
        "FILE_NAME": is_text,
    }
)
#: Refused rather than dropped: a client that sends one of these wants another picture or answer.
REFUSED = ("SLD", "SLD_BODY")

_TRUTH = ("true", "false", "1", "0", "yes", "no", "on", "off")
_LAYERS: dict[str, Grammar] = {
    "LAYER": is_text,
    "LAYERS": is_text,
    "STYLE": is_text,
    "STYLES": is_text,
    "SLD_VERSION": is_word,
}
_MAP: dict[str, Grammar] = {
    "CRS": is_crs,
    "SRS": is_crs,
    "BBOX": is_bbox,
    "WIDTH": is_integer,
    "HEIGHT": is_integer,
    "FORMAT": is_media_type,
    "DPI": is_number,
    "FORMAT_OPTIONS": is_text,
    "TRANSPARENT": is_boolean,
    "BGCOLOR": is_color,
    "OPACITIES": list_of(is_integer),
    "FILTER": lambda _text: True,
    "SELECTION": is_text,
    "IMAGE_QUALITY": is_integer,
    "TILED": is_boolean,
    "SRCWIDTH": is_integer,
    "SRCHEIGHT": is_integer,
    "SCALE": is_number,
}
HIGHLIGHT: Mapping[str, Grammar] = MappingProxyType(
    {
        "HIGHLIGHT_GEOM": is_text,
        "HIGHLIGHT_SYMBOL": lambda _text: True,
        "HIGHLIGHT_LABELSTRING": is_text,
        "HIGHLIGHT_LABELFONT": is_text,
        "HIGHLIGHT_LABELSIZE": list_of(is_number, ";"),
        "HIGHLIGHT_LABELWEIGHT": list_of(is_number, ";"),
        "HIGHLIGHT_LABELCOLOR": list_of(is_color, ";"),
        "HIGHLIGHT_LABELBUFFERCOLOR": list_of(is_color, ";"),
        "HIGHLIGHT_LABELBUFFERSIZE": list_of(is_number, ";"),
        "HIGHLIGHT_LABEL_ROTATION": list_of(is_number, ";"),
        "HIGHLIGHT_LABEL_DISTANCE": list_of(is_number, ";"),
        "HIGHLIGHT_LABEL_HORIZONTAL_ALIGNMENT": list_of(is_word),
        "HIGHLIGHT_LABEL_VERTICAL_ALIGNMENT": list_of(is_word),
    }
)
_INFO: dict[str, Grammar] = {
    "QUERY_LAYERS": is_text,
    "INFO_FORMAT": is_media_type,
    "FEATURE_COUNT": is_integer,
    "I": is_number,
    "J": is_number,
    "X": is_number,
    "Y": is_number,
    "FI_POINT_TOLERANCE": is_number,
    "FI_LINE_TOLERANCE": is_number,
    "FI_POLYGON_TOLERANCE": is_number,
    "FILTER_GEOM": is_text,
    "WITH_GEOMETRY": is_boolean,
    "WITH_MAPTIP": one_of(
        "true", "false", "1", "0", "yes", "no", "on", "off", "html_fi_only_maptip"
    ),
    "WITH_DISPLAY_NAME": is_boolean,
    "HTML_FI_ONLY_MAPTIP": is_boolean,
    "WMS_PRECISION": is_integer,
    "ENRICH": is_boolean,
}
_LEGEND: dict[str, Grammar] = {
    "BOXSPACE": is_number,
    "LAYERSPACE": is_number,
    "LAYERTITLESPACE": is_number,
    "SYMBOLSPACE": is_number,
    "ICONLABELSPACE": is_number,
    "SYMBOLWIDTH": is_number,
    "SYMBOLHEIGHT": is_number,
    "LAYERFONTFAMILY": is_text,
    "LAYERFONTBOLD": is_boolean,
    "LAYERFONTITALIC": is_boolean,
    "LAYERFONTSIZE": is_number,
    "LAYERFONTCOLOR": is_color,
    "ITEMFONTFAMILY": is_text,
    "ITEMFONTBOLD": is_boolean,
    "ITEMFONTITALIC": is_boolean,
    "ITEMFONTSIZE": is_number,
    "ITEMFONTCOLOR": is_color,
    "LAYERTITLE": is_boolean,
    "RULELABEL": one_of(*_TRUTH, "auto"),
    "RULE": is_text,
    "SCALE": is_number,
}
_PRINT: dict[str, Grammar] = {"TEMPLATE": is_text, "ATLAS_PK": is_text, "LAYERS": is_text}
#: Keys of one map of a layout, behind ``MAP0:``.
PRINT_MAP: Mapping[str, Grammar] = MappingProxyType(
    {
        "EXTENT": is_bbox,
        "SCALE": is_number,
        "ROTATION": is_number,
        "GRID_INTERVAL_X": is_number,
        "GRID_INTERVAL_Y": is_number,
        "LAYERS": is_text,
        "STYLES": is_text,
        **HIGHLIGHT,
    }
)

#: Operation → its parameters.
OPERATIONS: Mapping[str, Mapping[str, Grammar]] = MappingProxyType(
    {
        "GetMap": {**COMMON, **_LAYERS, **_MAP, **HIGHLIGHT},
        "GetFeatureInfo": {**COMMON, **_LAYERS, **_MAP, **HIGHLIGHT, **_INFO},
        "GetLegendGraphic": {**COMMON, **_LAYERS, **_MAP, **_LEGEND},
        "GetLegendGraphics": {**COMMON, **_LAYERS, **_MAP, **_LEGEND},
        "GetPrint": {**COMMON, **_LAYERS, **_MAP, **HIGHLIGHT, **_PRINT},
        "GetStyle": {**COMMON, **_LAYERS},
        "GetStyles": {**COMMON, **_LAYERS},
        "DescribeLayer": {**COMMON, **_LAYERS},
        "GetCapabilities": {**COMMON, "FORMAT": is_media_type, "UPDATESEQUENCE": is_word},
        "GetProjectSettings": {**COMMON, "FORMAT": is_media_type, "UPDATESEQUENCE": is_word},
        "GetContext": {**COMMON},
        "GetSchemaExtension": {**COMMON},
    }
)
