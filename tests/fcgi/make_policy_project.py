"""Writes the project of the policies into a folder, in a process of its own: FOLDER RULES."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from qgis.core import QgsApplication

from tests.support.projects import policy_project

QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
application = QgsApplication([], False)
application.initQgis()
policy_project(Path(sys.argv[1]), **json.loads(sys.argv[2]))
