"""What is made of closed layers, rows or attributes, as QGIS projects make it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional
from xml.sax.saxutils import escape

import pytest
from qgis.core import QgsEditorWidgetSetup, QgsProject, QgsRelation
from qgis.server import QgsConfigCache

from access_filter_plugin.access_control.binding import bind
from access_filter_plugin.access_control.catalogue import Source
from access_filter_plugin.access_control.decision import LayerDecision
from access_filter_plugin.access_control.parser import parse_project
from access_filter_plugin.access_control.project_access import ProjectAccess
from access_filter_plugin.access_control.qgis_catalogue import read_catalogue
from access_filter_plugin.access_control.qgis_expression import QgisExpressionEngine
from access_filter_plugin.access_control.qgis_functions import unknown_functions
from access_filter_plugin.access_control.qgis_sources import expression_sources
from access_filter_plugin.subject import Subject
from tests.server.policy_server import by_oapif, by_wfs, by_wms
from tests.support.projects import variables_text
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("server")

OWNERS = {"effect": "deny", "layers": "owners"}
SOME_OWNERS = {"layers": "owners", "filter": "login = @access_user"}
PARCELS = {"layers": "parcels"}
VIRTUAL = {"layers": "virtual"}
ALL = {"layers": "*"}
Build = Callable[..., Path]
Decided = Callable[[list[dict[str, Any]], str], LayerDecision]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of parcels_and_owners.py's project.

    Made in a process of its own: a virtual layer looks for its layers in QgsProject.instance(),
    which in this process belongs to the server.
    """
    folder = tmp_path_factory.mktemp("parcels_and_owners")
    script = Path(__file__).with_name("parcels_and_owners.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    subprocess.run([sys.executable, script, folder], env=environment, check=True, timeout=120)
    return folder


@pytest.fixture
def build(template: Path, tmp_path: Path, server: Server) -> Iterator[Build]:
    """Return a function that writes the project with these rules."""
    made: set[Path] = set()

    def write(rules: list[dict[str, Any]], name: str = "project") -> Path:
        shutil.copytree(template, tmp_path, dirs_exist_ok=True)
        path = tmp_path / f"{name}.qgs"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("@RULES@", escape(json.dumps(rules))), encoding="utf-8")
        made.add(path)
        return path

    yield write
    for path in made:
        forget(path, server)


def forget(path: Path, server: Server) -> None:
    """Have the server drop a project while it is the current one.

    QGIS (3.22 to 3.44, with or without a plugin) aborts when it drops a project with a virtual
    layer over a layer with a join while another is current: the layer joined goes first, the join
    with it, and the virtual layer looks in the current project for what it reads.
    """
    QgsProject.setInstance(served(path, server))
    QgsConfigCache.instance().removeEntry(str(path))


@pytest.fixture
def decided(build: Build, server: Server) -> Decided:
    """Return a function that decides for bob, without the server's hooks."""

    def decide(rules: list[dict[str, Any]], layer: str) -> LayerDecision:
        name = "virtual" if layer == "virtual" else "project"
        project = served(build(rules, name), server)
        texts = variables_text({"access_rules": rules})
        policy = parse_project(texts, lambda _name, text: text).policy
        bound = bind(policy, read_catalogue(project), QgisExpressionEngine())
        assert not bound.errors
        access = ProjectAccess(bound).access(Subject("bob"), "OAPIF", "Items")
        return access.decision(f"{layer}_layer_id")

    return decide


def served(path: Path, server: Server) -> QgsProject:
    """Return a project as the server holds it, after a first request for it."""
    server.client(path).get(SERVICE="WMS", REQUEST="GetCapabilities")
    return QgsConfigCache.instance().project(str(path))


#: What shows owners, and what shows whatever there is.
FOREIGN = {"o_fullname", "o_phone", "o_fid", "sum_all", "computed", "everything", "current"}


def test_nothing_is_hidden_where_everything_is_open(decided: Decided) -> None:
    found = decided([ALL], "parcels")
    assert (found.hidden, found.raw_attributes) == (frozenset(), frozenset())


@pytest.mark.parametrize("rules", [[ALL, OWNERS], [PARCELS], [PARCELS, SOME_OWNERS]])
def test_what_shows_closed_owners_is_hidden(rules: list[dict[str, Any]], decided: Decided) -> None:
    found = decided(rules, "parcels")
    assert found.hidden == FOREIGN
    assert found.raw_attributes == {"owner"}


def test_lookup_shows_labels_and_the_labels_column_of_the_join(decided: Decided) -> None:
    found = decided([PARCELS, {"layers": "owners", "actions": "lookup"}], "parcels")
    assert found.hidden == FOREIGN - {"o_fullname"}
    assert found.raw_attributes == frozenset()


def test_what_is_computed_from_a_hidden_attribute_is_hidden(decided: Decided) -> None:
    rules = [ALL, {"effect": "deny", "layers": "parcels", "attributes": "owner_name"}]
    found = decided(rules, "parcels")
    assert found.hidden == {"owner_name", "own", "everything", "current", "computed"}


def test_the_key_of_a_join_hides_what_it_joins(decided: Decided) -> None:
    rules = [ALL, {"effect": "deny", "layers": "parcels", "attributes": "owner"}]
    found = decided(rules, "parcels")
    assert {"o_fullname", "o_phone"} <= found.hidden


def test_a_hidden_key_of_the_joined_layer_hides_what_it_finds(decided: Decided) -> None:
    """But for the label, which reading opens: beside the phone stands whose it is."""
    rules = [ALL, {"effect": "deny", "layers": "owners", "attributes": "login"}]
    found = decided(rules, "parcels")
    assert "o_phone" in found.hidden
    assert "o_fullname" not in found.hidden


def test_an_aggregate_over_own_rows_is_hidden_where_rows_are(decided: Decided) -> None:
    rules = [ALL, {"effect": "deny", "layers": "parcels", "filter": "zone = 2"}]
    assert "rows" in decided(rules, "parcels").hidden


def test_a_virtual_layer_is_open_with_everything_that_it_reads(decided: Decided) -> None:
    assert decided([ALL], "virtual").read


@pytest.mark.parametrize(
    "closing",
    [
        OWNERS,
        {"effect": "deny", "layers": "owners", "attributes": "phone"},
        {"effect": "deny", "layers": "parcels", "filter": "zone = 2"},
    ],
)
def test_a_virtual_layer_is_closed_with_anything_that_it_reads(
    closing: dict[str, Any], decided: Decided
) -> None:
    assert not decided([ALL, closing], "virtual").read


def shows(server: Server, project: Path) -> dict[str, frozenset[str]]:
    """Return the attributes that bob is shown of the first parcel, by service."""
    bob = server.client(project, "bob", "viewer")
    seen: dict[str, frozenset[str]] = {}
    for service, read in (("WFS", by_wfs), ("OAPIF", by_oapif), ("WMS", by_wms)):
        rows = read(bob, "parcels")
        assert rows is not None, service
        seen[service] = rows[1]
    return seen


@pytest.mark.parametrize("rules", [[PARCELS], [PARCELS, SOME_OWNERS]])
def test_no_service_shows_what_is_made_of_closed_owners(
    server: Server, build: Build, rules: list[dict[str, Any]]
) -> None:
    for service, names in shows(server, build(rules)).items():
        assert not names & FOREIGN, service
        assert "name" in names, service


def test_lookup_opens_labels_to_every_service_and_lists_nothing(
    server: Server, build: Build
) -> None:
    project = build([PARCELS, {"layers": "owners", "actions": "lookup"}])
    for service, names in shows(server, project).items():
        assert names & FOREIGN == {"o_fullname"}, service
    bob = server.client(project, "bob", "viewer")
    labels = {
        row["properties"]["owner"] for row in bob.api("/collections/parcels/items").json["features"]
    }
    assert "Alice Albright" in labels
    for service in ("WMS", "WFS"):
        assert "owners" not in bob.get(SERVICE=service, REQUEST="GetCapabilities").text
    assert "owners" not in bob.api("/collections").text
    assert by_wfs(bob, "owners") is None
    assert by_oapif(bob, "owners") is None


def test_every_service_shows_everything_where_everything_is_open(
    server: Server, build: Build
) -> None:
    for service, names in shows(server, build([ALL])).items():
        assert names >= FOREIGN, service


def test_no_service_serves_a_virtual_layer_over_closed_owners(server: Server, build: Build) -> None:
    bob = server.client(build([PARCELS, VIRTUAL], "virtual"), "bob", "viewer")
    assert by_wfs(bob, "virtual") is None
    assert by_oapif(bob, "virtual") is None


# Expressions: what they read, on this QGIS.


@pytest.fixture
def project(build: Build, server: Server) -> QgsProject:
    return served(build([ALL]), server)


def sources(project: QgsProject, text: str) -> list[Source]:
    return expression_sources(project, project.mapLayer("parcels_layer_id"), text)


def own(*attributes: str, rows: bool = False) -> Source:
    return Source("parcels_layer_id", frozenset(attributes), rows=rows)


WHOLE = Source("parcels_layer_id", None, rows=False)
UNKNOWN = Source("", None)
OTHER = Source("owners_layer_id", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"name" || "zone"', [own("name", "zone")]),
        ('"NAME"', [own("name")]),
        ("1 + 1", [own()]),
        ("$area > @map_scale", [own()]),
        ('sum("zone")', [own("zone", rows=True)]),
        ("attribute('name')", [WHOLE]),
        ("attributes()", [WHOLE]),
        ("geometry($currentfeature)", [WHOLE]),
        ("attributes(@feature)", [WHOLE]),
        ("@atlas_feature", [WHOLE]),
        ("aggregate('owners', 'count', 1)", [own(), OTHER]),
        ("aggregate(layer:='owners_layer_id', aggregate:='count', expression:=1)", [own(), OTHER]),
        ("get_feature('owners', 'login', 'x')", [own(), OTHER]),
        ("GET_FEATURE ( 'OWNERS' , 'login', 'x')", [own(), OTHER]),
        ("aggregate('own' || 'ers', 'count', 1)", [own(), UNKNOWN]),
        ("aggregate(@layer, 'count', 1)", [own(), UNKNOWN]),
        ("aggregate('nothing', 'count', 1)", [own(), UNKNOWN]),
        ("layer_property('owners', 'feature_count')", [own(), OTHER]),
        ("overlay_intersects('owners')", [WHOLE, OTHER]),
        ("eval('1')", [WHOLE, UNKNOWN]),
        ("maptip()", [own(), UNKNOWN]),
        ("display_expression()", [own(), UNKNOWN]),
        ("relation_aggregate('nothing', 'count', 1)", [WHOLE, UNKNOWN]),
        ('unknown_function("secret")', []),
    ],
)
def test_an_expression_reads(project: QgsProject, text: str, expected: list[Source]) -> None:
    assert sources(project, text) == expected


def test_one_computed_name_is_not_excused_by_a_literal_one(project: QgsProject) -> None:
    text = "aggregate('parcels', 'count', 1) + aggregate('own' || 'ers', 'count', 1)"
    assert UNKNOWN in sources(project, text)


def test_a_represented_value_comes_from_where_labels_come_from(project: QgsProject) -> None:
    found = sources(project, 'represent_value("owner")')
    assert Source("owners_layer_id", frozenset({"fullname"}), is_label=True) in found
    assert UNKNOWN not in found


def test_every_function_of_this_qgis_is_known_to_read_or_not_to_read() -> None:
    from qgis.core import QgsExpression

    names = [function.name() for function in QgsExpression.Functions()]
    assert unknown_functions(names) == {"eval", "eval_template", "maptip", "display_expression"} | (
        {"load_layer", "sqlite_fetch_and_increment"} & set(names)
    )


def test_a_function_that_a_plugin_registers_reads_everything() -> None:
    from qgis.core import QgsExpression, qgsfunction

    @qgsfunction(args="auto", group="Math", register=True)
    def access_filter_test_function(_feature: Any, _parent: Any) -> int:
        """Answer one."""
        return 1

    try:
        assert unknown_functions({"access_filter_test_function"})
    finally:
        # QGIS keeps a bare pointer: it must go before the local object does.
        QgsExpression.unregisterFunction(access_filter_test_function.name())


def related(project: QgsProject) -> Optional[Any]:
    relation = QgsRelation()
    relation.setId("parcel_owner")
    relation.setName("owner of the parcel")
    relation.setReferencingLayer("parcels_layer_id")
    relation.setReferencedLayer("owners_layer_id")
    relation.addFieldPair("name", "login")
    project.relationManager().addRelation(relation)
    layer = project.mapLayer("parcels_layer_id")
    setup = QgsEditorWidgetSetup("RelationReference", {"Relation": "parcel_owner"})
    layer.setEditorWidgetSetup(layer.fields().lookupField("name"), setup)
    return layer


def test_a_relation_reference_shows_the_display_expression(project: QgsProject) -> None:
    related(project)
    labels = read_catalogue(project).layers["parcels_layer_id"].label_sources
    assert labels["name"] == (Source("owners_layer_id", frozenset({"fullname"}), is_label=True),)


def test_a_display_expression_over_everything_is_made_of_everything(project: QgsProject) -> None:
    related(project)
    project.mapLayer("owners_layer_id").setDisplayExpression("to_json(attributes())")
    labels = read_catalogue(project).layers["parcels_layer_id"].label_sources
    assert labels["name"][0].attributes is None


def test_the_filter_of_a_value_relation_is_part_of_the_label(project: QgsProject) -> None:
    layer = project.mapLayer("parcels_layer_id")
    index = layer.fields().lookupField("owner")
    config = {
        "Layer": "owners_layer_id",
        "Key": "login",
        "Value": "fullname",
        "FilterExpression": "\"phone\" = '111'",
    }
    layer.setEditorWidgetSetup(index, QgsEditorWidgetSetup("ValueRelation", config))
    labels = read_catalogue(project).layers["parcels_layer_id"].label_sources
    read = {name for source in labels["owner"] for name in source.attributes or ()}
    assert read == {"fullname", "phone"}


def test_a_value_relation_to_a_missing_layer_cannot_be_told(project: QgsProject) -> None:
    layer = project.mapLayer("parcels_layer_id")
    index = layer.fields().lookupField("owner")
    config = {"Layer": "gone_layer_id", "LayerName": "owners", "Key": "login", "Value": "phone"}
    layer.setEditorWidgetSetup(index, QgsEditorWidgetSetup("ValueRelation", config))
    labels = read_catalogue(project).layers["parcels_layer_id"].label_sources
    assert labels["owner"] == (UNKNOWN,)


def test_a_relation_aggregate_reads_the_referencing_layer(project: QgsProject) -> None:
    related(project)
    owners = project.mapLayer("owners_layer_id")
    for name in ("parcel_owner", "owner of the parcel"):
        found = expression_sources(project, owners, f"relation_aggregate('{name}', 'count', 1)")
        assert Source("parcels_layer_id", None) in found
