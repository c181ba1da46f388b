"""Attributes that a project computes for each caller: no rule goes by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from qgis.core import QgsField, QgsProject, QgsVectorLayer, QgsVectorLayerJoinInfo
from qgis.PyQt.QtCore import QVariant

from access_filter_plugin.access_control.qgis_catalogue import read_catalogue
from tests.support.server import Client, Server
from tests.support.wms_projects import wms_project

ITEMS = "/collections/parcels/items"
#: True of all rows while nobody has said who the caller is.
OWN = 'coalesce("mine", 1) = 1'


def _computed(_project: QgsProject, layers: dict[str, QgsVectorLayer]) -> None:
    """Give parcels a field of the caller, one made of it, and one of neither; join it to reports."""
    parcels, reports = layers["parcels"], layers["reports"]
    for name, text in (
        ("mine", '"owner" = @access_user'),
        ("again", 'if("mine", 1, 0)'),
        ("looked", "var('access' || '_user') = \"owner\""),
        ("plain", 'upper("name")'),
    ):
        parcels.addExpressionField(text, QgsField(name, QVariant.String))
    join = QgsVectorLayerJoinInfo()
    join.setJoinLayer(parcels)
    join.setJoinFieldName("fid")
    join.setTargetFieldName("fid")
    join.setPrefix("p_")
    reports.addJoin(join)


def project(folder: Path, *rules: dict[str, Any]) -> Path:
    return wms_project(folder, _computed, access_rules=list(rules))


def count(client: Client) -> Any:
    answer = client.api(ITEMS, limit=1)
    return answer.json["numberMatched"] if answer.status == 200 else answer.status


def test_the_attributes_of_a_caller_are_found_near_by_and_far_off(
    server: Server, tmp_path: Path
) -> None:
    path = project(tmp_path / "found")
    loaded = QgsProject()
    assert loaded.read(str(path))
    found = {info.name: info.by_caller for info in read_catalogue(loaded).layers.values()}
    assert found["parcels"] == {"mine", "again", "looked"}
    assert found["reports"] == {"p_mine", "p_again", "p_looked"}
    assert found["owners"] == frozenset()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("query", "expected"),
    [("select var('access' || '_user') as a, 1 as b", {"a", "b"}), ("select 1 as a", set())],
)
def test_a_virtual_layer_that_may_ask_for_variables_is_one_of_the_caller_s(
    query: str, expected: set[str]
) -> None:
    loaded = QgsProject()
    loaded.addMapLayer(QgsVectorLayer(f"?query={quote(query)}", "virtual", "virtual"))
    (found,) = read_catalogue(loaded).layers.values()
    assert found.by_caller == expected


@pytest.mark.parametrize("name", ["mine", "again", "looked"])
def test_a_rule_by_such_an_attribute_opens_no_row_and_tells_no_count(
    server: Server, tmp_path: Path, name: str
) -> None:
    rule = {"layers": "parcels", "filter": OWN.replace("mine", name)}
    path = project(tmp_path / "allow", rule)
    alice = server.client(path, "alice")
    assert count(alice) == 404
    capabilities = alice.get(SERVICE="WMS", REQUEST="GetCapabilities", VERSION="1.3.0").text
    assert "parcels" not in capabilities


def test_a_deny_rule_by_such_an_attribute_covers_the_whole_layer(
    server: Server, tmp_path: Path
) -> None:
    hidden = {"effect": "deny", "layers": "parcels", "filter": 'NOT coalesce("mine", 1)'}
    path = project(tmp_path / "deny", {"layers": "*"}, hidden)
    assert count(server.client(path, "alice")) == 404


def test_other_computed_attributes_are_for_rules(server: Server, tmp_path: Path) -> None:
    path = project(tmp_path / "plain", {"layers": "parcels", "filter": "\"plain\" = 'ONE'"})
    assert count(server.client(path, "alice")) == 1


def test_without_a_rule_by_it_such_an_attribute_tells_each_caller_his_own(
    server: Server, tmp_path: Path
) -> None:
    path = project(tmp_path / "shown", {"layers": "parcels"})
    for user in ("alice", "carl"):
        features = server.client(path, user).api(ITEMS).json["features"]
        mine = [f["properties"]["name"] for f in features if f["properties"]["mine"] == "1"]
        assert mine == {"alice": ["one", "three"], "carl": ["four"]}[user]
