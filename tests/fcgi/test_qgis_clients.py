"""QGIS Desktop's own providers against the real server, as users who may see different things.

After every test the log must show that nothing a client sent of itself was refused.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.office import PASSWORD, Office, open_office

BOTH_ORDERS = pytest.mark.parametrize("users", [("bob", "boss"), ("boss", "bob")])
HIDDEN = ("salaries", "plan", "SALARY")
ODD = list(range(1, 22, 2))
ALL = list(range(1, 22))
PARCELS = {"bob": ODD, "boss": ALL, "guest": ODD}
COLUMNS = {"bob": ["fid", "name", "zone"], "boss": ["fid", "name", "zone", "owner"]}
NOTES = {"bob": [[6, 6]], "boss": [[6, 6], [7, 7]]}
WFS_VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0", "auto"])


def unit(fid: int) -> list[int]:
    """Return where a parcel lies."""
    return [fid % 5, fid // 5]


@pytest.fixture(scope="module")
def running(
    serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    office = open_office(serve, tmp_path_factory.mktemp("office"))
    yield office
    office.close()


@pytest.fixture
def office(running: Office) -> Iterator[Office]:
    running.lines()
    yield running
    assert running.refused() == []


def fids(answer: dict[str, Any]) -> list[int]:
    assert answer["valid"], answer
    assert not answer["error"], answer
    return sorted(row["fid"] for row in answer["rows"])


@BOTH_ORDERS
def test_wms_lists_and_draws_what_the_user_may_see(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        desktop = office.desktop(user)
        loaded = desktop("wms", layers="parcels")
        assert loaded["valid"]
        assert "notes" in loaded["told"]
        assert all((name in loaded["told"]) == (user == "boss") for name in HIDDEN[:2])
        drawn = desktop("draw", layers="parcels,notes,ortho")
        assert drawn["errors"] == []
        assert drawn["units"] == sorted([*map(unit, PARCELS[user]), *NOTES[user]])
        assert drawn["ground"] != "#ffffff"


def test_wms_of_a_hidden_layer_draws_nothing_and_lists_no_extent(office: Office) -> None:
    assert not office.desktop("bob")("wms", layers="salaries")["valid"]
    assert office.desktop("boss")("wms", layers="salaries")["valid"]
    assert office.desktop("boss")("draw", layers="salaries,ortho")["units"] == [[9, 9]]
    office.lines()
    assert office.desktop("bob")("draw", layers="salaries,ortho")["units"] == []
    assert len(office.refused()) == 1


@BOTH_ORDERS
@pytest.mark.parametrize("how", ["text", "html", "feature"])
def test_identify_tells_rows_and_attributes_of_the_user(
    office: Office, users: tuple[str, ...], how: str
) -> None:
    for user in users:
        desktop = office.desktop(user)
        seen = str(desktop("identify", layers="parcels", x=1.5, y=0.5, how=how))
        assert "parcel 1" in seen
        assert ("OWNER 1" in seen) == ("owner" in seen) == (user == "boss")
        hidden = desktop("identify", layers="parcels", x=2.5, y=0.5, how=how)
        assert hidden["valid"]
        assert ("parcel 2" in str(hidden)) == (user == "boss")


def test_the_legend_of_a_layer_is_drawn(office: Office) -> None:
    for user in ("bob", "boss"):
        legend = office.desktop(user)("legend", layers="parcels")
        assert legend["errors"] == []
        assert min(legend["widths"]) > 20


@BOTH_ORDERS
def test_wmts_draws_tiles_of_what_the_user_may_see(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        desktop = office.desktop(user)
        tiles = desktop("tiles", layers="parcels")
        assert tiles["valid"]
        assert ("salaries" in tiles["told"]) == (user == "boss")
        whole = desktop("tiles", layers="ortho")
        assert (whole["units"], whole["ground"] != "#ffffff") == ([], True)
        assert tiles["units"] == sorted(map(unit, PARCELS[user]))
        assert desktop("tiles", layers="salaries")["valid"] == (user == "boss")


@BOTH_ORDERS
@pytest.mark.parametrize("version", ["", "1.0.0", "1.1.0"])
def test_wcs_gives_open_coverages(office: Office, users: tuple[str, ...], version: str) -> None:
    parts = {"version": version} if version else {}
    for user in users:
        desktop = office.desktop(user)
        assert desktop("coverage", name="ortho", **parts) == {"valid": True, "value": 7}
        plan = desktop("coverage", name="plan", **parts)
        assert plan == ({"valid": True, "value": 99} if user == "boss" else {"valid": False})


@BOTH_ORDERS
@WFS_VERSIONS
def test_wfs_reads_complete_layers(office: Office, users: tuple[str, ...], version: str) -> None:
    for user in users:
        desktop = office.desktop(user)
        parcels = desktop("read", name="parcels", version=version)
        assert fids(parcels) == PARCELS[user]
        assert sorted(parcels["fields"]) == sorted(COLUMNS[user])
        assert parcels["count"] == len(PARCELS[user])
        assert parcels["extent"] == [0.5, 0.5, 4.5, 4.5]
        assert parcels["writes"] == (user == "boss")
        assert desktop("read", name="salaries", version=version)["valid"] == (user == "boss")


@WFS_VERSIONS
@pytest.mark.parametrize("user", ["bob", "boss", "guest"])
def test_wfs_asks_the_server_for_a_part(office: Office, user: str, version: str) -> None:
    def read(**asked: Any) -> list[int]:
        return fids(office.desktop(user)("read", name="parcels", version=version, **asked))

    mine = PARCELS[user]
    assert read(subset="name = 'parcel 3'") == [3]
    assert read(subset="name IN ('parcel 2', 'parcel 3')") == [f for f in (2, 3) if f in mine]
    assert read(subset="fid > 4 AND fid < 8") == [f for f in (5, 6, 7) if f in mine]
    # Of equal sides, since client and server do not agree on the order of axes in every version.
    assert read(box=[0, 0, 2, 2], restrictToRequestBBOX="1") == [f for f in (1, 5, 6) if f in mine]
    assert read(pagingEnabled="true", pageSize="4") == mine
    assert read(pagingEnabled="true", pageSize="4", subset="fid > 2") == [f for f in mine if f > 2]
    assert read(subset="SELECT name, fid FROM parcels WHERE name = 'parcel 5' ORDER BY name") == [5]


def test_the_part_was_asked_for_at_the_server(running: Office) -> None:
    """Else the test before would tell of the client alone."""
    running.lines()
    running.desktop("bob")("read", name="parcels", version="1.1.0", subset="name = 'parcel 7'")
    assert any(line["request"] == "GetFeature" for line in running.lines())


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_wfs_edits_what_the_rules_allow(office: Office, version: str) -> None:
    def edit(how: str, **change: Any) -> bool:
        answer = office.desktop("bob")("edit", name="notes", how=how, version=version, **change)
        assert answer["started"], answer
        return bool(answer["saved"])

    def titles() -> dict[str, str]:
        rows = office.desktop("boss")("read", name="notes", version=version)["rows"]
        return {row["title"]: row["author"] for row in rows}

    before = {"of bob": "bob", "of alice": "alice"}
    assert titles() == before
    assert edit("insert", title="new", author="bob", at=[8.5, 8.5])
    assert titles() == {**before, "new": "bob"}
    assert edit("update", where="title = 'new'", title="newer")
    assert edit("move", where="title = 'newer'", at=[8.2, 8.2])
    assert titles() == {**before, "newer": "bob"}
    assert edit("delete", where="title = 'newer'")
    assert titles() == before


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_wfs_does_not_save_what_the_rules_do_not_allow(running: Office, version: str) -> None:
    def edit(how: str, **change: Any) -> dict[str, Any]:
        answer = running.desktop("bob")("edit", name="notes", how=how, version=version, **change)
        assert answer["started"], answer
        return dict(answer)

    boss = running.desktop("boss")
    before = boss("read", name="notes", version=version)["rows"]
    running.lines()
    for refused in (
        edit("insert", title="forged", author="alice", at=[8.5, 8.5]),
        edit("update", where="title = 'of bob'", author="alice"),
    ):
        assert not refused["saved"]
        assert "not" in str(refused["errors"]) or "error" in str(refused["errors"]).lower()
    assert len(running.refused()) == 2
    assert boss("read", name="notes", version=version)["rows"] == before
    parcels = running.desktop("bob")("edit", name="parcels", how="delete", where="fid = 1")
    assert not parcels["started"]


@BOTH_ORDERS
def test_oapif_reads_complete_layers(office: Office, users: tuple[str, ...]) -> None:
    for user in users:
        desktop = office.desktop(user)
        parcels = desktop("read", name="parcels", provider="OAPIF")
        assert fids(parcels) == PARCELS[user]
        assert sorted(set(parcels["fields"]) - {"id"}) == sorted(COLUMNS[user])
        assert parcels["count"] == len(PARCELS[user])


def test_oapif_of_a_hidden_layer_does_not_load(running: Office) -> None:
    for user in ("bob", "boss"):
        loaded = running.desktop(user)("read", name="salaries", provider="OAPIF")
        assert loaded["valid"] == (user == "boss")


@BOTH_ORDERS
@pytest.mark.parametrize("name", ["parcels", "salaries", "nothing"])
def test_what_desktop_asks_by_options_is_answered_like_a_get(
    running: Office, users: tuple[str, ...], name: str
) -> None:
    def ask(user: str, method: str) -> Any:
        word = b64encode(f"{user}:{PASSWORD}".encode()).decode()
        path, headers = f"/wfs3/collections/{name}/items", {"Authorization": f"Basic {word}"}
        answer = running.server.get("", headers, path=path, method=method)
        return {**answer.json, "timeStamp": ""} if answer.status == 200 else answer.json

    assert [ask(u, "OPTIONS") for u in users] == [ask(u, "GET") for u in users]


@pytest.mark.parametrize("user", ["bob", "boss", "guest"])
def test_oapif_asks_the_server_for_a_part(office: Office, user: str) -> None:
    def read(**asked: Any) -> list[int]:
        return fids(office.desktop(user)("read", name="parcels", provider="OAPIF", **asked))

    mine = PARCELS[user]
    assert read(subset="name = 'parcel 3'") == [3]
    assert read(where="name = 'parcel 2'") == [f for f in (2,) if f in mine]
    # Of equal sides, since client and server do not agree on the order of axes in every version.
    assert read(box=[0, 0, 2, 2], restrictToRequestBBOX="1") == [f for f in (1, 5, 6) if f in mine]
    assert read(pageSize="4", pagingEnabled="true") == mine
