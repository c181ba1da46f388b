"""The Python of docs/deployment.md writes variables that the plugin reads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from access_filter_plugin.command_line.project_file import read_project_file
from tests.support.projects import policy_project

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"


def test_what_pyqgis_writes_is_there_beside_what_was(tmp_path: Path) -> None:
    project = policy_project(tmp_path, other="kept")
    found = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    program = found[0].replace("/srv/projects/town.qgz", str(project))
    assert program != found[0]
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    variables = read_project_file(str(project)).variables
    assert variables == {"other": "kept", "access_rules": '[{"layers": "*"}]'}
