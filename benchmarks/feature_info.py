"""What an enriched GetFeatureInfo costs: ratios to the same server without the plugin.

    python3 benchmarks/feature_info.py [--rounds 7] [--folder FOLDER]

One QGIS Server in a process of its own for each mode: without the plugin, with labels only
(``feature_info: on``), and with everything on (computed value, related records, link, map tip,
geometry). The modes take turns within each round; a cell is the ratio of the medians of CPU times,
which other work of the machine disturbs least. ``--value-relation`` adds a value relation to each
layer: QGIS itself reads the whole other table for every feature then, we read it once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAYERS = 10
ROWS = 1000
FEATURES = (1, 10, 100, 1000)
EVERYTHING = {
    "geometry": "wgs84",
    "computed": {"double": '"price" * 2'},
    "links": {"report": 'https://example.org/[% "name" %]'},
    "related": {"visits": {"limit": 5}},
    "units": {"price": "EUR"},
    "static": {"source": "benchmark"},
    "maptip": True,
}
SETTINGS: dict[str, Any] = {"bare": None, "labels": "on", "everything": EVERYTHING}


def main() -> None:
    """Build the data, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--value-relation", action="store_true")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(options.build, value_relation=options.value_relation)
    elif options.serve:
        serve(options.serve)
    elif options.folder:
        run(options.folder, options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    """Measure every combination and print its ratios."""
    command = [sys.executable, __file__, "--build", str(folder)]
    if options.value_relation:
        command.append("--value-relation")
    subprocess.run(command, check=True, env=environment(), stderr=subprocess.DEVNULL)
    workers = {mode: Worker(mode, folder) for mode in SETTINGS}
    print(f"{'layers':>6} {'features':>8} {'bare ms':>9} {'labels':>8} {'everything':>11}   bytes")
    try:
        for layers in (1, LAYERS):
            for features in FEATURES:
                print(row(workers, layers, features, options.rounds), flush=True)
    finally:
        for worker in workers.values():
            worker.stop()


def row(workers: dict[str, Worker], layers: int, features: int, rounds: int) -> str:
    """Return one line of the table."""
    times = 40 if layers * features <= 10 else 10 if layers * features <= 100 else 3
    taken: dict[str, list[float]] = {mode: [] for mode in workers}
    sizes = {mode: worker.ask(layers, features, 2)[1] for mode, worker in workers.items()}
    for number in range(rounds):
        modes = list(workers)
        for mode in modes[number % 3 :] + modes[: number % 3]:
            taken[mode].append(workers[mode].ask(layers, features, times)[0])
    middle = {mode: statistics.median(values) for mode, values in taken.items()}
    bare = middle["bare"]
    ratios = f"{middle['labels'] / bare:8.2f} {middle['everything'] / bare:11.2f}"
    return f"{layers:6} {features:8} {bare * 1000:9.2f} {ratios}   {sizes}"


class Worker:
    """One server in a process of its own."""

    def __init__(self, mode: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment(), "BENCHMARK_PROJECT": str(folder / f"{mode}.qgs")},
            text=True,
        )

    def ask(self, layers: int, features: int, times: int) -> tuple[float, int]:
        """Return the median time of some requests, and the size of their answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the worker has no pipes")
        stdin.write(json.dumps([layers, features, times]) + "\n")
        stdin.flush()
        while True:
            line = stdout.readline()
            if not line:
                raise RuntimeError(f"the worker ended with {self._process.wait()}")
            if line.startswith("["):
                seconds, size = json.loads(line)
                return seconds, size

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=30)


def environment() -> dict[str, str]:
    """Return the environment of a server."""
    settings = {"QT_QPA_PLATFORM": "offscreen", "ACCESS_FILTER_LOG": "off", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **settings}


def serve(mode: str) -> None:
    """Answer measurements on the standard input until it ends."""
    from qgis.core import QgsApplication
    from qgis.server import QgsBufferServerRequest, QgsBufferServerResponse, QgsServer

    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    server = QgsServer()
    kept: list[Any] = [application]
    if mode != "bare":
        from access_filter_plugin import serverClassFactory

        kept.append(serverClassFactory(server.serverInterface()))
    for line in sys.stdin:
        layers, features, times = json.loads(line)
        url = address(os.environ["BENCHMARK_PROJECT"], layers, features)
        taken, size = [], 0
        for _ in range(times):
            response = QgsBufferServerResponse()
            started = time.process_time()
            server.handleRequest(QgsBufferServerRequest(url), response)
            taken.append(time.process_time() - started)
            size = len(bytes(response.body()))
            check(response, layers * features, enriched=mode != "bare")
        print(json.dumps([statistics.median(taken), size]), flush=True)
    os._exit(0)  # QGIS's own teardown is not what is measured


def check(response: Any, expected: int, *, enriched: bool) -> None:
    """Stop when an answer is not what was to be measured."""
    found = json.loads(bytes(response.body()))["features"]
    told = sum("info" in feature for feature in found)
    if len(found) != expected or told != (expected if enriched else 0):
        raise SystemExit(f"{len(found)} features, {told} of them enriched, expected {expected}")


def address(project: str, layers: int, features: int) -> str:
    """Return the URL of a request that finds that many features in each of the layers."""
    names = ",".join(f"points{number}" for number in range(layers))
    return (
        f"http://localhost/?MAP={project}&SERVICE=WMS&VERSION=1.3.0&REQUEST=GetFeatureInfo"
        f"&LAYERS={names}&QUERY_LAYERS={names}&CRS=EPSG:3857&BBOX=0,0,1000,1000&WIDTH=400&HEIGHT=400"
        f"&I=200&J=200&INFO_FORMAT=application/json&FEATURE_COUNT={features}&FI_POINT_TOLERANCE=300"
    )


def build(folder: Path, *, value_relation: bool) -> None:
    """Write the layers and one project for each mode."""
    from qgis.core import QgsApplication

    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    write_tables(folder / "data.gpkg")
    for mode, settings in SETTINGS.items():
        write_project(folder, mode, settings, value_relation=value_relation)
    os._exit(0)


def write_tables(path: Path) -> None:
    """Write layers of eleven columns, a table of kinds, and visits to every point."""
    from osgeo import ogr, osr

    ogr.UseExceptions()
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(3857)
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    columns = {
        "name": ogr.OFTString,
        "zone": ogr.OFTInteger,
        "kind": ogr.OFTString,
        "price": ogr.OFTReal,
        "built": ogr.OFTDate,
        "remark": ogr.OFTString,
        "street": ogr.OFTString,
        "number": ogr.OFTInteger,
        "owner": ogr.OFTString,
        "height": ogr.OFTReal,
    }
    for number in range(LAYERS):
        layer = source.CreateLayer(f"points{number}", reference, ogr.wkbPoint)
        for name, kind in columns.items():
            layer.CreateField(ogr.FieldDefn(name, kind))
        source.StartTransaction()
        for row_number in range(1, ROWS + 1):
            layer.CreateFeature(point(layer, row_number))
        source.CommitTransaction()
    kinds = source.CreateLayer("kinds", None, ogr.wkbNone)
    visits = source.CreateLayer("visits", None, ogr.wkbNone)
    for table, fields in ((kinds, ("code", "label")), (visits, ("point", "day"))):
        for name in fields:
            kind = ogr.OFTInteger64 if name == "point" else ogr.OFTString
            table.CreateField(ogr.FieldDefn(name, kind))
    for code in range(20):
        add(kinds, code=f"k{code}", label=f"Kind number {code}")
    source.StartTransaction()
    for row_number in range(2 * ROWS):
        add(visits, point=row_number // 2 + 1, day=f"day {row_number}")
    source.CommitTransaction()


def point(layer: Any, number: int) -> Any:
    """Return one row."""
    from osgeo import ogr

    feature = ogr.Feature(layer.GetLayerDefn())
    values = {
        "name": f"Point {number}",
        "zone": number % 5,
        "kind": f"k{number % 20}",
        "price": number * 1.5,
        "built": f"20{number % 24:02}/05/06",
        "remark": f"A remark of some length about point {number}",
        "street": f"Street {number % 40}",
        "number": number % 100,
        "owner": f"Owner {number % 300}",
        "height": number / 7,
    }
    for name, value in values.items():
        feature.SetField(name, value)
    feature.SetGeometry(
        ogr.CreateGeometryFromWkt(f"POINT({450 + number % 100} {450 + number // 10})")
    )
    return feature


def add(table: Any, **values: Any) -> None:
    """Add a row without geometry."""
    from osgeo import ogr

    feature = ogr.Feature(table.GetLayerDefn())
    for name, value in values.items():
        feature.SetField(name, value)
    table.CreateFeature(feature)


def write_project(folder: Path, mode: str, settings: Any, *, value_relation: bool) -> None:
    """Write the project of one mode: a value map, a value relation, a date, a relation."""
    from qgis.core import (
        QgsEditorWidgetSetup,
        QgsProject,
        QgsRelation,
        QgsRelationContext,
        QgsVectorLayer,
    )

    project = QgsProject()
    names = [*(f"points{number}" for number in range(LAYERS)), "kinds", "visits"]
    layers = {
        name: QgsVectorLayer(f"{folder}/data.gpkg|layername={name}", name, "ogr") for name in names
    }
    for layer in layers.values():
        project.addMapLayer(layer)
    for name in names[:LAYERS]:
        layer = layers[name]
        widgets: list[tuple[str, str, dict[str, Any]]] = [
            ("zone", "ValueMap", {"map": [{f"Zone {code}": str(code)} for code in range(5)]}),
            ("built", "DateTime", {"display_format": "d MMM yyyy"}),
            ("price", "Range", {"Precision": 2}),
        ]
        if value_relation:
            config = {"Layer": layers["kinds"].id(), "Key": "code", "Value": "label"}
            widgets.append(("kind", "ValueRelation", config))
        for field, kind, config in widgets:
            setup = QgsEditorWidgetSetup(kind, config)
            layer.setEditorWidgetSetup(layer.fields().indexOf(field), setup)
        layer.setDisplayExpression('"name"')
        layer.setMapTipTemplate('<b>[% "name" %]</b>')
        relation = QgsRelation(QgsRelationContext(project))
        relation.setId(f"visits_of_{name}")
        relation.setName(f"visits_of_{name}")
        relation.setReferencedLayer(layer.id())
        relation.setReferencingLayer(layers["visits"].id())
        relation.addFieldPair("point", "fid")
        project.relationManager().addRelation(relation)
    if settings is not None:
        text = settings if isinstance(settings, str) else json.dumps(settings)
        project.setCustomVariables({"feature_info": text})
    if not project.write(str(folder / f"{mode}.qgs")):
        raise SystemExit(f"{mode}.qgs was not written: {project.error()}")


if __name__ == "__main__":
    main()
