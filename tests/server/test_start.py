"""What the start of a worker leaves for later, and that nothing left for later is broken."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[2]
LATER = {
    *("argparse", "difflib", "email", "http.client", "socket", "ssl", "subprocess"),
    *("decimal", "html", "lxml.etree", "mimetypes", "orjson", "uuid"),
    "access_filter_plugin.command_line",
}
STARTED = """
import sys
from qgis.core import QgsApplication
from qgis.server import QgsServer
import qgis.utils  # QGIS Server does so for any Python plugin

application = QgsApplication([], False)
application.initQgis()
server = QgsServer()
before = set(sys.modules)
import access_filter_plugin
from access_filter_plugin.late_pattern import _Uncompiled
plugin = access_filter_plugin.serverClassFactory(server.serverInterface())
loaded = set(sys.modules) - before
ours = [sys.modules[name] for name in sorted(loaded) if name.startswith("access_filter_plugin")]
patterns = [each for module in ours for each in vars(module).values()
            if type(each) is _Uncompiled]
print("FOUND", type(plugin.wall.target).__name__, len(patterns), *sorted(loaded))
sys.stdout.flush()
import os
os._exit(0)
"""


def values_of_our_modules() -> list[Any]:
    """Return what the modules of the plugin that are loaded have at their top."""
    modules = [m for name, m in sys.modules.items() if name.startswith("access_filter_plugin.")]
    return [value for module in modules for value in list(vars(module).values())]


@pytest.mark.crash
def test_a_start_loads_no_module_and_compiles_few_patterns_that_only_some_requests_need(
    tmp_path: Path,
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ACCESS_FILTER")}
    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        env={**kept, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND"))
    _, target, patterns, *loaded = line.split()
    assert target == "RequestPipeline"
    assert LATER & set(loaded) == set()
    assert int(patterns) > 60


def test_the_collector_of_memory_works_again_after_the_start(server: Server) -> None:
    assert server is not None
    assert gc.isenabled()


def test_every_pattern_can_be_compiled(server: Server) -> None:
    from access_filter_plugin.late_pattern import _Compiled

    assert server is not None
    patterns = [each for each in values_of_our_modules() if isinstance(each, _Compiled)]
    assert len(patterns) > 60
    for pattern in patterns:
        pattern.search(pattern.pattern[:0])
    assert {type(each) for each in patterns} == {_Compiled}


def test_every_constructor_can_be_made(server: Server) -> None:
    from access_filter_plugin.value_class import complete, value_class

    assert server is not None
    prepared = value_class(type("Any", (), {"__annotations__": {"x": "int"}}))
    classes = [
        each
        for each in values_of_our_modules()
        if isinstance(each, type) and vars(each).get("__eq__") is vars(prepared)["__eq__"]
    ]
    assert len(classes) > 80
    for each in classes:
        complete(each)
