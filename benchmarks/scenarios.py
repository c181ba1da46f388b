"""What is measured: each request with the bound of issue 7 and what its answer must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .policies import NOBODY, VIEWER

BOX = "BBOX=0,0,1000,1000&WIDTH=400&HEIGHT=400&CRS=EPSG:3857&VERSION=1.3.0"
ONE = "layer_0000"
IMAGE = {"type": "image/png", "contains": "IDAT"}
SECRET = "secret"
EVERY_MODE = ("bare", "plugin", "log", "naive", "floor")
NEITHER = ("bare", "plugin", "floor")
"""Neither with the log nor the naive filter."""


@dataclass(frozen=True)
class Request:
    """One request: where it goes, what it costs at most, and what must (not) be in its answer."""

    name: str
    query: str
    bound: Optional[float]
    expect: dict[str, Any]
    path: str = "/"
    open_bound: float = 1.02
    lacks: str = ""
    """What a caller with rules must not find; the bare server's answer must have it."""
    differs: bool = True
    """Whether the rules change the answer at all."""


@dataclass(frozen=True)
class Scenario:
    """A request to a project by a caller, for servers of some modes."""

    name: str
    request: Request
    project: str
    cgi: dict[str, str]
    bound: Optional[float]
    restricted: bool
    first: bool = False
    modes: Sequence[str] = EVERY_MODE
    bare_project: str = ""
    """Another project for the bare server, which has natively what the rules say."""
    bare_query: str = ""
    same_answer: bool = field(default=False)
    """Whether the bare server's answer has the same length: nothing closed, or closed natively."""
    longest: int = 120
    database: int = 0
    """The port of a database whose work for the server counts as the server's."""


def _names(layers: int) -> str:
    return ",".join(f"layer_{number:04d}" for number in range(layers))


def get_map(layers: str) -> str:
    """Return a GetMap."""
    return f"SERVICE=WMS&REQUEST=GetMap&LAYERS={layers}&STYLES=&FORMAT=image/png&{BOX}"


def get_info(layer: str, features: int) -> str:
    """Return a GetFeatureInfo that finds that many features, not far from the place asked for."""
    tolerance = {1: 15, 10: 30, 100: 100, 1000: 290}[features]
    return (
        f"SERVICE=WMS&REQUEST=GetFeatureInfo&LAYERS={layer}&QUERY_LAYERS={layer}&STYLES="
        f"&INFO_FORMAT=application/json&FEATURE_COUNT={features}&I=200&J=200&{BOX}"
        f"&FI_POINT_TOLERANCE={tolerance}"
    )


def get_features(layer: str, count: int) -> str:
    """Return a GetFeature of that many features."""
    return (
        f"SERVICE=WFS&REQUEST=GetFeature&VERSION=1.1.0&TYPENAME={layer}&OUTPUTFORMAT=GeoJSON"
        f"&MAXFEATURES={count}"
    )


def _capabilities(service: str, root: str, request: str = "GetCapabilities") -> tuple[str, Any]:
    return f"SERVICE={service}&REQUEST={request}", {"type": "text/xml", "contains": root}


FEATURES = {"counted": '"type":"Feature"'}
JSON = {"type": "application/json"}
#: The JSON of GetFeatureInfo has blanks; that of WFS has none in 3.22, and some in later releases.
INFO = {"type": "application/json", "counted": '"geometry"'}


def requests_of(size: int) -> list[Request]:
    """Return the requests that are asked of every project."""
    one, schema = ONE, "SERVICE=WFS&REQUEST=DescribeFeatureType&VERSION=1.1.0"
    legend = f"SERVICE=WMS&REQUEST=GetLegendGraphic&VERSION=1.3.0&LAYERS={one}&FORMAT=image/png"
    tile = (
        f"SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={one}&STYLE=&FORMAT=image/png"
        "&TILEMATRIXSET=EPSG:3857&TILEMATRIX=14&TILEROW=8191&TILECOL=8192"
    )
    xml = {"type": "text/xml", "contains": "complexType"}
    wms, wms_root = _capabilities("WMS", "<WMS_Capabilities")
    settings, settings_root = _capabilities("WMS", "<WMS_Capabilities", "GetProjectSettings")
    wfs, wfs_root = _capabilities("WFS", "WFS_Capabilities")
    wmts, wmts_root = _capabilities("WMTS", "<Capabilities")
    caps_bound = {10: 0.20, 100: 0.05, 1000: 0.02}[size]
    # Asked for from 100 layers on: of few layers QGIS makes a document in little more than the time
    # that it takes to ask a plugin anything.
    others_bound = None if size < 100 else 0.03
    items = {"type": "application/geo+json", "counted": '"geometry"', "count": 10}
    return [
        Request("GetMap, 1 layer", get_map(_names(1)), 1.03, IMAGE),
        Request("GetMap, 10 layers", get_map(_names(10)), 1.03, IMAGE),
        Request("GetFeatureInfo", get_info(one, 1), 1.03, {**INFO, "count": 1}, lacks=SECRET),
        Request("GetLegendGraphic", legend, 1.03, IMAGE, differs=False),
        Request(
            "GetFeature, 1 000 rows",
            get_features(one, 1000),
            1.03,
            {"counted": '"geometry"', "count": 1000},
            lacks=SECRET,
        ),
        Request("WMTS GetTile", tile, 1.03, IMAGE),
        Request("DescribeFeatureType, one", f"{schema}&TYPENAME={one}", 1.10, xml, lacks=SECRET),
        Request("DescribeFeatureType, all", schema, 1.05, xml, lacks=SECRET),
        Request(
            "OAPIF items",
            "limit=10",
            1.08,
            items,
            f"/wfs3/collections/{one}/items.json",
            1.06,
            lacks=SECRET,
        ),
        Request(
            "OAPIF collections",
            "",
            1.11,
            {**JSON, "contains": one},
            "/wfs3/collections.json",
            1.10,
            lacks='"hidden"',
        ),
        Request("WFS GetCapabilities, again", wfs, others_bound, wfs_root, lacks=">hidden<"),
        Request("WMTS GetCapabilities, again", wmts, others_bound, wmts_root, lacks=">hidden<"),
        Request("WMS GetCapabilities, again", wms, caps_bound, wms_root, lacks=">hidden<"),
        Request(
            "GetProjectSettings, again", settings, others_bound, settings_root, lacks=">hidden<"
        ),
    ]


def scenarios(size: int) -> list[Scenario]:
    """Return the scenarios of one project size, callers with rules first."""
    left_out = {"log"} if size == 1000 else set()  # it costs there what it costs elsewhere
    found = [
        Scenario(
            f"rules: {r.name}, {size} layers",
            r,
            "protected",
            VIEWER,
            r.bound,
            restricted=True,
            modes=[mode for mode in EVERY_MODE if mode not in left_out],
        )
        for r in requests_of(size)
    ]
    found += [
        Scenario(
            f"first {r.name.removesuffix(', again')} of a role, {size} layers",
            r,
            "protected",
            VIEWER,
            1.05,
            restricted=True,
            first=True,
            modes=NEITHER,
        )
        for r in requests_of(size)
        if r.name.startswith(("WMS GetCapabilities", "GetProjectSettings"))
    ]
    found += [
        Scenario(
            f"no rules: {r.name}, {size} layers",
            r,
            "open",
            NOBODY,
            r.open_bound,
            restricted=False,
            modes=[mode for mode in (*NEITHER, "log") if mode not in left_out],
            same_answer=True,
        )
        for r in requests_of(size)
    ]
    return found


def enriched() -> list[Scenario]:
    """Return the scenarios of GetFeatureInfo with labels, and the large answer with everything on."""
    found = []
    for count, bound in ((1, 1.10), (10, 1.06), (100, 1.05), (1000, 1.05)):
        request = Request(
            f"enriched GetFeatureInfo, {count:,} features".replace(",000", " 000"),
            get_info(ONE, count),
            bound,
            {**INFO, "count": count},
            lacks=SECRET,
        )
        found.append(Scenario(request.name, request, "enriched", VIEWER, bound, restricted=True))
    documents, root = _capabilities("WMS", "<WMS_Capabilities")
    first = Request("WMS GetCapabilities", documents, 1.05, root, lacks=">hidden<")
    found.append(
        Scenario(
            "first WMS GetCapabilities of a role, with a layer of 51 000 filtered rows",
            first,
            "enriched",
            VIEWER,
            1.05,
            restricted=True,
            first=True,
            modes=NEITHER,
        )
    )
    big = Request(
        "GetFeature, 50 000 rows, everything on",
        get_features("layer_big", 50_000),
        1.01,
        {"counted": '"geometry"', "count": 50_000},
        lacks=SECRET,
    )
    found.append(
        Scenario(
            big.name, big, "enriched", VIEWER, 1.01, restricted=True, modes=("bare", "log", "floor")
        )
    )
    return found


def megabyte(size: int) -> list[Scenario]:
    """Return the scenarios with a megabyte of rules."""
    return [
        Scenario(
            f"1 MB of rules: {r.name}, {size} layers",
            r,
            "megabyte",
            VIEWER,
            r.bound,
            restricted=True,
            modes=NEITHER,
        )
        for r in requests_of(size)
        if r.name != "OAPIF collections"
    ]


def control(size: int) -> list[Scenario]:
    """Return a bare server against another: what the measurement cannot tell apart."""
    return [
        Scenario(
            f"bare against bare: {r.name}, {size} layers",
            r,
            "open",
            NOBODY,
            None,
            restricted=False,
            modes=("bare", "control"),
            same_answer=True,
        )
        for r in requests_of(size)
    ]


def native(port: int) -> list[Scenario]:
    """Return rows of one's own on PostGIS, against the same filter given natively."""
    parcels = "parcels"
    by_wms = "&FILTER=parcels:%22owner%22%20%3D%20%27vera%27"
    by_wfs = "&EXP_FILTER=%22owner%22%20%3D%20%27vera%27"
    cases = [
        Request("GetMap", get_map(parcels), 1.03, IMAGE),
        Request("GetFeatureInfo", get_info(parcels, 10), 1.03, {**INFO, "count": 10}),
        Request(
            "GetFeature, 1 000 rows",
            get_features(parcels, 1000),
            1.03,
            {"counted": '"geometry"', "count": 1000, "lacks": "otto"},
        ),
    ]
    found = []
    for request in cases:
        parameter = by_wfs if "WFS" in request.query else by_wms
        for how, project, more in (
            ("the project's provider filter", "postgis_subset", ""),
            ("the request's filter", "postgis_open", parameter),
        ):
            found.append(
                Scenario(
                    f"PostGIS {request.name}, rows of one's own against {how}",
                    request,
                    "postgis_own",
                    VIEWER,
                    1.03,
                    restricted=True,
                    modes=("bare", "plugin"),
                    bare_project=project,
                    bare_query=request.query + more,
                    database=port,
                )
            )
    return found
