"""Builds the projects of one size, in a process of its own; arguments: FOLDER SIZE NAMES."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from qgis.core import QgsApplication  # noqa: E402 (the path is set above)

from benchmarks.policies import variables_of  # noqa: E402
from benchmarks.projects import build  # noqa: E402


def main() -> None:
    """Write what is missing."""
    QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
    application = QgsApplication([], False)
    application.initQgis()
    folder, size = Path(sys.argv[1]), int(sys.argv[2])
    for name in sys.argv[3:]:
        build(folder, size, name, variables_of(name, size))
    sys.stdout.flush()
    os._exit(0)  # a QGIS in process does not always end well


if __name__ == "__main__":
    main()
