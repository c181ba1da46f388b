"""Two towns that differ only in what bob may not see give him the same answers, byte by byte."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from osgeo import ogr

from tests.server_feature_info.world import ALL, Town, categorized

RULES: list[dict[str, Any]] = [
    {"id": "alice", "layers": "*", "users": "alice"},
    {"id": "bob", "layers": ["*", "!tags", "!rooms"], "users": "bob"},
    {
        "effect": "deny",
        "layers": ["parcels", "buildings"],
        "attributes": ["secret"],
        "users": "bob",
    },
    *(
        {"effect": "deny", "layers": layer, "filter": rows, "users": "bob"}
        for layer, rows in (
            ("parcels", "\"parcel_id\" = 'P2'"),
            ("buildings", "\"name\" = 'Barn'"),
            ("owners", '"shy" = 1'),
            ("kinds", '"shown" = 0'),
            ("parcel_owner", '"owner" = 99 OR ("parcel" = 1 AND "owner" = 1)'),
        )
    ),
]
TOLD: dict[str, Any] = {
    "fields": ["*", "internal_code"],
    "empty": "keep",
    "maptip": True,
    "layers": {
        "parcels": {
            "computed": {
                "own": '"secret"',
                "sum": 'sum("price")',
                "others": "aggregate('buildings', 'count', \"fid\")",
                "relation": "relation_aggregate('parcel_buildings', 'sum', \"height\")",
                "label": "represent_value(\"kind\", 'kind')",
                "tag": "represent_value(\"tags\", 'tags')",
                "extent": "bounds_width(layer_property('parcels', 'extent'))",
                "user": '@access_user || "price"',
            },
            "related": {
                "buildings": {
                    "computed": {"secret": '"secret"', "feet": '"height" * 3.28'},
                    "order_by": ["secret", "-height"],
                    "limit": 2,
                    "related": {"rooms": {}},
                },
                "owners": {"order_by": "name"},
                "parcel_owner": {"limit": 1},
            },
            "links": {"a": 'https://e.org/[% "secret" %]', "b": "https://e.org/[% zone %]"},
            "attachments": {"photo": {"base_url": "https://e.org/"}, "secret": {}},
        }
    },
}
CHANGES = {
    "parcels": (
        "UPDATE parcels SET secret = 'OTHER' || fid",
        "UPDATE parcels SET zone = 4, owner = 1, kind = 'x', price = 77, remark = 'OTHER' "
        "WHERE parcel_id = 'P2'",
        "INSERT INTO parcels (geom, parcel_id, zone) SELECT geom, 'P2', 3 FROM parcels "
        "WHERE fid = 1",
    ),
    "buildings": (
        "UPDATE buildings SET secret = 'OTHER' || (10 - fid)",
        "UPDATE buildings SET height = 99, \"use\" = 1 WHERE name = 'Barn'",
        "INSERT INTO buildings (geom, parcel, name, height) SELECT geom, 1, 'Barn', 50 "
        "FROM buildings WHERE fid = 4",
    ),
    "owners": (
        "UPDATE owners SET name = 'OTHER', phone = '9' WHERE shy = 1",
        "INSERT INTO owners (fid, name, shy) VALUES (7, 'OTHER 7', 1)",
    ),
    "kinds": (
        "UPDATE kinds SET label = 'OTHER' WHERE shown = 0",
        "INSERT INTO kinds (code, label, shown) VALUES ('nope', 'OTHER nope', 0)",
    ),
    "tags": ("UPDATE tags SET label = 'OTHER' || id", "DELETE FROM tags WHERE id = 2"),
    "rooms": ("DELETE FROM rooms WHERE fid = 1", "UPDATE rooms SET name = 'OTHER'"),
    "parcel_owner": (
        "DELETE FROM parcel_owner WHERE owner = 99",
        "DELETE FROM parcel_owner WHERE parcel = 1 AND owner = 1",
        "INSERT INTO parcel_owner (parcel, owner) VALUES (2, 99)",
    ),
}


def change(folder: Path) -> None:
    """Change everything that bob may not see, and nothing else."""
    source = ogr.Open(str(folder / "data.gpkg"), 1)
    for statement in itertools.chain.from_iterable(CHANGES.values()):
        source.ExecuteSQL(statement)
    source = None


@pytest.fixture(scope="module")
def towns(server: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Town]:
    made = tuple(Town(tmp_path_factory.mktemp(name)) for name in ("one", "two"))
    change(made[1].folder)
    return made[0], made[1]


def without_keys(body: bytes) -> bytes:
    """Return an answer without the keys of legends, which newer QGIS draws by lot."""
    return re.sub(rb'"key":"\{[0-9a-f-]+\}"', b'"key":""', body)


def drawn(by_zone: bool) -> Any:
    def tweak(_project: Any, layers: Any) -> None:
        parcels = layers["parcels"]
        parcels.setMapTipTemplate('tip [% "price" %]')
        layers["buildings"].setMapTipTemplate('tip [% "secret" %]')
        parcels.setDisplayExpression("\"parcel_id\" || ' ' || coalesce(\"zone\", '')")
        if by_zone:
            parcels.setRenderer(categorized(parcels, "zone", {3: "three", None: "rest"}))

    return tweak


PLACES = ({}, {"I": "60"}, {"BBOX": "0,0,40,40", "I": "51", "J": "48"})
COUNTS = ("1", "10")
LAYERS = ("parcels", "buildings", "parcels,buildings", "owners,parcels,parcels")


@pytest.mark.parametrize("by_zone", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"properties": "names", "geometry": "bbox"},
        {"properties": "labels", "place": "property", "geometry": "centroid"},
        {"properties": "aliases", "empty": "drop_empty", "geometry": "wgs84"},
    ],
    ids=lambda options: options.get("properties", "stock"),
)
def test_what_is_hidden_does_not_change_an_answer(
    ask: Any, towns: tuple[Town, Town], options: Any, by_zone: bool
) -> None:
    projects = [
        town.project({**TOLD, **options}, layers=ALL, tweak=drawn(by_zone), access_rules=RULES)
        for town in towns
    ]
    seen_by_alice = set()
    for place, count, layers in itertools.product(PLACES, COUNTS, LAYERS):
        asked = {**place, "FEATURE_COUNT": count, "WITH_GEOMETRY": "TRUE"}
        for_bob = [ask.raw(project, layers, "bob", **asked) for project in projects]
        assert for_bob[0].status == 200
        assert without_keys(for_bob[0].body) == without_keys(for_bob[1].body), (layers, asked)
        assert b"OTHER" not in for_bob[1].body
        assert b"CANARY" not in for_bob[0].body
        for_alice = [ask.raw(project, layers, "alice", **asked) for project in projects]
        seen_by_alice.add(without_keys(for_alice[0].body) == without_keys(for_alice[1].body))
    assert False in seen_by_alice  # the two towns do differ


def test_the_change_is_seen_by_those_who_may(ask: Any, towns: tuple[Town, Town]) -> None:
    """Else equal answers would prove nothing: each table's change shows in alice's answers."""
    told = []
    for town in towns:
        project = town.project(TOLD, layers=ALL, tweak=drawn(False), access_rules=RULES)
        told.append(ask(project, user="alice")["features"])
    one, two = (features[0]["info"] for features in told)
    assert len(told[0]) < len(told[1])
    assert one["computed"]["own"] != two["computed"]["own"]
    assert one["related"]["owners"] != two["related"]["owners"]
    assert one["related"]["parcel_owner"]["count"] != two["related"]["parcel_owner"]["count"]
    assert one["related"]["buildings"]["count"] < two["related"]["buildings"]["count"]
    assert one["computed"]["tag"] != two["computed"]["tag"]
    kinds = [features[1]["info"]["computed"]["label"] for features in told]
    assert kinds[0] != kinds[1]
