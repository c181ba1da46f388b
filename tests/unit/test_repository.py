"""The rules of the repository that no linter knows: who may import QGIS, and what is shipped."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "access_filter_plugin"
# They put the parts together, and QGIS is there only when they run.
COMPOSERS = {"__init__.py", "__main__.py", "plugin.py"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported_names(source: str) -> set[str]:
    """Every dotted name that the source imports, relative ones with their dots."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            joint = "" if base.endswith(".") else "."
            names |= {f"{base}{joint}{alias.name}" for alias in node.names}
    return names


def imports_qgis(source: str) -> bool:
    return any(name.split(".")[0] in {"qgis", "PyQt5", "PyQt6"} for name in imported_names(source))


def imports_qgis_module(source: str) -> bool:
    relative = (name for name in imported_names(source) if name.startswith("."))
    return any(part.startswith("qgis_") for name in relative for part in name.split("."))


def imports_itself_by_name(source: str) -> bool:
    return any(name.split(".")[0] == PACKAGE.name for name in imported_names(source))


def named(modules: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in modules]


def needs_qgis(source: str) -> bool:
    return imports_qgis(source) or imports_qgis_module(source)


def test_only_a_module_whose_name_starts_with_qgis_imports_qgis() -> None:
    others = [m for m in MODULES if not m.name.startswith("qgis_")]
    assert named([m for m in others if imports_qgis(m.read_text())]) == []


def test_a_module_whose_name_starts_with_qgis_needs_qgis() -> None:
    marked = [m for m in MODULES if m.name.startswith("qgis_")]
    assert named([m for m in marked if not needs_qgis(m.read_text())]) == []


def test_a_pure_module_imports_no_qgis_module() -> None:
    pure = [m for m in MODULES if not m.name.startswith("qgis_") and m.name not in COMPOSERS]
    assert named([m for m in pure if imports_qgis_module(m.read_text())]) == []


def test_only_the_init_file_of_the_package_itself_composes() -> None:
    inner = [m for m in MODULES if m.name in COMPOSERS and m.parent != PACKAGE]
    assert named([m for m in inner if imports_qgis_module(m.read_text())]) == []


def test_the_package_works_under_any_folder_name() -> None:
    assert named([m for m in MODULES if imports_itself_by_name(m.read_text())]) == []


def test_every_pure_module_can_be_imported_where_qgis_is_not_installed() -> None:
    pure = [m for m in MODULES if not m.name.startswith("qgis_") and m.name not in COMPOSERS]
    names = [".".join(m.relative_to(ROOT).with_suffix("").parts) for m in pure]
    program = "import importlib, sys\nsys.modules['qgis'] = None\n"
    program += "".join(f"importlib.import_module({name!r})\n" for name in names)
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1:] == []


@pytest.mark.parametrize(
    "source",
    [
        "import qgis",
        "import qgis.core as core",
        "from qgis.server import QgsServerFilter",
        "def f():\n    from qgis.core import QgsProject",
        "if TYPE_CHECKING:\n    import qgis.server",
    ],
)
def test_an_import_of_qgis_is_seen_wherever_it_stands(source: str) -> None:
    assert imports_qgis(source)


@pytest.mark.parametrize(
    "source",
    [
        "from . import qgis_log",
        "from .qgis_log import critical",
        "from ..qgis_log import critical",
        "from ..access_control import qgis_filter",
    ],
)
def test_an_import_of_a_qgis_module_is_seen_in_every_form(source: str) -> None:
    assert imports_qgis_module(source)


@pytest.mark.parametrize("source", ["from .policy import Rule", "import json", "qgis = 1"])
def test_other_statements_are_no_import_of_qgis(source: str) -> None:
    assert not imports_qgis(source)
    assert not imports_qgis_module(source)


def metadata() -> configparser.SectionProxy:
    """The metadata as QGIS Desktop reads it, interpolation included: a "%" would break it there."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(PACKAGE / "metadata.txt", encoding="utf-8")
    return parser["general"]


def test_the_server_loads_the_plugin_since_metadata_says_true_exactly() -> None:
    assert metadata()["server"] == "True"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("qgisMinimumVersion", "3.22"),
        ("qgisMaximumVersion", "4.99"),
        ("supportsQt6", "True"),
        ("hasProcessingProvider", "no"),
        ("category", "Web"),
    ],
)
def test_metadata_fixes_versions_and_kind(key: str, value: str) -> None:
    assert metadata()[key] == value


@pytest.mark.parametrize(
    "key",
    ["name", "description", "about", "version", "author", "email", "repository", "tracker"],
)
def test_metadata_has_what_the_plugin_repository_requires(key: str) -> None:
    assert metadata()[key].strip()


def test_metadata_holds_no_percent_sign() -> None:
    assert "%" not in (PACKAGE / "metadata.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["metadata.txt", "LICENSE"])
def test_a_copied_folder_works_since_the_links_are_at_the_top(name: str) -> None:
    assert (ROOT / name).is_symlink()
    assert (ROOT / name).resolve() == PACKAGE / name
    assert not (PACKAGE / name).is_symlink()
