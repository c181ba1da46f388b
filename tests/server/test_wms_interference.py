"""Two projects that differ only in what is closed give the same answers, by WMS and WMTS."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsMarkerSymbol,
    QgsProject,
    QgsRendererCategory,
    QgsVectorLayer,
)

from tests.server.test_guards import TILE
from tests.server.test_wms_admission import LEGEND, MAP, PRINT, RULES, get, pixels
from tests.server.test_wms_redaction import FORMATS, INFO
from tests.support.projects import TABLES
from tests.support.server import Client, Server
from tests.support.wms_projects import wms_project

GROUPS = {"LAYERS": "mixed", "QUERY_LAYERS": "mixed"}
WIDE = {"FI_POINT_TOLERANCE": 200, "FEATURE_COUNT": 50, "I": 30, "J": 70}
CONTENT = {"BBOX": "0,0,5,5", "CRS": "EPSG:4326", "WIDTH": 9, "HEIGHT": 9}
OGC = (
    "<Filter><PropertyIsEqualTo><PropertyName>{}</PropertyName><Literal>{}</Literal>"
    "</PropertyIsEqualTo></Filter>"
)
REQUESTS: dict[str, dict[str, Any]] = {
    "capabilities 1.1.1": {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.1.1"},
    "capabilities": {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.3.0"},
    "settings": {"SERVICE": "WMS", "REQUEST": "GetProjectSettings", "VERSION": "1.3.0"},
    "context": {"SERVICE": "WMS", "REQUEST": "GetContext"},
    "tiles": {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"},
    "styles": {"SERVICE": "WMS", "REQUEST": "GetStyles", "LAYERS": "parcels"},
    "describe": {"SERVICE": "WMS", "REQUEST": "DescribeLayer", "LAYERS": "parcels"},
    "map": MAP,
    "map of a group": {**MAP, "LAYERS": "mixed"},
    "map of everything": {**MAP, "LAYERS": "Town"},
    "map of a closed layer": {**MAP, "LAYERS": "salaries"},
    "map with a selection": {**MAP, "SELECTION": "parcels:1,2,3,4"},
    "map with a filter": {**MAP, "FILTER": 'parcels:"zone" = 1'},
    "map with an open filter": {**MAP, "FILTER": 'parcels:"zone" = 1 ) OR ( 1 = 1'},
    "map with an OGC filter": {**MAP, "FILTER": OGC.format("zone", 1)},
    "map with a closed OGC filter": {**MAP, "FILTER": OGC.format("owner_name", "Alice A.")},
    "map in a closed style": {**MAP, "STYLES": "owners"},
    "pdf": {**MAP, "FORMAT": "application/pdf"},
    "dxf": {**MAP, "FORMAT": "application/dxf", "FORMAT_OPTIONS": "LAYERATTRIBUTES:owner_name"},
    "legend": LEGEND,
    "legend with counts": {**LEGEND, "SHOWFEATURECOUNT": "TRUE"},
    "legend of a group": {**LEGEND, "LAYER": "mixed", "ADDLAYERGROUPS": "TRUE"},
    "legend as JSON": {**LEGEND, "FORMAT": "application/json", "SHOWRULEDETAILS": "TRUE"},
    "legend by content": {**LEGEND, **CONTENT},
    "print": PRINT,
    "print of a group": {**PRINT, "map0:LAYERS": "mixed"},
    "print of everything": {**PRINT, "map0:LAYERS": "Town"},
    "print without layers": {**PRINT, "map0:LAYERS": None},
    "print of a theme": {**PRINT, "TEMPLATE": "themed", "map0:LAYERS": None},
    "print of a closed layer": {**PRINT, "TEMPLATE": "locked"},
    "tile": TILE,
    "tile of a group": {**TILE, "LAYER": "mixed"},
    "tile of everything": {**TILE, "LAYER": "Town"},
    "smuggling tile": {**TILE, "FORMAT": "image/png&LAYERS=salaries"},
    "tile info": {
        **TILE,
        "REQUEST": "GetFeatureInfo",
        "INFOFORMAT": "text/xml",
        "I": 129,
        "J": 127,
    },
    **{f"info {kind}": {**INFO, "INFO_FORMAT": kind} for kind in FORMATS},
    **{f"wide info {kind}": {**INFO, **GROUPS, **WIDE, "INFO_FORMAT": kind} for kind in FORMATS},
}
#: Of these the answer says nothing of what is closed even on an unguarded server: the drawn style
#: has one symbol. (The others are there to be compared; 3.22 makes no PDF of a map.)
TELL_NOTHING = {"describe", "smuggling tile", "map with an open filter", "print of a theme"} | {
    "legend",
    "legend of a group",
    "legend as JSON",
    "legend by content",
    "pdf" if Qgis.versionInt() < 32400 else "describe",
}


def changed_tables() -> dict[str, Any]:
    """Return the tables with other closed rows, values and places."""
    tables = copy.deepcopy(TABLES)
    kind, fields, _rows = tables["salaries"]
    tables["salaries"] = (kind, fields, [(7, 3.3, 0.5, ("zoe", 9100))])
    kind, fields, rows = tables["parcels"]
    changed = []
    for fid, x, y, values in rows:
        name, status, _owner, _owner_name, public, zone = values
        hidden = (name, status, "zoe", "Zoe Z.", public, zone)
        if public:
            changed.append((fid, x, y, hidden))
    changed.append((9, 4.7, 0.3, ("nine", "secret", "zoe", "Zoe Z.", 0, 1)))
    tables["parcels"] = (kind, fields, changed)
    return tables


def change(project: QgsProject, layers: dict[str, QgsVectorLayer]) -> None:
    """Change what is closed in the project itself."""
    group = project.layerTreeRoot().findGroup("secrets")
    group.setCustomProperty("wmsTitle", "Another title")
    group.setCustomProperty("wmsAbstract", "Another abstract")
    group.setName("secrets of another kind")
    salaries = layers["salaries"]
    # 3.38 moved it there, and warns of the old place.
    moved = hasattr(salaries.serverProperties(), "setTitle")
    (salaries.serverProperties() if moved else salaries).setTitle("Another title")
    layers["parcels"].setMapTipTemplate('another tip [% "owner" %]')
    project.layoutManager().layoutByName("locked").setName("locked in another way")
    manager = layers["parcels"].styleManager()
    manager.setCurrentStyle("owners")
    category = QgsRendererCategory("Zoe Z.", QgsMarkerSymbol.createSimple({"size": "6"}), "Zoe")
    layers["parcels"].setRenderer(QgsCategorizedSymbolRenderer("owner_name", [category]))
    manager.setCurrentStyle("default")


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the two projects."""
    one = wms_project(tmp_path_factory.mktemp("variant-a"), access_rules=RULES)
    two = wms_project(
        tmp_path_factory.mktemp("variant-b"), change, changed_tables(), access_rules=RULES
    )
    return one, two


def seen(client: Client, request: dict[str, Any]) -> tuple[int, Any]:
    """Return status and body, without the path of the project and the order of XML attributes."""
    answer = get(client, request)
    body: Any = answer.body.replace(b"variant-b", b"variant-a")
    if answer.headers.get("Content-Type", "").startswith("text/xml"):
        body = [sorted(line) for line in body.splitlines()]
    if answer.body[:4] == b"\x89PNG":
        body = pixels(answer)
    return answer.status, body


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_closed_changes_no_answer(
    server: Server, projects: tuple[Path, Path], name: str
) -> None:
    one, two = (seen(server.client(project), REQUESTS[name]) for project in projects)
    assert one == two


@pytest.mark.parametrize("name", sorted(set(REQUESTS) - TELL_NOTHING))
def test_unguarded_the_same_requests_differ(
    server: Server, projects: tuple[Path, Path], name: str
) -> None:
    with server.unguarded():
        one, two = (seen(server.client(project), REQUESTS[name]) for project in projects)
    assert one != two
