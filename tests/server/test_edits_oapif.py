"""OGC API Features edits obey the same rules as WFS transactions, which QGIS itself never asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest
from osgeo import ogr
from qgis.core import QgsProject, QgsVectorLayer

from tests.server.test_edits_wfs import RULES, stored
from tests.support.projects import policy_project, publish, save
from tests.support.server import Answer, Client, Server

ITEM = "/collections/parcels/items/{}"
As = Callable[[str, str], Client]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path / "p", access_rules=RULES)


@pytest.fixture
def as_user(server: Server, project: Path) -> As:
    return lambda user, role: server.client(project, user, role)


def feature(xy: Optional[tuple[float, float]] = None, **properties: Any) -> dict[str, Any]:
    geometry = None if xy is None else {"type": "Point", "coordinates": list(xy)}
    document = {"type": "Feature", "properties": properties}
    return document if geometry is None else {**document, "geometry": geometry}


def put(client: Client, fid: int, **properties: Any) -> Answer:
    return client.api(ITEM.format(fid), "PUT", feature(**properties))


def patch(client: Client, fid: int, **properties: Any) -> Answer:
    return client.api(ITEM.format(fid), "PATCH", {"modify": properties})


@pytest.mark.parametrize("send", [put, patch])
def test_a_draft_may_be_submitted_and_not_changed_afterwards(
    as_user: As, project: Path, send: Callable[..., Answer]
) -> None:
    alice = as_user("alice", "surveyor")
    answer = send(alice, 1, status="submitted")
    assert answer.status == 200
    assert "owner_name" not in answer.json["properties"]
    assert stored(project)[1]["status"] == "submitted"
    assert send(alice, 1, name="dos").status >= 400
    assert stored(project)[1]["name"] == "one"


@pytest.mark.parametrize("send", [put, patch])
def test_a_row_may_not_leave_what_check_allows(
    server: Server, as_user: As, project: Path, send: Callable[..., Answer]
) -> None:
    alice = as_user("alice", "surveyor")
    assert send(alice, 1, status="done").status == 403
    assert stored(project)[1]["status"] == "draft"
    with server.unguarded():
        assert send(alice, 1, status="done").status == 200
    assert stored(project)[1]["status"] == "done"


@pytest.mark.parametrize("send", [put, patch])
def test_what_is_not_writable_stays(
    as_user: As, project: Path, send: Callable[..., Answer]
) -> None:
    alice = as_user("alice", "surveyor")
    before = stored(project)
    assert send(alice, 1, zone=9).status == 403
    assert send(alice, 1, owner_name="x").status == 403
    assert send(alice, 1, owner_name="Alice A.").status == 403
    assert send(alice, 2, name="x").status >= 400
    assert stored(project) == before
    assert send(alice, 1, zone=1, name="uno").status == 200
    assert stored(project)[1]["name"] == "uno"


def test_a_readonly_geometry_stays(as_user: As, project: Path) -> None:
    alice = as_user("alice", "surveyor")
    assert put(alice, 1, xy=(9, 9), name="uno").status == 403
    assert stored(project)[1]["name"] == "one"
    assert put(alice, 1, xy=(1, 1), name="uno").status == 200


def test_a_hidden_row_answers_like_none(as_user: As) -> None:
    alice = as_user("alice", "surveyor")
    for send in (put, patch):
        hidden, unknown = send(alice, 2, name="x"), send(alice, 9, name="x")
        assert hidden.status == unknown.status
        assert hidden.body == unknown.body.replace(b"9", b"2")


def test_insert_without_read_works_within_check(as_user: As, project: Path) -> None:
    ann = as_user("ann", "adder")
    items = "/collections/reports/items"
    assert ann.api(items, "POST", feature((1, 1), title="mine", author="ann")).status == 201
    assert ann.api(items, "POST", feature((1, 1), title="hers", author="eve")).status == 403
    assert [row["title"] for row in stored(project, "reports").values()] == ["first", "mine"]
    listed = ann.api("/collections").json["collections"]
    assert [collection["id"] for collection in listed] == ["reports"]
    assert listed[0]["extent"]["spatial"]["bbox"] != [[1.0, 1.0, 1.2, 1.2]]
    answer = ann.api(items)
    assert (answer.json["features"], answer.json["numberMatched"]) == ([], 0)


def test_insert_does_not_open_other_actions_or_layers(as_user: As, project: Path) -> None:
    ann = as_user("ann", "adder")
    assert ann.api("/collections/reports/items/1", "DELETE").status == 403
    assert ann.api("/collections/reports/items/1", "PUT", feature(title="x")).status == 403
    hidden = ann.api("/collections/salaries/items", "POST", feature(person="x"))
    unknown = ann.api("/collections/salariez/items", "POST", feature(person="x"))
    assert hidden.status == unknown.status == 404
    assert hidden.body == unknown.body.replace(b"salariez", b"salaries")


def test_delete_obeys_its_rows(as_user: As, project: Path) -> None:
    cleaner = as_user("cleo", "cleaner")
    assert cleaner.api(ITEM.format(1), "DELETE").status >= 400
    assert cleaner.api(ITEM.format(4), "DELETE").status == 200
    assert sorted(stored(project)) == [1, 2, 3]
    assert as_user("alice", "surveyor").api(ITEM.format(1), "DELETE").status == 403


def test_a_denied_user_does_nothing_at_all(as_user: As, project: Path) -> None:
    bob = as_user("bob", "viewer")
    before = stored(project)
    assert put(bob, 1, name="x").status == 404
    assert patch(bob, 1, name="x").status == 404
    assert bob.api(ITEM.format(1), "DELETE").status == 404
    assert bob.api("/collections/parcels/items", "POST", feature(name="x")).status == 404
    assert stored(project) == before


def test_a_template_is_stored_by_nobody(as_user: As, project: Path) -> None:
    boss = as_user("root", "boss")
    assert put(boss, 1, name="[% 1 %]").status == 400
    assert patch(boss, 1, name="a [% 1 %]").status == 400
    assert boss.api("/collections/parcels/items", "POST", feature(name="[% 1 %]")).status == 400
    assert stored(project)[1]["name"] == "one"
    assert len(stored(project)) == 4


@pytest.mark.parametrize(
    "path",
    [
        "/api/collections/parcels/items/3",
        "//collections/parcels/items/3",
        "/collections/parcels/items/3/x",
        "/x/../collections/parcels/items/3",
    ],
)
def test_a_path_of_another_form_writes_nothing(as_user: As, project: Path, path: str) -> None:
    for user in (as_user("cleo", "cleaner"), as_user("root", "boss")):
        assert user.api(path, "DELETE").status >= 400
    assert 3 in stored(project)


def test_an_escaped_slash_is_judged_as_qgis_reads_it(as_user: As, project: Path) -> None:
    assert as_user("cleo", "cleaner").api("/collections/parcels%2Fitems/3", "DELETE").status >= 400
    assert 3 in stored(project)


ALL_BUT_ZONE = {"roles": "clerk", "actions": ["read", "update"], "attributes": ["*", "!zone"]}
NO_DELETE = {"roles": "porter", "effect": "deny", "requests": "Delete"}


@pytest.mark.parametrize(
    ("role", "rules"),
    [
        ("clerk", [{**ALL_BUT_ZONE, "layers": "parcels"}, {"layers": "parcels"}]),
        ("porter", [{"layers": "*", "actions": "*"}, {**NO_DELETE, "layers": "parcels"}]),
    ],
)
def test_a_limited_editor_gets_no_item_where_the_method_is_not_told(
    server: Server, tmp_path: Path, role: str, rules: Any
) -> None:
    """What looks like reading may be writing there (py-qgis-server)."""
    client = server.client(policy_project(tmp_path, access_rules=rules), "ann", role)
    assert client.api(ITEM.format(1)).status == 200
    client.cgi["REQUEST_METHOD"] = ""
    answer = client.api(ITEM.format(1), "DELETE")
    assert (answer.status, "does not tell the method" in answer.text) == (403, True)
    assert 1 in stored(client.project)
    assert server.client(client.project, "bob", REQUEST_METHOD="").api(ITEM.format(1)).status == 200


BODIES: list[bytes] = [
    b"",
    b"[]",
    b'{"type": "Feature", "properties": {"name": "a", "name": "b"}}',
    b'{"type": "FeatureCollection", "features": []}',
    b'{"type": "Feature", "properties": [], "geometry": null}',
    b'{"type": "Feature", "properties": {"zone": NaN}}',
    b'{"type": "Feature", "properties": {"zone": "a lot"}}',
    b'{"type": "Feature", "properties": {}, "geometry": {"type": "Blob"}}',
    b"[" * 100_000,
    b'{"type": "Feature", "properties": {"name": "\xff"}}',
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_not_understood_writes_nothing(
    server: Server, as_user: As, project: Path, body: bytes
) -> None:
    boss = as_user("root", "boss")
    before = stored(project)
    url = f"http://localhost/wfs3{ITEM.format(1)}?MAP={project}"
    answer = server.run(url, "PUT", body, {"Content-Type": "application/json"}, boss.cgi)
    assert answer.status == 400
    assert stored(project) == before


def test_everything_works_for_whom_everything_is_open(as_user: As, project: Path) -> None:
    boss = as_user("root", "boss")
    created = boss.api("/collections/parcels/items", "POST", feature((8, 8), name="new", zone=3))
    assert created.status == 201
    assert put(boss, 5, name="newer", zone=4).status == 200
    assert patch(boss, 5, status="done").status == 200
    row = stored(project)[5]
    assert (row["name"], row["zone"], row["status"], row["xy"]) == ("newer", 4, "done", (8, 8))
    assert boss.api(ITEM.format(5), "DELETE").status == 200
    assert 5 not in stored(project)


@pytest.mark.parametrize("send", [put, patch])
def test_a_text_that_a_null_character_ends_is_refused(
    server: Server, tmp_path: Path, send: Callable[..., Answer]
) -> None:
    rules = [
        {"layers": "parcels", "actions": ["read", "update"]},
        {"effect": "deny", "layers": "parcels", "actions": "update", "filter": "status = 'done'"},
    ]
    project = policy_project(tmp_path / "p", access_rules=rules)
    client = server.client(project)
    assert send(client, 1, status="done\0").status == 400
    assert stored(project)[1]["status"] == "draft"
    with server.unguarded():
        send(client, 1, status="done\0")
    assert stored(project)[1]["status"] == "done"


def test_a_number_that_may_be_cut_is_not_stored_as_another(server: Server, tmp_path: Path) -> None:
    data = tmp_path / "data.gpkg"
    source = ogr.GetDriverByName("GPKG").CreateDataSource(str(data))
    source.CreateLayer("things", None, ogr.wkbNone).CreateField(
        ogr.FieldDefn("n", ogr.OFTInteger64)
    )
    source = None
    project = QgsProject()
    project.addMapLayer(QgsVectorLayer(f"{data}|layername=things", "things", "ogr"))
    publish(project)
    rules = [{"layers": "things", "actions": ["read", "insert"], "check": "n <> 5"}]
    path = save(project, tmp_path / "things.qgs", {"access_rules": rules})
    body = {"type": "Feature", "properties": {"n": 2**32 + 5}}
    server.client(path).api("/collections/things/items", "POST", body)
    assert [row["n"] for row in stored(path, "things").values()] in ([], [2**32 + 5])
