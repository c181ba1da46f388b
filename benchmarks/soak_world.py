"""The soak run's project, its two projects and two rules files, and what each caller may see.

What a caller may see is written down here once more, by hand: the plugin is not asked what is right.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CALLERS: dict[str, Mapping[str, str]] = {
    "nobody": {},
    "vera": {"X-Test-User": "vera", "X-Test-Roles": "viewer"},
    "carl": {"X-Test-User": "carl", "X-Test-Roles": "clerk"},
}
#: number → (owner, public, zone)
PARCELS = {n: (("vera", "carl", "otto")[n % 3], n % 2, f"CNzone{n % 4}") for n in range(1, 41)}
SALARIES = range(1, 6)
RULES: dict[str, list[dict[str, Any]]] = {
    "one": [
        {"id": "public", "layers": "parcels", "filter": "public = 1", "attributes": ["*", "!note"]},
        {"id": "own", "roles": "viewer", "layers": "parcels", "filter": "owner = @access_user"},
        {"id": "all", "roles": "clerk", "layers": "parcels"},
        {"id": "pay", "roles": "clerk", "layers": "salaries"},
    ],
    "two": [
        {"id": "every", "roles": "viewer", "layers": "parcels", "attributes": ["*", "!note"]},
        {"id": "mine", "roles": "clerk", "layers": "parcels", "filter": "owner = 'carl'"},
        {"id": "pay", "roles": "viewer", "layers": "salaries"},
    ],
}
PROJECTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strict": {
        "access_rule_zone": {
            "id": "zone", "effect": "deny", "roles": "clerk", "layers": "parcels",
            "filter": "zone = 'CNzone2'",
        }
    },
}  # fmt: skip
CANARY = re.compile(rb"CN[a-z]+\d*")
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\dZ+:]*")


@dataclass(frozen=True)
class State:
    """What lies on the disk: one of the projects and one of the rules files."""

    project: str
    rules: str


STATES = tuple(State(project, rules) for project in PROJECTS for rules in RULES)


def _rows(state: State, caller: str) -> tuple[set[int], bool]:
    """Return the parcels a caller may see, and whether with their notes."""
    rows: set[int] = set()
    notes = False
    if state.rules == "one":
        rows = {n for n, (_, public, _) in PARCELS.items() if public}
        if caller == "vera":
            rows |= {n for n, (owner, _, _) in PARCELS.items() if owner == "vera"}
        if caller == "carl":
            rows, notes = set(PARCELS), True
    elif caller == "vera":
        rows = set(PARCELS)
    elif caller == "carl":
        rows, notes = {n for n, (owner, _, _) in PARCELS.items() if owner == "carl"}, True
    if state.project == "strict" and caller == "carl":
        rows -= {n for n, (_, _, zone) in PARCELS.items() if zone == "CNzone2"}
    return rows, notes


def sees_salaries(state: State, caller: str) -> bool:
    """Return whether a caller may see the salaries."""
    return caller == {"one": "carl", "two": "vera"}[state.rules]


def allowed(state: State, caller: str) -> set[bytes]:
    """Return the canaries that may stand in an answer to a caller."""
    rows, notes = _rows(state, caller)
    found = {f"CNname{n}".encode() for n in rows}
    found |= {PARCELS[n][2].encode() for n in rows}
    if notes:
        found |= {f"CNnote{n}".encode() for n in rows}
    if sees_salaries(state, caller):
        found |= {f"CNpay{n}".encode() for n in SALARIES}
    return found


def expected_features(state: State, caller: str) -> int:
    """Return how many parcels a caller finds."""
    return len(_rows(state, caller)[0])


def targets(project: Path) -> dict[str, str]:
    """Return the requests of the run by a name."""
    place = f"MAP={quote(str(project), safe='/')}"
    box = "BBOX=0,0,10,10&WIDTH=120&HEIGHT=120&CRS=EPSG:3857&VERSION=1.3.0&STYLES="
    png = "FORMAT=image/png"
    wms = {
        "capabilities": "REQUEST=GetCapabilities",
        "settings": "REQUEST=GetProjectSettings",
        "map": f"REQUEST=GetMap&LAYERS=parcels&{png}&{box}",
        "map of salaries": f"REQUEST=GetMap&LAYERS=salaries&{png}&{box}",
        "legend": f"REQUEST=GetLegendGraphic&VERSION=1.3.0&LAYER=parcels&{png}",
        "info": "REQUEST=GetFeatureInfo&LAYERS=parcels&QUERY_LAYERS=parcels&FEATURE_COUNT=50&I=60"
        f"&J=60&FI_POINT_TOLERANCE=100&INFO_FORMAT=application/json&{box}",
    }
    wfs = {
        "wfs capabilities": "REQUEST=GetCapabilities",
        "schema": "VERSION=1.1.0&REQUEST=DescribeFeatureType",
        "features": "VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=parcels&OUTPUTFORMAT=GeoJSON",
        "salaries": "VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=salaries&OUTPUTFORMAT=GeoJSON",
    }
    wmts = {
        "wmts capabilities": "REQUEST=GetCapabilities",
        "tile": "VERSION=1.0.0&REQUEST=GetTile&LAYER=parcels&STYLE=&TILEMATRIXSET=EPSG:3857"
        f"&TILEMATRIX=16&TILEROW=32767&TILECOL=32768&{png}",
    }
    found = {name: f"/?{place}&SERVICE=WMS&{query}" for name, query in wms.items()}
    found |= {name: f"/?{place}&SERVICE=WFS&{query}" for name, query in wfs.items()}
    found |= {name: f"/?{place}&SERVICE=WMTS&{query}" for name, query in wmts.items()}
    found["permissions"] = f"/?{place}&SERVICE=ACCESS&REQUEST=GetPermissions"
    found["collections"] = f"/wfs3/collections.json?{place}"
    found["items"] = f"/wfs3/collections/parcels/items.json?{place}&limit=100"
    found["items of salaries"] = f"/wfs3/collections/salaries/items.json?{place}"
    return found


def told(status: int, head: bytes, body: bytes, port: int) -> tuple[int, bytes, bytes]:
    """Return an answer without the moment and the port, which differ between equal answers."""
    kind = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-type:")), b""
    )
    return status, kind, _TIMES.sub(b"", body).replace(f":{port}".encode(), b"")


def put(folder: Path, state: State) -> None:
    """Put a state on the disk, each file in one step."""
    put_project(folder, state.project)
    put_rules(folder, state.rules)


def put_project(folder: Path, name: str) -> None:
    """Replace the project that is served."""
    _replace(folder / "town.qgs", (folder / "variants" / f"{name}.qgs").read_bytes())


def put_rules(folder: Path, name: str) -> None:
    """Replace the rules file beside it."""
    _replace(folder / "rules.json", json.dumps(RULES[name]).encode())


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    os.replace(beside, path)


def make(folder: Path) -> None:
    """Write the data and both projects, in a process of its own."""
    (folder / "variants").mkdir()
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, __file__, str(folder)]
    subprocess.run(command, check=True, env=environment, capture_output=True)


def main() -> None:
    """Write the data and both projects: FOLDER."""
    from osgeo import ogr
    from qgis.core import QgsApplication

    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    from tests.support.projects import write_geopackage

    folder = Path(sys.argv[1])
    columns = {
        "name": ogr.OFTString, "note": ogr.OFTString, "owner": ogr.OFTString,
        "public": ogr.OFTInteger, "zone": ogr.OFTString,
    }  # fmt: skip
    rows = [
        (n, n * 7 % 10 + 0.3, n * 3 % 10 + 0.1 * (n % 5), (f"CNname{n}", f"CNnote{n}", *values))
        for n, values in PARCELS.items()
    ]
    pay = [(n, float(n), float(n), (f"CNpay{n}",)) for n in SALARIES]
    tables = {
        "parcels": (ogr.wkbPoint, columns, rows),
        "salaries": (ogr.wkbPoint, {"amount": ogr.OFTString}, pay),
    }
    write_geopackage(folder / "data.gpkg", tables)
    for name, variables in PROJECTS.items():
        _write_project(folder, name, variables)
    os._exit(0)


def _write_project(folder: Path, name: str, variables: dict[str, Any]) -> None:
    from qgis.core import QgsCoordinateReferenceSystem, QgsMarkerSymbol, QgsProject

    from tests.support.projects import publish, save, vector_layer

    project = QgsProject()
    project.setTitle(f"Town, {name}")
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    for table in ("parcels", "salaries"):
        layer = vector_layer(folder, table)
        # EPSG:4326 in the file; here plain numbers near the origin of the map.
        layer.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
        layer.renderer().setSymbol(QgsMarkerSymbol.createSimple({"color": "red", "size": "3"}))
        project.addMapLayer(layer)
    publish(project)
    # Written where it will be served from, for its relative paths; then put aside.
    path = save(project, folder / "town.qgs", {"access_rules": "file:rules.json", **variables})
    path.rename(folder / "variants" / f"{name}.qgs")


if __name__ == "__main__":
    main()
