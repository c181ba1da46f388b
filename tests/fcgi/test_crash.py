"""Whatever fails inside the plugin is a denial: the real server neither aborts nor serves.

Each case damages a copy of the plugin and asks the real server binary one question, as CGI. A
server that aborts ends with a signal, which fails the request.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.package.cgi import Answer, ask

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "access_filter_plugin"
#: Rows 1, 3 and 4 are closed to bob; so is all of salaries.
RULES = [{"layers": "parcels", "filter": "owner = @access_user", "attributes": ["*", "!zone"]}]
CLOSED_NAMES = ('"one"', '"three"', '"four"', "Alice", "4100", "4200", "salaries")
BOB = {"REMOTE_USER": "bob", "REMOTE_ROLES": "viewer"}
FEATURES = {
    "SERVICE": "WFS",
    "VERSION": "1.1.0",
    "REQUEST": "GetFeature",
    "TYPENAME": "parcels",
    "OUTPUTFORMAT": "application/json",
}
INFO = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetFeatureInfo",
    "LAYERS": "parcels",
    "QUERY_LAYERS": "parcels",
    "STYLES": "",
    "CRS": "EPSG:4326",
    "BBOX": "0.9,0.9,1.1,1.1",
    "WIDTH": "11",
    "HEIGHT": "11",
    "I": "5",
    "J": "5",
    "INFO_FORMAT": "application/json",
}
BY_FILTER = {
    **FEATURES,
    "FILTER": "<Filter><PropertyIsEqualTo><PropertyName>name</PropertyName>"
    "<Literal>two</Literal></PropertyIsEqualTo></Filter>",
}
CAPABILITIES = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetCapabilities"}
TRANSACTION = (
    '<Transaction service="WFS" version="1.1.0" xmlns="http://www.opengis.net/wfs" '
    'xmlns:ogc="http://www.opengis.net/ogc"><Delete typeName="parcels"><ogc:Filter>'
    '<ogc:FeatureId fid="parcels.1"/></ogc:Filter></Delete></Transaction>'
)
HOOKS = {
    "layer_permissions": FEATURES,
    "layer_filter_expression": FEATURES,
    "layer_filter_subset_string": FEATURES,
    "authorized_layer_attributes": FEATURES,
    "cache_key": CAPABILITIES,
}
MOMENTS = ("request_begins", "request_ready", "response_complete")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    script = Path(__file__).with_name("make_policy_project.py")
    rules = json.dumps({"access_rules": RULES})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run(
        [sys.executable, script, folder, rules], env=environment, check=True, timeout=120
    )
    return folder / "project.qgs"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Return a plugin folder with a copy of the plugin, to be damaged."""
    folder = tmp_path / "plugins"
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / PLUGIN, folder / PLUGIN, ignore=ignored)
    return folder


def damage(plugins: Path, file: str, text: str) -> None:
    with (plugins / PLUGIN / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n\n{text}\n")


def answer(plugins: Path, project: Path, asked: dict[str, str]) -> Answer:
    scratch = plugins.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return ask(plugins, scratch, BOB, MAP=str(project), **asked)


def serves_nothing_closed(found: Answer) -> bool:
    return not any(name in found.body for name in CLOSED_NAMES)


def hook_damaged(hook: str, body: str) -> str:
    """Return the text that damages a hook, and lets QGIS ask it for what it knows beforehand."""
    return (
        f"def _damaged(*_arguments):\n    {body}\n\n\n"
        f"AccessControlFeature.{hook} = _damaged\n"
        "AccessControlFeature._tell = lambda *_arguments: None"
    )


@pytest.mark.crash
def test_undamaged_the_server_answers(plugins: Path, project: Path) -> None:
    found = answer(plugins, project, FEATURES)
    assert found.status == 200, found.log
    assert "two" in found.body
    assert serves_nothing_closed(found)


RAISES = "raise RuntimeError('damaged')"


@pytest.mark.crash
@pytest.mark.parametrize(
    ("hook", "body"),
    [
        *((hook, RAISES) for hook in HOOKS),
        *((hook, "return None") for hook in HOOKS),
        ("layer_filter_expression", "raise SystemExit(1)"),
        ("authorized_layer_attributes", "return 3"),
    ],
)
def test_a_hook_that_fails_denies(plugins: Path, project: Path, hook: str, body: str) -> None:
    damage(
        plugins,
        "access_control/qgis_filter.py",
        hook_damaged(hook, body),
    )
    found = answer(plugins, project, HOOKS[hook])
    assert serves_nothing_closed(found), found.body
    assert "denial" in found.log


@pytest.mark.crash
@pytest.mark.parametrize("hook", ["layer_permissions", "layer_filter_expression"])
def test_a_hook_that_fails_shows_no_row_at_all(plugins: Path, project: Path, hook: str) -> None:
    damage(
        plugins,
        "access_control/qgis_filter.py",
        hook_damaged(hook, RAISES),
    )
    assert "two" not in answer(plugins, project, FEATURES).body
    assert "two" not in answer(plugins, project, INFO).body


@pytest.mark.crash
@pytest.mark.parametrize(
    ("moment", "body"), [*((m, RAISES) for m in MOMENTS), ("request_ready", "raise SystemExit(1)")]
)
def test_a_moment_of_the_request_that_fails_is_503(
    plugins: Path, project: Path, moment: str, body: str
) -> None:
    damage(
        plugins,
        "qgis_requests.py",
        f"def _damaged(*_arguments):\n    {body}\n\n\nRequestPipeline.{moment} = _damaged",
    )
    found = answer(plugins, project, INFO)
    assert found.status == 503, found.body
    assert serves_nothing_closed(found)


@pytest.mark.crash
def test_an_edit_hook_that_fails_refuses_the_edit(plugins: Path, project: Path) -> None:
    damage(
        plugins,
        "access_control/qgis_filter.py",
        "def _damaged(*_arguments):\n"
        f"    {RAISES}\n\n\n"
        "AccessControlFeature.allow_to_edit = _damaged",
    )
    found = answer(plugins, project, {"SERVICE": "WFS", "REQUEST_BODY": TRANSACTION})
    assert found.status != 200 or "totalDeleted>1" not in found.body


#: file → what it becomes; None appends a line that raises.
BROKEN_MODULES = {
    "plugin.py": "def load(_server_iface):\n    raise RuntimeError('damaged')\n",
    "identity.py": "this is no Python\n",
    "strict_json.py": "import a_module_that_does_not_exist\n",
    "access_control/decide.py": "raise SystemExit(1)\n",
    "json_codec.py": "import lxml_is_missing\n",
    "access_control/qgis_sources.py": "1 / 0\n",
}


@pytest.mark.crash
@pytest.mark.parametrize("file", BROKEN_MODULES)
def test_a_plugin_that_does_not_load_closes_the_server(
    plugins: Path, project: Path, file: str
) -> None:
    (plugins / PLUGIN / file).write_text(BROKEN_MODULES[file], encoding="utf-8")
    found = answer(plugins, project, FEATURES)
    assert (found.status, "closed" in found.body) == (503, True), found.body
    health = answer(plugins, project, {"SERVICE": "ACCESS", "REQUEST": "Health"})
    assert (health.status, json.loads(health.body)["status"]) == (503, "closed")


def _first_of_all(plugins: Path, text: str) -> None:
    """Run something before the plugin, or anything that it needs, is imported."""
    file = plugins / PLUGIN / "__init__.py"
    head, future, rest = file.read_text(encoding="utf-8").partition(
        "from __future__ import annotations\n"
    )
    file.write_text(f"{head}{future}import sys\n\n{text}\n{rest}", encoding="utf-8")


def _found_but_broken(plugins: Path, module: str, body: str) -> None:
    """Put a module where it is found before the installed one, and fails when it is loaded."""
    file = plugins.parent / "found_first" / module
    file.parent.mkdir(parents=True)
    (file.parent / "__init__.py").touch()
    file.write_text(f"{body}\n", encoding="utf-8")
    # Another plugin may have loaded the installed one; it is not what is to be found.
    name = file.parent.name if file.stem == "etree" else file.stem
    _first_of_all(
        plugins,
        f"sys.path.insert(0, {str(plugins.parent / 'found_first')!r})\n"
        f"for name in [x for x in sys.modules if x.partition('.')[0] == {name!r}]:\n"
        "    del sys.modules[name]",
    )


@pytest.mark.crash
@pytest.mark.parametrize("missing", ["lxml", "lxml.etree"])
def test_a_missing_lxml_closes_the_server_from_its_start(
    plugins: Path, project: Path, missing: str
) -> None:
    if missing == "lxml":
        _first_of_all(plugins, "sys.modules['lxml'] = None")
    else:
        folder = plugins.parent / "found_first" / "lxml"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        _first_of_all(plugins, f"sys.path.insert(0, {str(folder.parent)!r})")
    found = answer(plugins, project, FEATURES)
    assert found.status == 503
    assert "serves nothing: lxml is missing (python3-lxml)" in found.log


BREAKS = ("raise ImportError('damaged')", RAISES, "raise SystemExit(1)")


@pytest.mark.crash
@pytest.mark.parametrize("body", BREAKS)
@pytest.mark.parametrize("asked", [CAPABILITIES, BY_FILTER], ids=["capabilities", "filter"])
def test_an_lxml_that_is_found_and_cannot_be_loaded_denies_what_needs_it(
    plugins: Path, project: Path, body: str, asked: dict[str, str]
) -> None:
    _found_but_broken(plugins, "lxml/etree.py", body)
    found = answer(plugins, project, asked)
    assert found.status == 503, found.body
    assert serves_nothing_closed(found)
    assert "two" not in found.body
    # What needs none is answered.
    assert "two" in answer(plugins, project, FEATURES).body


@pytest.mark.crash
def test_an_orjson_that_is_found_and_cannot_be_loaded_is_the_standard_json(
    plugins: Path, project: Path
) -> None:
    asked = {"SERVICE": "ACCESS", "REQUEST": "GetPermissions"}
    expected = answer(plugins, project, asked)
    _found_but_broken(plugins, "orjson.py", "raise ImportError('damaged')")
    found = answer(plugins, project, asked)
    assert (found.status, found.body) == (200, expected.body)
    assert "orjson cannot be loaded, so JSON is written by the slower json: damaged" in found.log


@pytest.mark.crash
@pytest.mark.parametrize("body", BREAKS[1:])
@pytest.mark.parametrize("path", ["", "/wfs3/collections.json"])
def test_an_orjson_that_fails_otherwise_denies(
    plugins: Path, project: Path, body: str, path: str
) -> None:
    _found_but_broken(plugins, "orjson.py", body)
    scratch = plugins.parent / "scratch"
    scratch.mkdir()
    where = {"REQUEST_URI": f"/qgis{path}?MAP={project}", "PATH_INFO": path} if path else {}
    asked = {} if path else {"SERVICE": "ACCESS", "REQUEST": "GetPermissions"}
    found = ask(plugins, scratch, {**BOB, **where}, MAP=str(project), **asked)
    assert found.status == 503, found.body
    assert serves_nothing_closed(found)


@pytest.mark.crash
def test_settings_that_are_wrong_close_the_server(plugins: Path, project: Path) -> None:
    scratch = plugins.parent / "scratch"
    scratch.mkdir()
    wrong = {**BOB, "ACCESS_FILTER_USER_CASE": "upper"}
    found = ask(plugins, scratch, wrong, MAP=str(project), **FEATURES)
    assert found.status == 503, found.body


@pytest.mark.crash
def test_another_plugins_excepthook_opens_nothing(plugins: Path, project: Path) -> None:
    damage(
        plugins,
        "access_control/qgis_filter.py",
        "import sys\n\n\n"
        "def _damaged(*_arguments):\n"
        f"    {RAISES}\n\n\n"
        "sys.excepthook = lambda *_arguments: None\n"
        "AccessControlFeature.layer_permissions = _damaged\n"
        "AccessControlFeature.layer_filter_expression = _damaged",
    )
    assert "two" not in answer(plugins, project, FEATURES).body
