"""The policies' project on the real server, and what a caller gets of it by each service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayoutItemMap,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)

from access_filter_plugin.access_control.rules_file import OperatorRules
from tests.support.projects import (
    TABLES,
    copied_project,
    publish,
    save,
    vector_layer,
    write_geopackage,
    write_raster,
)
from tests.support.server import Answer, Client, Server
from tests.unit.policies import CASES, LAYERS, ROWS, SUBJECTS, Case

#: layer → row id → where it lies (x and y are equal, so the order of axes does not matter).
PLACES = {
    name: {fid: x for fid, x, _y, _values in rows if x is not None}
    for name, (_kind, _fields, rows) in TABLES.items()
}
TINY = 0.05
Seen = Optional[dict[int, frozenset[str]]]
"""Row id → the attributes shown; None for a layer that is not there for the caller."""


def make_project(folder: Path, variables: Mapping[str, Any]) -> Path:
    """Write the project of the policies, with the styles and layouts that they speak of."""
    return copied_project(_make_project, folder, variables)


def _make_project(folder: Path, variables: Mapping[str, Any]) -> Path:
    write_geopackage(folder / "data.gpkg")
    write_raster(folder / "ortho.tif")
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    for table in TABLES:
        layer = vector_layer(folder, table)
        if table == "parcels":
            for style in ("owners", "public"):
                layer.styleManager().addStyleFromLayer(style)
        project.addMapLayer(layer)
    project.addMapLayer(QgsRasterLayer(str(folder / "ortho.tif"), "ortho"))
    for name in ("Official", "Draft"):
        _add_layout(project, name)
    publish(project)
    return save(project, folder / "project.qgs", variables)


def _add_layout(project: QgsProject, name: str) -> None:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(name)
    item = QgsLayoutItemMap(layout)
    item.setRect(20, 20, 50, 50)
    item.setExtent(QgsRectangle(0, 0, 10, 10))
    layout.addLayoutItem(item)
    project.layoutManager().addLayout(layout)


def client(server: Server, project: Path, who: str, login: str = "", **cgi: str) -> Client:
    """Return one of the five subjects as a client."""
    user, roles = SUBJECTS[who]
    return server.client(project, login or user, ",".join(sorted(roles)), **cgi)


@contextmanager
def operator_rules(server: Server, path: Optional[Path], *, lower: bool = False) -> Iterator[None]:
    """Let the plugin follow these operator's rules for a while."""
    feature = server.plugin.wall.target._access_control
    before = feature._operator
    feature._operator = OperatorRules(str(path) if path else None, lower_case_users=lower)
    try:
        yield
    finally:
        feature._operator = before


def by_wfs(caller: Client, layer: str) -> Seen:
    """Return what GetFeature shows."""
    answer = caller.get(
        SERVICE="WFS",
        VERSION="1.1.0",
        REQUEST="GetFeature",
        TYPENAME=layer,
        OUTPUTFORMAT="application/json",
    )
    return _features(answer)


def by_oapif(caller: Client, layer: str) -> Seen:
    """Return what the items of a collection show."""
    return _features(caller.api(f"/collections/{layer}/items.json", limit=100))


def by_wms(caller: Client, layer: str) -> Seen:
    """Return what GetFeatureInfo shows, asked at each row's place; None for a refused layer."""
    seen: dict[int, frozenset[str]] = {}
    for number, place in PLACES[layer].items():
        low, high = place - TINY, place + TINY
        answer = caller.get(
            SERVICE="WMS",
            VERSION="1.3.0",
            REQUEST="GetFeatureInfo",
            LAYERS=layer,
            QUERY_LAYERS=layer,
            STYLES="",
            CRS="EPSG:4326",
            BBOX=f"{low},{low},{high},{high}",
            WIDTH=11,
            HEIGHT=11,
            I=5,
            J=5,
            INFO_FORMAT="application/json",
        )
        if answer.status != 200:
            return None
        for feature in answer.json["features"]:
            seen[number] = frozenset(feature["properties"])
    return seen


def _features(answer: Answer) -> Seen:
    if answer.status != 200:
        return None
    return {
        int(str(feature["id"]).rsplit(".", 1)[-1]): frozenset(feature["properties"])
        for feature in answer.json["features"]
    }


def draws(caller: Client, layer: str) -> bool:
    """Return whether GetMap answers with a picture of a layer."""
    answer = caller.get(
        SERVICE="WMS",
        VERSION="1.3.0",
        REQUEST="GetMap",
        LAYERS=layer,
        STYLES="",
        CRS="EPSG:4326",
        BBOX="0,0,10,10",
        WIDTH=20,
        HEIGHT=20,
        FORMAT="image/png",
    )
    return answer.status == 200 and answer.body.startswith(b"\x89PNG")


READERS = {
    ("WFS", "GetFeature"): by_wfs,
    ("OAPIF", "Items"): by_oapif,
    ("WMS", "GetFeatureInfo"): by_wms,
}


class Observed:
    """What each subject gets of each case's project, which no test changes: asked once for all."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._rows: dict[tuple[str, str], dict[tuple[str, str], Seen]] = {}
        self._drawn: dict[tuple[str, str], dict[str, bool]] = {}
        self.projects = {c.number: make_project(folder / c.number, c.variables) for c in CASES}

    def caller(self, case: Case, who: str) -> Client:
        """Return a subject, under the name and from the address that the case gives."""
        login = case.users.get(who, "")
        project = self.projects[case.number]
        return client(self._server, project, who, login, REMOTE_ADDR=case.address)

    @contextmanager
    def operator(self, case: Case) -> Iterator[Optional[Path]]:
        """Let the plugin follow the case's operator for a while; yield the file of these rules."""
        path = None
        if case.operator is not None:
            path = self._folder / "operator.json"
            path.write_text(json.dumps(case.operator))
        with operator_rules(self._server, path, lower=case.lower_case):
            yield path

    def rows(self, case: Case, who: str) -> dict[tuple[str, str], Seen]:
        """Return by service and layer what a subject reads; a table without geometry is not drawn."""
        key = case.number, who
        if key not in self._rows:
            caller = self.caller(case, who)
            with self.operator(case):
                self._rows[key] = {
                    (service, layer): read(caller, layer)
                    for (service, _operation), read in READERS.items()
                    for layer in ROWS
                    if (service, layer) != ("WMS", "owners")
                }
        return self._rows[key]

    def drawn(self, case: Case, who: str) -> dict[str, bool]:
        """Return by layer whether a subject gets a picture of it."""
        key = case.number, who
        if key not in self._drawn:
            caller = self.caller(case, who)
            with self.operator(case):
                self._drawn[key] = {n: draws(caller, n) for n in LAYERS if n != "owners"}
        return self._drawn[key]
