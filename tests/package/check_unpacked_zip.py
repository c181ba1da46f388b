"""Unpacks a zip and asks the server about it, with the standard library alone.

For script/bare-machine: there is no pytest where nothing but QGIS Server is installed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.package.cgi import Answer, ask

STAFF = {"REMOTE_USER": "anna", "REMOTE_ROLES": "staff"}


def wfs(project: Path, layer: str) -> dict[str, str]:
    return {
        "MAP": str(project),
        "SERVICE": "WFS",
        "VERSION": "1.1.0",
        "REQUEST": "GetFeature",
        "TYPENAME": layer,
    }


def outcomes(scratch: Path, archive: str) -> list[tuple[str, bool, Answer]]:
    """Each question with whether its answer is the right one."""
    plugins, project = scratch / "plugins", scratch / "town.qgs"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(plugins)
    maker = Path(__file__).with_name("make_project.py")
    subprocess.run(["/usr/bin/python3", maker, project], check=True)
    health = ask(plugins, scratch, {}, SERVICE="ACCESS", REQUEST="Health")
    parks = ask(plugins, scratch, {}, **wfs(project, "parks"))
    closed = ask(plugins, scratch, {}, **wfs(project, "depots"))
    opened_to_staff = ask(plugins, scratch, STAFF, **wfs(project, "depots"))
    return [
        ("health is good", health.status == 200, health),
        ("a visitor gets parks", "PARKS IN THE NORTH" in parks.body, parks),
        ("a visitor is denied depots", closed.status != 200, closed),
        ("nothing of depots is said", "DEPOTS IN THE NORTH" not in closed.body, closed),
        ("staff gets depots", "DEPOTS IN THE NORTH" in opened_to_staff.body, opened_to_staff),
    ]


def main() -> int:
    """Prints one line per question and the answers that were wrong."""
    with tempfile.TemporaryDirectory() as scratch:
        results = outcomes(Path(scratch), sys.argv[1])
    for name, good, answer in results:
        print(f"{'ok  ' if good else 'FAIL'} {name}")
        if not good:
            print(answer)
    failed = sum(not good for _, good, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
