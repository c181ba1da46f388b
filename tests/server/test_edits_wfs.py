"""WFS transactions obey actions, row filters and attributes, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr
from qgis.core import QgsField, QgsProject, QgsVectorLayer
from qgis.PyQt.QtXml import QDomDocument

from tests.support.projects import policy_project, publish, save
from tests.support.server import Answer, Client, Server
from tests.support.wfs import NAMESPACES, by_id, delete, equals, insert, point, transaction, update

SURVEYOR = {
    "id": "survey",
    "roles": "surveyor",
    "layers": "parcels",
    "actions": ["read", "update"],
    "filter": "status = 'draft'",
    "check": "status IN ('draft', 'submitted')",
    "attributes": ["*", "!owner_name"],
    "readonly": ["zone", "$geometry"],
}
EDITS = ["read", "insert", "update", "delete"]
RULES: list[dict[str, Any]] = [
    SURVEYOR,
    {"id": "boss", "roles": "boss", "layers": "*", "actions": EDITS},
    {
        "id": "adder",
        "roles": "adder",
        "layers": "reports",
        "actions": "insert",
        "check": "author = @access_user",
    },
    {"id": "viewer", "roles": "viewer", "layers": "parcels", "actions": EDITS},
    {"id": "not bob", "effect": "deny", "users": "bob", "layers": "parcels"},
    {
        "id": "cleaner",
        "roles": "cleaner",
        "layers": "parcels",
        "actions": ["read", "delete"],
        "filter": "owner = 'carl'",
    },
]  # fmt: skip

As = Callable[[str, str], Client]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "p", access_rules=RULES)


@pytest.fixture
def as_user(server: Server, project: Path) -> As:
    return lambda user, role: server.client(project, user, role)


def stored(project: Path, table: str = "parcels") -> dict[int, dict[str, Any]]:
    source = ogr.Open(str(project.parent / "data.gpkg"))
    layer = source.GetLayerByName(table)
    rows = {}
    for feature in layer:
        row = dict(feature.items())
        geometry = feature.GetGeometryRef()
        row["xy"] = None if geometry is None else (geometry.GetX(), geometry.GetY())
        rows[feature.GetFID()] = row
    return rows


def refused(answer: Answer) -> bool:
    return answer.status in (400, 403) and "ServiceException" in answer.text


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_a_draft_may_be_submitted_and_not_changed_afterwards(
    as_user: As, project: Path, version: str
) -> None:
    alice = as_user("alice", "surveyor")
    submit = update("parcels", by_id("parcels.1"), status="submitted", name="uno")
    assert transaction(alice, submit, version=version).status == 200
    assert stored(project)[1]["status"] == "submitted"
    assert stored(project)[1]["name"] == "uno"
    transaction(alice, update("parcels", by_id("parcels.1"), name="dos"), version=version)
    assert stored(project)[1]["name"] == "uno"


def test_a_row_may_not_leave_what_check_allows(server: Server, as_user: As, project: Path) -> None:
    alice = as_user("alice", "surveyor")
    away = update("parcels", by_id("parcels.1"), status="done")
    assert refused(transaction(alice, away))
    assert stored(project)[1]["status"] == "draft"
    with server.unguarded():
        transaction(alice, away)
    assert stored(project)[1]["status"] == "done"


def test_a_hidden_row_is_not_touched(as_user: As, project: Path) -> None:
    answer = transaction(
        as_user("alice", "surveyor"), update("parcels", by_id("parcels.2"), name="x")
    )
    assert "<totalUpdated>1</totalUpdated>" not in answer.text
    assert stored(project)[2]["name"] == "two"


def test_a_filter_touches_visible_rows_only(as_user: As, project: Path) -> None:
    where = (
        f"<ogc:Filter {NAMESPACES}><ogc:Not><ogc:PropertyIsNull><ogc:PropertyName>name"
        "</ogc:PropertyName></ogc:PropertyIsNull></ogc:Not></ogc:Filter>"
    )
    answer = transaction(as_user("alice", "surveyor"), update("parcels", where, name="all"))
    assert "<totalUpdated>2</totalUpdated>" in answer.text
    assert [row["name"] for row in stored(project).values()] == ["all", "two", "three", "all"]


@pytest.mark.parametrize("values", [{"zone": "9"}, {"geometry": point(9, 9)}, {"owner_name": "x"}])
def test_what_is_not_writable_stays(as_user: As, project: Path, values: dict[str, str]) -> None:
    before = stored(project)
    assert refused(
        transaction(as_user("alice", "surveyor"), update("parcels", by_id("parcels.1"), **values))
    )
    assert stored(project) == before


def test_a_value_sent_unchanged_is_no_change(as_user: As, project: Path) -> None:
    same = {"zone": "1", "geometry": point(1, 1), "name": "uno"}
    answer = transaction(
        as_user("alice", "surveyor"), update("parcels", by_id("parcels.1"), **same)
    )
    assert "<totalUpdated>1</totalUpdated>" in answer.text
    assert stored(project)[1]["name"] == "uno"


def test_a_hidden_value_cannot_be_guessed_by_sending_it_unchanged(as_user: As) -> None:
    alice = as_user("alice", "surveyor")
    answers = [
        transaction(alice, update("parcels", by_id("parcels.1"), owner_name=guess))
        for guess in ("Alice A.", "somebody else")
    ]
    assert [answer.status for answer in answers] == [403, 403]
    assert answers[0].body == answers[1].body


def test_a_hidden_and_an_unknown_attribute_answer_alike(as_user: As) -> None:
    alice = as_user("alice", "surveyor")
    hidden, unknown = (
        transaction(alice, update("parcels", by_id("parcels.1"), **{name: "x"}))
        for name in ("owner_name", "owner_namf")
    )
    assert hidden.status == unknown.status == 403
    assert hidden.body == unknown.body.replace(b"owner_namf", b"owner_name")


def test_a_filter_on_a_hidden_attribute_is_refused(as_user: As, project: Path) -> None:
    probe = update("parcels", equals("owner_name", "Alice A."), name="x")
    assert refused(transaction(as_user("alice", "surveyor"), probe))
    assert stored(project)[1]["name"] == "one"


def test_one_refused_action_refuses_the_whole_before_anything_is_written(
    server: Server, as_user: As, project: Path
) -> None:
    alice = as_user("alice", "surveyor")
    good = update("parcels", by_id("parcels.1"), name="good")
    bad = update("parcels", by_id("parcels.4"), status="done")
    for actions in ((good, bad), (bad, good), (good, delete("parcels", by_id("parcels.4")))):
        assert refused(transaction(alice, *actions))
    assert [row["name"] for row in stored(project).values()] == ["one", "two", "three", "four"]


def test_several_updates_of_different_rows_work(as_user: As, project: Path) -> None:
    actions = [update("parcels", by_id(f"parcels.{fid}"), name=f"n{fid}") for fid in (1, 4)]
    transaction(as_user("alice", "surveyor"), *actions)
    assert [row["name"] for row in stored(project).values()] == ["n1", "two", "three", "n4"]


def test_two_steps_do_not_reach_what_one_step_may_not(as_user: As, project: Path) -> None:
    steps = [update("parcels", by_id("parcels.1"), status=s) for s in ("done", "draft")]
    assert refused(transaction(as_user("alice", "surveyor"), *steps))
    assert stored(project)[1]["status"] == "draft"


def test_insert_without_read_works_within_check(as_user: As, project: Path) -> None:
    ann = as_user("ann", "adder")
    assert (
        "<totalInserted>1</totalInserted>"
        in transaction(ann, insert("reports", point(1, 1), title="mine", author="ann")).text
    )
    assert refused(transaction(ann, insert("reports", point(1, 1), title="hers", author="eve")))
    assert refused(transaction(ann, insert("reports", title="nobody's")))
    assert [row["title"] for row in stored(project, "reports").values()] == ["first", "mine"]


def test_insert_does_not_open_other_actions_or_layers(as_user: As, project: Path) -> None:
    ann = as_user("ann", "adder")
    assert refused(transaction(ann, update("reports", by_id("reports.1"), title="x")))
    assert refused(transaction(ann, delete("reports", by_id("reports.1"))))
    hidden = transaction(ann, insert("salaries", person="x"))
    unknown = transaction(ann, insert("salariez", person="x"))
    assert hidden.status == unknown.status == 400
    assert hidden.body == unknown.body.replace(b"salariez", b"salaries")


def test_a_denied_user_does_nothing_at_all(as_user: As, project: Path) -> None:
    before = stored(project)
    bob = as_user("bob", "viewer")
    for action in (
        insert("parcels", name="x"),
        update("parcels", by_id("parcels.1"), name="x"),
        delete("parcels", by_id("parcels.1")),
    ):
        assert refused(transaction(bob, action))
    assert stored(project) == before
    carol = as_user("carol", "viewer")
    transaction(carol, delete("parcels", by_id("parcels.1")))
    assert 1 not in stored(project)


def test_delete_obeys_its_rows(as_user: As, project: Path) -> None:
    cleaner = as_user("cleo", "cleaner")
    transaction(cleaner, delete("parcels", by_id("parcels.1")))
    assert 1 in stored(project)
    assert (
        "<totalDeleted>1</totalDeleted>"
        in transaction(cleaner, delete("parcels", by_id("parcels.4"))).text
    )
    assert 4 not in stored(project)


def test_a_template_is_stored_by_nobody(as_user: As, project: Path) -> None:
    boss = as_user("root", "boss")
    planted = "[% env('HOME') %]"
    assert refused(transaction(boss, update("parcels", by_id("parcels.1"), name=planted)))
    assert refused(transaction(boss, insert("parcels", name=planted)))
    assert stored(project)[1]["name"] == "one"
    assert len(stored(project)) == 4


def test_an_insert_with_an_unknown_property_is_refused_instead_of_read_for_ever(
    as_user: As, project: Path
) -> None:
    assert refused(transaction(as_user("root", "boss"), insert("parcels", name="x", nothing="y")))
    assert len(stored(project)) == 4


def test_a_transaction_by_parameters_is_refused_instead_of_read_for_ever(as_user: As) -> None:
    answer = as_user("root", "boss").get(
        SERVICE="WFS", REQUEST="Transaction", OPERATION="Delete", FEATUREID="parcels.1"
    )
    assert refused(answer)


def test_a_null_is_written_and_judged_as_null(as_user: As, project: Path) -> None:
    alice = as_user("alice", "surveyor")
    assert refused(transaction(alice, update("parcels", by_id("parcels.1"), status=None)))
    transaction(alice, update("parcels", by_id("parcels.1"), name=None))
    assert stored(project)[1]["name"] is None


def test_everything_works_for_whom_everything_is_open(as_user: As, project: Path) -> None:
    boss = as_user("root", "boss")
    answer = transaction(
        boss,
        insert("parcels", point(8, 8), name="new", zone="3"),
        update("parcels", equals("zone", 2), status="done"),
        delete("parcels", by_id("parcels.1")),
    )
    assert "<totalInserted>1</totalInserted>" in answer.text
    assert "<totalUpdated>2</totalUpdated>" in answer.text
    assert "<totalDeleted>1</totalDeleted>" in answer.text
    rows = stored(project)
    assert 1 not in rows
    assert rows[2]["status"] == rows[4]["status"] == "done"
    assert rows[5]["xy"] == (8, 8)


def computed_project(folder: Path) -> Path:
    """A project whose rule reads a computed field."""
    path = policy_project(folder)
    project = QgsProject()
    assert project.read(str(path))
    layer = project.mapLayersByName("parcels")[0]
    field = QgsField(layer.fields().field("status"))
    field.setName("shout")
    layer.addExpressionField('upper("status")', field)
    rules = [
        {"layers": "parcels", "actions": ["read", "insert", "update"],
         "check": "shout IN ('DRAFT', 'SUBMITTED')"}
    ]  # fmt: skip
    return save(project, folder / "computed.qgs", {"access_rules": rules})


def test_a_rule_on_a_computed_field_sees_the_new_row(server: Server, tmp_path: Path) -> None:
    project = computed_project(tmp_path / "p")
    client = server.client(project)
    transaction(client, update("parcels", by_id("parcels.1"), status="submitted"))
    assert stored(project)[1]["status"] == "submitted"
    assert refused(transaction(client, update("parcels", by_id("parcels.1"), status="done")))
    pretended = update("parcels", by_id("parcels.1"), status="done", shout="DRAFT")
    assert refused(transaction(client, pretended))
    assert stored(project)[1]["status"] == "submitted"
    transaction(client, insert("parcels", status="draft", name="new"))
    assert refused(transaction(client, insert("parcels", status="done", name="newer")))
    assert [row["name"] for row in stored(project).values()][4:] == ["new"]
    body = {"type": "Feature", "properties": {"status": "done", "shout": "DRAFT"}}
    assert client.api("/collections/parcels/items/1", "PUT", body).status == 403
    assert stored(project)[1]["status"] == "submitted"


@pytest.mark.parametrize("needed", [0, 1])
def test_a_check_reads_the_layers_of_its_own_project_whatever_was_asked_before(
    server: Server, tmp_path: Path, needed: int
) -> None:
    """The project of the request before is QGIS's instance until the service runs."""
    check = f"coalesce(aggregate('reports', 'sum', 1), 0) = {needed}"
    rule = {"layers": "parcels", "actions": ["read", "update"], "check": check}
    one_report = policy_project(tmp_path / "one", access_rules=[rule])
    no_report = policy_project(tmp_path / "none", access_rules=[rule])
    source = ogr.Open(str(tmp_path / "none" / "data.gpkg"), 1)
    source.GetLayerByName("reports").DeleteFeature(1)
    source = None
    for project, count in ((no_report, 0), (one_report, 1)) * 2:
        client = server.client(project, "eve")
        answer = transaction(client, update("parcels", by_id("parcels.1"), name="new"))
        assert ("TransactionResponse" in answer.text) is (count == needed), answer.text


def as_qt_reads(sent: str) -> str:
    """Return a text of a body as this Qt has it: 5.15.19 reads long references rightly."""
    document = QDomDocument()
    document.setContent(f"<a>{sent}</a>".encode(), True)
    return str(document.documentElement().text())


@pytest.mark.parametrize(
    "sent",
    [
        "&#x10064;one",  # Qt keeps the lower 16 bits: a "d"
        " <![CDATA[done]]>",  # Qt drops blanks that are a text of their own
        "\u00a0<![CDATA[done]]>",
        "<![CDATA[do]]> <![CDATA[ne]]>",
    ],
)
def test_a_value_is_judged_as_qgis_reads_it(server: Server, tmp_path: Path, sent: str) -> None:
    rules = [
        {"layers": "parcels", "actions": ["read", "update"]},
        {"effect": "deny", "layers": "parcels", "actions": "update", "filter": "status = 'done'"},
    ]
    project = policy_project(tmp_path / "p", access_rules=rules)
    client = server.client(project)
    sneaky = update("parcels", by_id("parcels.1"), status=sent)
    is_done = as_qt_reads(sent) == "done"
    assert refused(transaction(client, sneaky)) is is_done
    assert stored(project)[1]["status"] == ("draft" if is_done else as_qt_reads(sent))
    assert transaction(client, update("parcels", by_id("parcels.1"), status="odd")).status == 200
    assert stored(project)[1]["status"] == "odd"
    with server.unguarded():
        transaction(client, sneaky)
    assert stored(project)[1]["status"] == as_qt_reads(sent)


@pytest.mark.parametrize("sent", ["&#x1005B;% 1 %]", "<![CDATA[[]]> <![CDATA[% 1 %]]]>"])
def test_a_template_that_only_qgis_can_see_is_stored_by_nobody(
    server: Server, as_user: As, project: Path, sent: str
) -> None:
    boss = as_user("root", "boss")
    planted = update("parcels", by_id("parcels.1"), name=sent)
    is_template = as_qt_reads(sent) == "[% 1 %]"
    assert refused(transaction(boss, planted)) is is_template
    assert stored(project)[1]["name"] == ("one" if is_template else as_qt_reads(sent))
    with server.unguarded():
        transaction(boss, planted)
    assert stored(project)[1]["name"] == as_qt_reads(sent)


@pytest.mark.parametrize(
    "where",
    [equals("name", "&#x1006F;ne"), by_id("parcels.&#x10031;")],
    ids=["literal", "id"],
)
def test_rows_are_named_as_qgis_reads_them(
    server: Server, as_user: As, project: Path, where: str
) -> None:
    alice = as_user("alice", "surveyor")
    names_a_row = as_qt_reads("&#x1006F;ne") == "one"
    assert refused(transaction(alice, update("parcels", where, status="done"))) is names_a_row
    assert stored(project)[1]["status"] == "draft"
    with server.unguarded():
        transaction(alice, update("parcels", where, status="done"))
    assert (stored(project)[1]["status"] == "done") is names_a_row


def test_a_layer_is_named_as_qgis_reads_it(server: Server, tmp_path: Path) -> None:
    rules = [
        {"layers": "*", "actions": ["read", "update"], "readonly": "name"},
    ]
    project = policy_project(tmp_path / "p", access_rules=rules)
    client = server.client(project)
    sneaky = update("&#x10070;arcels", by_id("parcels.1"), name="x")
    transaction(client, sneaky)
    assert stored(project)[1]["name"] == "one"
    with server.unguarded():
        transaction(client, sneaky)
    is_parcels = as_qt_reads("&#x10070;arcels") == "parcels"
    assert stored(project)[1]["name"] == ("x" if is_parcels else "one")


def test_lines_of_a_text_are_judged_and_stored_as_they_were_sent(
    as_user: As, project: Path
) -> None:
    alice = as_user("alice", "surveyor")
    assert (
        "<totalUpdated>1</totalUpdated>"
        in transaction(alice, update("parcels", by_id("parcels.1"), name="a\r\nb")).text
    )
    assert stored(project)[1]["name"] == "a\r\nb"
    same = equals("name", "a\r\nb")
    assert refused(transaction(alice, update("parcels", same, status="done")))
    assert (
        "<totalUpdated>1</totalUpdated>"
        in transaction(alice, update("parcels", same, status="submitted")).text
    )
    assert stored(project)[1]["status"] == "submitted"


def test_blanks_are_judged_as_nothing_where_qgis_stores_nothing(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": "parcels", "actions": ["read", "update"], "check": "name <> ''"}]
    project = policy_project(tmp_path / "p", access_rules=rules)
    blank = update("parcels", by_id("parcels.1"), name="  ")
    assert refused(transaction(server.client(project), blank))
    assert stored(project)[1]["name"] == "one"
    with server.unguarded():
        transaction(server.client(project), blank)
    assert stored(project)[1]["name"] == ""


@pytest.mark.parametrize("text", ["x", "<![CDATA[ ]]>"])
def test_text_beside_the_properties_of_an_insert_is_refused_instead_of_read_for_ever(
    as_user: As, project: Path, text: str
) -> None:
    boss = as_user("root", "boss")
    body = insert("parcels", name="new").replace("<qgs:name>", f"{text}<qgs:name>")
    assert refused(transaction(boss, body))
    assert refused(
        transaction(boss, insert("parcels", name="n").replace("<qgs:p", f"{text}<qgs:p"))
    )
    assert len(stored(project)) == 4


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
@pytest.mark.parametrize(
    ("check", "x"), [("x($geometry) < 1000", 300_000.0), ("x($geometry) > 0.5", 1.0)]
)
def test_a_geometry_of_another_system_is_judged_where_qgis_puts_it(
    server: Server, tmp_path: Path, version: str, check: str, x: float
) -> None:
    """QGIS moves a new row by its srsName, and of updates those of version 1.0.0."""
    edits = ["read", "insert", "update"]
    rules = [{"layers": "parcels", "actions": edits, "check": check}]
    project = policy_project(tmp_path / "p", access_rules=rules)
    client = server.client(project)
    moved = point(x, x).replace("<gml:Point>", '<gml:Point srsName="EPSG:3857">')
    added = transaction(client, insert("parcels", moved, name="new"), version=version)
    fits_moved = x > 1000
    assert refused(added) is not fits_moved
    assert len(stored(project)) == 4 + fits_moved
    change = update("parcels", by_id("parcels.2"), geometry=moved)
    assert refused(transaction(client, change, version=version))
    assert stored(project)[2]["xy"] == (2, 2)
    here = point(3, 3).replace("<gml:Point>", '<gml:Point srsName="EPSG:4326">')
    transaction(client, update("parcels", by_id("parcels.2"), geometry=here), version=version)
    assert stored(project)[2]["xy"] == (3, 3)
    with server.unguarded():
        transaction(client, change, version=version)
    assert (stored(project)[2]["xy"][0] == x) is (version == "1.1.0")


@pytest.mark.parametrize("fid", ["+0", " 0", "none", "\u0661", "4294967296000000000000"])
def test_a_row_number_is_one_that_everybody_reads_alike(
    server: Server, tmp_path: Path, fid: str
) -> None:
    point_of = {"type": "Point", "coordinates": [1, 1]}
    feature = {"type": "Feature", "properties": {"name": "old"}, "geometry": point_of}
    data = tmp_path / "plain.geojson"
    data.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    project = QgsProject()
    project.addMapLayer(QgsVectorLayer(str(data), "keyless", "ogr"))
    publish(project)
    rules = [{"layers": "keyless", "actions": ["read", "update"], "readonly": "name"}]
    client = server.client(save(project, tmp_path / "keyless.qgs", {"access_rules": rules}))
    for number in ("0", fid):
        assert refused(transaction(client, update("keyless", by_id(f"keyless.{number}"), name="x")))
        assert '"old"' in data.read_text()
    with server.unguarded():
        transaction(client, update("keyless", by_id(f"keyless.{fid}"), name="new"))
    assert '"new"' in data.read_text()


@pytest.mark.parametrize(
    ("kind", "sent", "check"),
    [
        (ogr.OFTInteger64, "1,5", "n > 3"),
        (ogr.OFSTBoolean, "no", "n"),
        (ogr.OFSTBoolean, "true", "n"),
    ],
)
def test_a_text_that_is_stored_as_another_number_is_refused(
    server: Server, tmp_path: Path, kind: int, sent: str, check: str
) -> None:
    data = tmp_path / "data.gpkg"
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(data))
    field = ogr.FieldDefn("n", ogr.OFTInteger if kind == ogr.OFSTBoolean else kind)
    if kind == ogr.OFSTBoolean:
        field.SetSubType(kind)
    source.CreateLayer("things", None, ogr.wkbNone).CreateField(field)
    source = None
    project = QgsProject()
    project.addMapLayer(QgsVectorLayer(f"{data}|layername=things", "things", "ogr"))
    publish(project)
    rules = [{"layers": "things", "actions": ["read", "insert"], "check": check}]
    client = server.client(save(project, tmp_path / "things.qgs", {"access_rules": rules}))
    assert refused(transaction(client, insert("things", n=sent)))
    body = {"type": "Feature", "properties": {"n": sent}}
    assert client.api("/collections/things/items", "POST", body).status == 400
    assert stored(tmp_path / "things.qgs", "things") == {}
    plain = {"type": "Feature", "properties": {"n": 4 if check == "n > 3" else True}}
    assert client.api("/collections/things/items", "POST", plain).status == 201
    assert len(stored(tmp_path / "things.qgs", "things")) == 1
