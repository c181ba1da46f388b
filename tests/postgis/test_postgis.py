"""Row filters, attributes and edits on a real PostGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsFeatureRequest, QgsVectorLayer

from access_filter_plugin.access_control.expression import bind_subject
from access_filter_plugin.access_control.qgis_expression import QgisExpressionEngine
from access_filter_plugin.subject import Subject
from tests.support.server import Client, Server

from .cluster import Cluster

COMPILED = 2
"""``QgsAbstractFeatureIterator.Compiled``: the whole filter ran in the database."""


def features(client: Client, layer: str = "parcels", **more: Any) -> list[dict[str, Any]]:
    answer = client.get(
        SERVICE="WFS", REQUEST="GetFeature", VERSION="1.1.0", TYPENAME=layer,
        OUTPUTFORMAT="GeoJSON", **more,
    )  # fmt: skip
    assert answer.status == 200, answer.text
    return list(answer.json["features"])


def owners(client: Client) -> set[str]:
    return {feature["properties"]["owner"] for feature in features(client)}


@pytest.mark.parametrize("user", ["alice", "bob", "O'Brien"])
def test_each_user_sees_the_rows_of_his_own(server: Server, project: Path, user: str) -> None:
    assert owners(server.client(project, user)) == {user}
    assert len(features(server.client(project, user))) == 20


def test_roles_open_the_rows_of_their_team(server: Server, project: Path) -> None:
    found = features(server.client(project, "carl", "north"))
    assert {feature["properties"]["team"] for feature in found} == {"north"}
    assert len(found) == 30


def test_rows_of_several_rules_add_up(server: Server, project: Path) -> None:
    found = features(server.client(project, "alice", "north"))
    expected = {
        (f["properties"]["owner"] == "alice" or f["properties"]["team"] == "north") for f in found
    }
    assert expected == {True}
    assert len(found) == 40


def test_anonymous_callers_and_strange_names_see_no_row(server: Server, project: Path) -> None:
    assert features_or_refusal(server.client(project)) == 0
    for name in ("x') or ('1'='1", "alice' --", "\\", "alice\\"):
        assert features_or_refusal(server.client(project, name)) == 0


def features_or_refusal(client: Client) -> int:
    answer = client.get(
        SERVICE="WFS", REQUEST="GetFeature", TYPENAME="parcels", OUTPUTFORMAT="GeoJSON"
    )
    return len(answer.json["features"]) if answer.status == 200 else 0


def test_a_hidden_attribute_is_in_no_answer(server: Server, project: Path) -> None:
    client = server.client(project, "alice")
    assert "secret" not in features(client)[0]["properties"]
    item = client.api("/collections/parcels/items", limit=3)
    assert "secret" not in item.text
    root = server.client(project, "rita", "root")
    assert features(root)[0]["properties"]["secret"].startswith("secret")


def test_a_view_without_a_key_is_filtered_as_well(server: Server, project: Path) -> None:
    found = features(server.client(project, "bob"), "keyless")
    assert [feature["properties"]["owner"] for feature in found] == ["bob"] * 3


@pytest.mark.parametrize(
    "filter_",
    [
        '"owner" = @access_user',
        '"team" IN (@access_roles)',
        '"status" = \'open\' AND NOT ("owner" = @access_user)',
        '("owner" = @access_user) OR ("team" IN (@access_roles) AND "status" IS NULL)',
    ],
)
def test_bound_filters_run_in_the_database(cluster: Cluster, filter_: str) -> None:
    layer = QgsVectorLayer(cluster.source("parcels"), "parcels", "postgres")
    canonical = QgisExpressionEngine().parse(filter_).text
    for roles in (["north", "o'hara"], []):
        text = bind_subject(canonical, Subject("O'Brien", frozenset(roles)), roles)
        iterator = layer.dataProvider().getFeatures(QgsFeatureRequest().setFilterExpression(text))
        assert int(iterator.compileStatus()) == COMPILED, text
        for _feature in iterator:
            pass


def transaction(action: str) -> str:
    return (
        '<wfs:Transaction xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc" '
        'xmlns:gml="http://www.opengis.net/gml" xmlns:qgs="http://www.qgis.org/gml" '
        f'service="WFS" version="1.1.0">{action}</wfs:Transaction>'
    )


def update(row: int, attribute: str, value: str) -> str:
    return transaction(
        f'<wfs:Update typeName="parcels"><wfs:Property><wfs:Name>{attribute}</wfs:Name>'
        f"<wfs:Value>{value}</wfs:Value></wfs:Property>"
        f'<ogc:Filter><ogc:FeatureId fid="parcels.{row}"/></ogc:Filter></wfs:Update>'
    )


def column(cluster: Cluster, name: str, row: int) -> str:
    return cluster.sql(f'SELECT "{name}" FROM parcels WHERE id = {row}')


def row_of(cluster: Cluster, owner: str) -> int:
    return int(cluster.sql(f"SELECT min(id) FROM parcels WHERE owner = '{owner}'"))


def test_a_row_of_ones_own_can_be_changed(server: Server, project: Path, cluster: Cluster) -> None:
    row = row_of(cluster, "alice")
    answer = server.client(project, "alice").post(
        update(row, "name", "renamed"), SERVICE="WFS", REQUEST="Transaction"
    )
    assert answer.status == 200, answer.text
    assert column(cluster, "name", row) == "renamed"


@pytest.mark.parametrize(
    ("user", "attribute", "value"),
    [
        ("bob", "name", "x"),
        ("alice", "owner", "bob"),
        ("alice", "secret", "x"),
        (None, "name", "x"),
    ],
)
def test_what_is_not_allowed_is_not_written(
    server: Server, project: Path, cluster: Cluster, user: str | None, attribute: str, value: str
) -> None:
    row = row_of(cluster, "alice")
    before = column(cluster, attribute, row)
    server.client(project, user).post(
        update(row, attribute, value), SERVICE="WFS", REQUEST="Transaction"
    )
    assert column(cluster, attribute, row) == before


def test_without_the_plugin_the_same_edit_is_written(
    server: Server, project: Path, cluster: Cluster
) -> None:
    row = row_of(cluster, "bob")
    with server.unguarded():
        server.client(project).post(
            update(row, "secret", "seen"), SERVICE="WFS", REQUEST="Transaction"
        )
    assert column(cluster, "secret", row) == "seen"
