"""Projects on a PostGIS of our own: rows by a rule, by the provider's filter, and without either."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.clocks import stay  # noqa: E402 (the path is set above)
from benchmarks.policies import POLICY_OWN  # noqa: E402
from benchmarks.processes import environment  # noqa: E402
from tests.postgis.cluster import Cluster, running_cluster  # noqa: E402

ROWS = 50_000
TABLE = f"""
CREATE TABLE parcels (
  id serial PRIMARY KEY, owner text, secret int, kind int, value int, name text, street text,
  remark text, price float8, geom geometry(Point, 3857));
INSERT INTO parcels (owner, secret, kind, value, name, street, remark, price, geom)
SELECT (ARRAY['vera', 'otto', 'paul', 'rita', 'gast'])[1 + n % 5], n % 7, n % 5, n, 'Point ' || n,
       'Street ' || n % 40, 'A remark of some length about point ' || n, n * 1.5,
       ST_SetSRID(ST_MakePoint(n * 37 % 1000 + 0.5, n * 91 % 997 + 0.5), 3857)
FROM generate_series(1, {ROWS}) AS n;
CREATE INDEX ON parcels USING gist (geom);
CREATE INDEX ON parcels (owner);
ANALYZE parcels;
"""


@contextmanager
def postgis_projects(folder: Path) -> Iterator[tuple[dict[str, Path], int]]:
    """Start a cluster, and write the projects over it; both are gone afterwards.

    Its backends run where the servers run, and their processor time is counted (see clocks.py).
    """
    with running_cluster() as cluster:
        stay(
            int((cluster.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0])
        )
        cluster.sql(TABLE)
        command = [sys.executable, __file__, str(folder), str(cluster.port)]
        subprocess.run(command, check=True, env=environment(), capture_output=True)
        names = ("postgis_own", "postgis_subset", "postgis_open")
        yield {name: folder / f"{name}.qgs" for name in names}, cluster.port


def main() -> None:
    """Write the projects into a folder: FOLDER PORT."""
    from qgis.core import (
        QgsApplication,
        QgsCoordinateReferenceSystem,
        QgsProject,
        QgsVectorLayer,
    )

    from benchmarks.projects import add, save

    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    source = Cluster(Path(), folder, port).source("parcels").replace("srid=4326", "srid=3857")
    for name, subset, variables in (
        ("postgis_own", "", {"access_rules": POLICY_OWN}),
        ("postgis_subset", "\"owner\" = 'vera'", {}),
        ("postgis_open", "", {}),
    ):
        project = QgsProject()
        project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
        layer = QgsVectorLayer(source, "parcels", "postgres")
        if subset and not layer.setSubsetString(subset):
            raise ValueError(subset)
        add(project, layer)
        save(project, folder / f"{name}.qgs", variables)
    os._exit(0)


if __name__ == "__main__":
    main()
