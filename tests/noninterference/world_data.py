"""The data of the two variants: equal where it is visible, different where it is hidden.

``CN`` and the letter of the variant mark every hidden value; places, counts and numbers of hidden
rows differ as well, so that extents, counts, statistics and pictures would tell.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr, osr

gdal.UseExceptions()
ogr.UseExceptions()

Row = tuple[int, float, float, tuple[Any, ...]]
TEXT, WHOLE = ogr.OFTString, ogr.OFTInteger
INDEXED = ("feat", "own", "forb")
"""Tables with a spatial index; each has seven triggers, which SQLite reads at every opening."""
PLANTED = "[% aggregate('forb_layer_id', 'concatenate', \"label\") %]"


def write_data(folder: Path, variant: str) -> None:
    """Write the GeoPackage, the layer without a key and the rasters of one variant."""
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(folder / "data.gpkg"))
    for name, (fields, rows) in _tables(variant).items():
        _write_table(source, name, fields, rows)
    source = None
    _write_geojson(folder / "nokey.geojson", variant)
    _write_raster(folder / "rpub.tif", 50)
    _write_raster(
        folder / "rforb.tif", 100 if variant == "A" else 230, 10 if variant == "A" else 12
    )


def _tables(v: str) -> dict[str, tuple[dict[str, int], list[Row]]]:
    plain: list[Row] = [
        (1, 1.0, 1.0, ("pone", 1)),
        (2, 3.0, 3.0, ("ptwo", 2)),
        (3, 5.0, 5.0, ("pthree", 3)),
    ]
    named = {"name": TEXT, "code": WHOLE}
    return {
        "pub": (named, plain),
        "pub_two": (named, plain),
        "related": (named, plain),
        "looked": (named, plain),
        "stored": ({"name": TEXT}, [(1, 1.0, 5.0, (PLANTED,))]),
        "poly": ({"name": TEXT}, [(1, 5.5, 1.0, ("poly",))]),
        **_row_tables(v),
        **_column_tables(v),
        **_closed_tables(v),
    }


def _row_tables(v: str) -> dict[str, tuple[dict[str, int], list[Row]]]:
    """Return the tables of which some rows are hidden."""
    far = 8.25 if v == "A" else 9.5
    number = 7 if v == "A" else 8
    rows: list[Row] = [(1, 2.0, 2.0, ("fone", 1, 10)), (2, 4.0, 4.0, ("ftwo", 1, 20))]
    rows += [(11, far, far, (f"CN{v}row", 0, 1000 + number))]
    rows += [(12, 2.5, 2.5, ("CNBextra", 0, 99))] if v == "B" else []
    times: list[Row] = [(1, 2.0, 3.0, ("tone", 1, "2020-01-01"))]
    times += [(11, far, 3.0, (f"CN{v}time", 0, f"202{number}-05-05"))]
    own: list[Row] = [(1, 1.0, 4.0, ("bob's", "bob")), (2, 2.0, 4.0, ("bob's too", "bob"))]
    own += [(11, far, 4.0, (f"CN{v}own", "carol"))]
    labels: list[Row] = [(1, 0.5, 0.5, (1, "shown one", 1, f"CN{v}note"))]
    labels += [(2, 0.5, 0.6, (2, "shown two", 1, f"CN{v}note2"))]
    labels += [(11, far, 0.5, (3, f"CN{v}lookup", 0, f"CN{v}note3"))]
    edits: list[Row] = [(i, i / 2, 7.0, (f"e{i}", 1, f"CN{v}sec{i}")) for i in range(1, 9)]
    edits += [(21, far, 7.5, (f"CN{v}edit", 0, f"CN{v}sec"))]
    return {
        "feat": ({"name": TEXT, "vis": WHOLE, "num": WHOLE}, rows),
        "dated": ({"name": TEXT, "vis": WHOLE, "day": ogr.OFTDate}, times),
        "own": ({"name": TEXT, "owner": TEXT}, own),
        "labels": ({"code": WHOLE, "label": TEXT, "vis": WHOLE, "note": TEXT}, labels),
        "edit": ({"name": TEXT, "vis": WHOLE, "secret": TEXT}, edits),
    }


def _column_tables(v: str) -> dict[str, tuple[dict[str, int], list[Row]]]:
    """Return the tables of which some columns are hidden; one hidden column differs by its name."""
    columns = {"name": TEXT, "secret": TEXT, "num": WHOLE, "code": WHOLE, f"CN{v}column": TEXT}
    second = "CNAtwo" if v == "A" else "CNBother"
    rows: list[Row] = [
        (1, 1.5, 1.5, ("aone", f"CN{v}one", 5, 1, f"CN{v}a")),
        (2, 3.5, 3.5, ("atwo", second, 6, 2, f"CN{v}b")),
    ]
    return {"attr": (columns, rows), "attrdd": (columns, rows)}


def _closed_tables(v: str) -> dict[str, tuple[dict[str, int], list[Row]]]:
    """Return the tables that are hidden as a whole."""
    far = 8.25 if v == "A" else 9.5
    rows: list[Row] = [(1, 6.0, far, (1, f"CN{v}label1")), (2, 6.5, far, (2, f"CN{v}label2"))]
    rows += [(3, 7.0, 2.0, (3, "CNBlabel3"))] if v == "B" else []
    return {"forb": ({"code": WHOLE, "label": TEXT}, rows)}


def reference() -> Any:
    """Return EPSG:4326."""
    system = osr.SpatialReference()
    system.ImportFromEPSG(4326)
    return system


def _write_table(source: Any, name: str, fields: dict[str, int], rows: list[Row]) -> None:
    options = [] if name in INDEXED else ["SPATIAL_INDEX=NO"]
    layer = source.CreateLayer(name, reference(), ogr.wkbPoint, options)
    for field, kind in fields.items():
        layer.CreateField(ogr.FieldDefn(field, kind))
    for fid, x, y, values in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetFID(fid)
        for field, value in zip(fields, values):
            feature.SetField(field, value)
        point = ogr.Geometry(ogr.wkbPoint)
        point.AddPoint_2D(x, y)
        feature.SetGeometry(point)
        layer.CreateFeature(feature)


def _write_geojson(path: Path, v: str) -> None:
    def feature(fid: int, x: float, name: str, vis: int) -> dict[str, Any]:
        geometry = {"type": "Point", "coordinates": [x, 6.0]}
        return {"type": "Feature", "id": fid, "geometry": geometry,
                "properties": {"name": name, "vis": vis}}  # fmt: skip

    features = [feature(0, 1.0, "none", 1), feature(1, 9.0 if v == "A" else 8.0, f"CN{v}nokey", 0)]
    features.append(feature(2, 2.0, "ntwo", 1))
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _write_raster(path: Path, value: int, size: int = 10) -> None:
    raster = gdal.GetDriverByName("GTiff").Create(str(path), size, size, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((0, 1, 0, 10, 0, -1))
    raster.SetProjection(reference().ExportToWkt())
    row = bytes((value + 5 * column) % 256 for column in range(size))
    raster.GetRasterBand(1).WriteRaster(0, 0, size, size, row * size)
    raster = None


def rows_of(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of a variant's vector data, to see what an edit has changed.

    A row is its id, its values and its geometry; a GeoPackage is read as the SQLite file it is.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    with closing(sqlite3.connect(f"file:{folder / 'data.gpkg'}?mode=ro", uri=True)) as source:
        for (table,) in source.execute("SELECT table_name FROM gpkg_contents").fetchall():
            rows = source.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()
            found[table] = [(row[0], *row[2:], row[1]) for row in rows]
    features = json.loads((folder / "nokey.geojson").read_text())["features"]
    found["nokey"] = [
        (feature.get("id"), *feature["properties"].values(), json.dumps(feature["geometry"]))
        for feature in features
    ]
    return found
