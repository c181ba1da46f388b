"""Says what is wrong with a plugin's zip before the plugin repository does; see script/package."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path, PurePosixPath

FOLDER = "access_filter_plugin"
REQUIRED = ("__init__.py", "metadata.txt", "LICENSE", "README.md")
SHIPPED_SUFFIXES = (".py", ".md", ".txt")


def main() -> int:
    """Prints every problem; 0 when there is none."""
    with zipfile.ZipFile(sys.argv[1]) as archive:
        found = problems(archive, Path(sys.argv[2]))
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


def problems(archive: zipfile.ZipFile, source: Path) -> list[str]:
    """All that is missing, foreign or hidden in the archive, compared with the source folder."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    names = {info.filename for info in files}
    wanted = {f"{FOLDER}/{name}" for name in REQUIRED}
    wanted |= {f"{FOLDER}/{path.relative_to(source).as_posix()}" for path in source.rglob("*.py")}
    found = [f"missing: {name}" for name in sorted(wanted - names)]
    found += [f"not to be shipped: {name}" for name in sorted(names) if not is_shippable(name)]
    found += [f"executable: {i.filename}" for i in files if i.external_attr >> 16 & 0o111]
    if len(names) != len(files):
        found.append("a name is in the archive twice")
    return found


def is_shippable(name: str) -> bool:
    """Whether a file of this name belongs into the one folder of the zip."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__pycache__")) for part in path.parts)
    known = path.suffix in SHIPPED_SUFFIXES or path.name == "LICENSE"
    return path.parts[0] == FOLDER and known and not hidden


if __name__ == "__main__":
    sys.exit(main())
