"""WMS GetPrint: layouts, their items, labels, atlases and what a request puts into them."""

from __future__ import annotations

from tests.noninterference.table import (
    Request,
    get_print,
    ows,
)

OPEN = ("plain", "heading", "themed", "locked", "table", "legend", "labelled")
CLOSED = (
    "unlocked",
    "untable",
    "unlegend",
    "unlabelled",
    "uncell",
    "unshape",
    "unraster",
    "unthemed",
    "unsecret",
    "unrows",
)
_FACTS = {
    "unlocked": "L2",
    "untable": "L2",
    "unlabelled": "L2 F14",
    "uncell": "L2 F14",
    "unshape": "L2 F14",
    "unraster": "L2",
    "unthemed": "L2",
    "unsecret": "F14",
    "unrows": "F14",
}

REQUESTS: list[Request] = [
    get_print(
        f"{layout} {kind}",
        works="",
        near="L2" if layout == "themed" else "",
        TEMPLATE=layout,
        LAYERS="pub",
        FORMAT=kind,
    )
    for layout in OPEN
    for kind in ("png", "jpg", "pdf")
]
REQUESTS += [
    get_print(
        f"{layout} {kind} {layers}",
        facts="" if (layout, layers) == ("unthemed", "pub") else _FACTS.get(layout, ""),
        TEMPLATE=layout,
        FORMAT=kind,
        LAYERS=layers,
    )
    for layout in CLOSED
    for kind, layers in (("png", "pub"), ("pdf", "pub"), ("png", ""))
]
REQUESTS += [
    get_print(f"{layout} of {layers}", TEMPLATE=layout, LAYERS=layers)
    for layout in ("plain", "tablerows", "tablecolumns", "hidden", "hiddenCNA", "nope")
    for layers in ("pub", "feat", "attrdd", "forb", "mixed", "rforb", "virt", "grouped")
    if layout == "plain" or layers == "pub"
]
REQUESTS += [
    get_print("layers of a map", near="L3", TEMPLATE="plain", map0__LAYERS="feat,pub"),
    get_print("a closed layer in a map", TEMPLATE="plain", map0__LAYERS="forb"),
    get_print("a hidden style", TEMPLATE="plain", LAYERS="poly", STYLES="hiddenstyle", facts="A9"),
    *(
        get_print(
            f"a hidden style of a map called {index}",
            facts="A9",
            TEMPLATE="plain",
            **{f"map{index}__LAYERS": "poly", f"map{index}__STYLES": "hiddenstyle"},
        )
        for index in ("0", "00", "000")
    ),
    *(
        get_print(
            f"{layers} in a map called {index}", TEMPLATE="plain", **{f"map{index}__LAYERS": layers}
        )
        for index in ("00", "000", "\u0660", "+0")
        for layers in ("mixed", "world", "forb")
    ),
    get_print("a group", facts="L3", TEMPLATE="plain", LAYERS="mixed"),
    get_print("a map's group", facts="L3", TEMPLATE="plain", map0__LAYERS="mixed"),
    get_print("a group's members", near="L3 L16", TEMPLATE="plain", LAYERS="mixed"),
    get_print("a layout by its variant's name", facts="L9", TEMPLATE="hiddenCNA", LAYERS="pub"),
    get_print("rows", near="F15", TEMPLATE="plain", LAYERS="feat"),
    get_print(
        "a break-out",
        facts="F1",
        TEMPLATE="plain",
        LAYERS="feat",
        FILTER='feat:"vis" = 0 ) OR ( "vis" = 0',
    ),
    get_print("a filter", near="F1", TEMPLATE="plain", LAYERS="feat", FILTER='feat:"num" > 15'),
    get_print("an atlas of rows", near="F15", TEMPLATE="atlas", LAYERS="pub", ATLAS_PK="2"),
    get_print("a closed atlas", facts="L2", TEMPLATE="unatlas", LAYERS="pub", ATLAS_PK="1"),
    get_print("a closed atlas's hidden row", facts="L2", TEMPLATE="unatlas", ATLAS_PK="3"),
    get_print("all of an atlas", TEMPLATE="atlas", LAYERS="pub", ATLAS_PK="*", FORMAT="pdf"),
    get_print("annotation", TEMPLATE="plain", LAYERS="pub", map0__EXTENT="35,35,45,45"),
    get_print(
        "a georeferenced one",
        TEMPLATE="plain",
        LAYERS="attr",
        FORMAT="pdf",
        FORMAT_OPTIONS="WRITE_GEO_PDF:true;EXPORT_THEMES:closed",
    ),
    get_print("a permitted text", near="X1", TEMPLATE="heading", LAYERS="pub", HEADING="My plan"),
    get_print("an html frame", TEMPLATE="plain", LAYERS="pub", HTML="[% @CNsecret %]"),
    get_print("no html frame", near="X2", TEMPLATE="plain", LAYERS="pub", HTML="text"),
    ows("without a layout", "WMS", "GetPrint", FORMAT="png"),
]
_TEMPLATES = {
    "environment": "[% env('CN_ENV_SECRET') %]",
    "variable": "[% @CNsecret %]",
    "rules": "[% @access_rules %]",
    "source": "[% layer_property('forb_layer_id', 'title') %]",
    "aggregate": "[% aggregate('forb_layer_id', 'concatenate', \"label\") %]",
    "secret": "[% aggregate('attr_layer_id', 'concatenate', \"secret\") %]",
    "rows": "[% aggregate('feat_layer_id', 'concatenate', \"name\") %]",
    "row": "[% attribute(get_feature('forb_layer_id', 'code', 1), 'label') %]",
    "encoded": "%5B% aggregate('forb_layer_id', 'concatenate', \"label\") %%5D",
    "spaced": "[%\n aggregate('forb_layer_id', 'concatenate', \"label\")\n%]",
    "comment": "[% /* x */ aggregate('forb_layer_id', 'concatenate', \"label\") %]",
}
REQUESTS += [
    get_print(
        f"template {name}",
        facts="" if name in ("encoded", "rules") else "X1",
        DPI=60,
        TEMPLATE="heading",
        LAYERS="pub",
        HEADING=text,
    )
    for name, text in _TEMPLATES.items()
]
REQUESTS += [
    get_print(
        "a template in lower case",
        facts="X1",
        DPI=60,
        TEMPLATE="heading",
        LAYERS="pub",
        heading=_TEMPLATES["aggregate"],
    ),
    get_print(
        "a template in a highlight",
        TEMPLATE="plain",
        LAYERS="pub",
        map0__HIGHLIGHT_GEOM="POINT(5 5)",
        map0__HIGHLIGHT_LABELSTRING=_TEMPLATES["aggregate"],
    ),
]
