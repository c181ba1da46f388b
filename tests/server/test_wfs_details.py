"""WFS and OGC API Features where names, ids and versions of QGIS make a difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject

from access_filter_plugin import qgis_requests
from tests.support.projects import policy_project, publish, save, vector_layer, write_geopackage
from tests.support.server import Client, Server
from tests.support.wfs import by_id, equals, features, names, query, transaction, update

NULL_IS_OPEN = [
    {"layers": "parcels", "filter": 'coalesce("public", 1) = 1', "attributes": ["name", "zone"]}
]


def test_ids_do_not_go_past_a_filter_that_is_true_for_null(server: Server, tmp_path: Path) -> None:
    """QGIS from 3.24 on tests the row filter on the attributes that were asked for (facts F9)."""
    client = server.client(policy_project(tmp_path / "p", access_rules=NULL_IS_OPEN))
    ids = "parcels.1,parcels.2"
    assert names(features(client, None, FEATUREID=ids)) == ["one"]
    assert names(features(client, None, FEATUREID=ids, PROPERTYNAME="(name)(name)")) == ["one"]
    assert names(features(client, FILTER=by_id("parcels.1", "parcels.2"))) == ["one"]
    body = query("parcels", f"<wfs:PropertyName>name</wfs:PropertyName>{by_id('parcels.2')}")
    answer = client.post(body, SERVICE="WFS")
    assert answer.status == 400 or names(answer) == []


@pytest.fixture
def odd_names(tmp_path: Path) -> Path:
    """A layer with aliases that are names of other attributes, and a label from elsewhere."""
    write_geopackage(tmp_path / "data.gpkg")
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    layer = vector_layer(tmp_path, "parcels", "My parcels: ä")
    layer.setFieldAlias(layer.fields().indexOf("name"), "owner")
    layer.setFieldAlias(layer.fields().indexOf("zone"), "Zone of it")
    project.addMapLayer(layer)
    publish(project)
    return save(project, tmp_path / "project.qgs", {"access_rules": [
        {"layers": "*", "attributes": ["name", "zone", "status"], "actions": ["read", "update"]}
    ]})  # fmt: skip


def collection(client: Client) -> str:
    listed = client.api("/collections").json["collections"]
    assert [one["id"] for one in listed] == ["My parcels: ä"]
    return "/collections/My%20parcels:%20%C3%A4"


def test_a_property_under_the_name_of_a_hidden_one_is_left_out(
    server: Server, odd_names: Path
) -> None:
    """Its alias is the name of a hidden attribute, so QGIS could mean either."""
    client = server.client(odd_names)
    item = client.api(f"{collection(client)}/items/1").json
    assert item["properties"] == {"Zone of it": 1, "status": "draft"}


def test_aliases_of_visible_attributes_filter(server: Server, odd_names: Path) -> None:
    client = server.client(odd_names)
    items = f"{collection(client)}/items?MAP={odd_names}&Zone%20of%20it=2"
    answer = server.run(f"http://localhost/wfs3{items}", cgi=client.cgi)
    assert [feature["id"] for feature in answer.json["features"]] == ["2", "4"]


def test_an_edit_by_alias_does_not_reach_the_hidden_attribute(
    server: Server, odd_names: Path
) -> None:
    client = server.client(odd_names)
    path = f"{collection(client)}/items/1"
    body = {"type": "Feature", "properties": {"owner": "mallory"}}
    assert client.api(path, "PUT", body).status == 403
    sent = {"type": "Feature", "properties": {"Zone of it": 9, "status": "done"}}
    assert client.api(path, "PUT", sent).status == 200
    with server.unguarded():
        assert client.api(path).json["properties"]["status"] == "done"


def test_names_with_blanks_and_colons_are_found_by_the_name_that_wfs_gives(
    server: Server, odd_names: Path
) -> None:
    client = server.client(odd_names)
    schema = client.get(SERVICE="WFS", REQUEST="DescribeFeatureType").text
    assert 'name="My_parcels-_ä"' in schema
    assert 'name="public"' not in schema
    assert names(features(client, "My_parcels-_ä", MAXFEATURES=1)) == ["one"]
    capabilities = client.get(SERVICE="WFS", REQUEST="GetCapabilities").text
    assert "My_parcels" in capabilities
    assert "<Insert/>" not in capabilities


def test_a_json_schema_leaves_hidden_attributes_out(server: Server, odd_names: Path) -> None:
    client = server.client(odd_names)
    answer = client.get(
        SERVICE="WFS", REQUEST="DescribeFeatureType", OUTPUTFORMAT="application/json"
    )
    assert answer.status == 200
    if answer.headers["Content-Type"].startswith("application/json"):  # after 3.22
        found = [p["name"] for p in answer.json["featureTypes"][0]["properties"]]
        assert sorted(found) == ["geometry", "name", "status", "zone"]
    assert "status" in answer.text
    assert not [name for name in ("public", "owner_name", "fid") if name in answer.text]


def test_the_hook_holds_where_admission_is_not_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second line alone: allowToEdit with the stored row, for every row of the transaction."""
    from access_filter_plugin.access_control import qgis_admission

    rules = [
        {"layers": "parcels", "actions": ["read", "update"]},
        {"layers": "parcels", "effect": "deny", "actions": "update", "filter": "zone <> 1"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    services = {**qgis_admission.SERVICES, "WFS": lambda *_: qgis_admission.ADMITTED}
    monkeypatch.setattr(qgis_admission, "SERVICES", services)
    changed = transaction(client, update("parcels", by_id("parcels.1"), name="uno"))
    assert "<totalUpdated>1</totalUpdated>" in changed.text
    kept = transaction(client, update("parcels", by_id("parcels.2"), name="dos"))
    assert "denied" in kept.text
    assert names(features(client)) == ["uno", "two", "three", "four"]


LARGE = query("parcels", " " * 1_048_577)


def test_a_body_beyond_the_limit_is_refused_unread(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client(policy_project(tmp_path / "p", access_rules=NULL_IS_OPEN))
    within = query("parcels", " " * 1_000_000)
    assert len(names(client.post(within, SERVICE="WFS", REQUEST="GetFeature"))) > 0
    monkeypatch.setattr(qgis_requests, "read_request", None)
    for asked in ({"REQUEST": "GetFeature"}, {"REQUEST": "Transaction"}):
        answer = client.post(LARGE, SERVICE="WFS", **asked)
        assert (answer.status, "too large" in answer.text) == (413, True)
    refused = client.api("/collections/parcels/items", "POST", {"x": "y" * 1_048_577})
    assert refused.status == 413


@pytest.mark.parametrize("variables", [{}, {"access_rules": [{"layers": "*"}]}])
def test_a_large_body_of_whom_nothing_limits_is_guarded_and_passes(
    server: Server, tmp_path: Path, variables: dict[str, Any]
) -> None:
    client = server.client(policy_project(tmp_path / "p", **variables))
    assert len(names(client.post(LARGE, SERVICE="WFS", REQUEST="GetFeature"))) == 4
    reads = "<!DOCTYPE x>" + LARGE
    assert client.post(reads, SERVICE="WFS", REQUEST="GetFeature").status == 400


def test_a_body_is_read_as_xml_however_many_blanks_are_before_it(
    server: Server, tmp_path: Path
) -> None:
    rules = [{"layers": "parcels", "attributes": ["name"]}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    body = " " * 5000 + query("parcels", equals("owner", "alice"))
    asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "parcels"}
    with server.unguarded():
        assert len(names(client.post(body, **asked))) == 2
    assert "does not exist" in client.post(body, **asked).text


def test_a_body_sent_as_a_parameter_is_refused(server: Server, tmp_path: Path) -> None:
    rules = [{"layers": "parcels", "attributes": ["name"]}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "parcels"}
    answer = client.get(**asked, REQUEST_BODY=query("parcels"))
    assert "REQUEST_BODY: send it as the body" in answer.text


LIMITED = {"layers": "parcels", "actions": ["read", "update", "delete"], "filter": "public = 1"}


@pytest.mark.parametrize("rules", [[LIMITED], [LIMITED, {"layers": "*"}]])
def test_items_are_not_given_where_the_method_cannot_be_known(
    server: Server, tmp_path: Path, rules: list[dict[str, Any]]
) -> None:
    """A server that hides the method (py-qgis-server) must not delete what we took for reading."""
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    client.cgi["REQUEST_METHOD"] = ""
    url = f"http://localhost/wfs3/collections/parcels/items/1?MAP={client.project}"
    for method in ("GET", "DELETE"):
        answer = server.run(url, method, cgi=client.cgi)
        assert answer.status == 403
    del client.cgi["REQUEST_METHOD"]
    assert client.api("/collections/parcels/items/1").status == 200


def test_a_method_that_qgis_answers_as_reading_is_no_edit(server: Server, tmp_path: Path) -> None:
    """QGIS knows methods in capitals only: what Apache passes on as "delete" reads the item."""
    rules = [
        {"layers": "parcels", "attributes": ["name", "status"]},
        {"layers": "parcels", "actions": "update", "attributes": "owner_name", "filter": "public"},
        {"layers": "parcels", "actions": "delete", "filter": "public = 1"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    client.cgi["REQUEST_METHOD"] = "delete"
    url = f"http://localhost/wfs3/collections/parcels/items/1.json?MAP={client.project}"
    answer = server.run(url, "GET", cgi=client.cgi)
    assert answer.status == 400
    assert "Alice" not in answer.text


@pytest.mark.parametrize("path", ["", "/static", "/api", "/x/api/y"])
def test_denied_items_are_denied_wherever_in_the_path_they_are_named(
    server: Server, tmp_path: Path, path: str
) -> None:
    """To a caller to whom all else is open, and whose requests pass as they are."""
    rules = [{"layers": "*"}, {"effect": "deny", "layers": "*", "requests": ["Items", "Item"]}]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    with server.unguarded():
        assert "Alice" in client.api(f"{path}/collections/parcels/items.json").text
    assert "Alice" not in client.api(f"{path}/collections/parcels/items.json").text
    assert "Alice" not in client.api(f"{path}/collections/parcels/items/1.json").text


@pytest.mark.parametrize("name", ["DescribeFeatureType", "De\u017fcribeFeatureType"])
def test_a_denied_request_is_denied_in_every_spelling_that_qgis_reads(
    server: Server, tmp_path: Path, name: str
) -> None:
    rules = [
        {"layers": "*"},
        {"effect": "deny", "layers": "parcels", "requests": "DescribeFeatureType"},
    ]
    client = server.client(policy_project(tmp_path / "p", access_rules=rules))
    answer = client.get(SERVICE="WFS", VERSION="1.1.0", REQUEST=name, TYPENAME="parcels")
    assert "owner_name" not in answer.text
    with server.unguarded():
        answer = client.get(SERVICE="WFS", VERSION="1.1.0", REQUEST=name, TYPENAME="parcels")
    assert "owner_name" in answer.text


def test_dimensions_of_hidden_things_are_not_listed(server: Server, tmp_path: Path) -> None:
    from qgis.core import QgsMapLayerServerProperties as Properties

    folder = tmp_path / "p"
    project_path = policy_project(folder)
    project = QgsProject()
    assert project.read(str(project_path))
    layer = project.mapLayersByName("parcels")[0]
    for name, attribute in (("zones", "zone"), ("owners", "owner")):
        layer.serverProperties().addWmsDimension(_dimension(Properties, name, attribute))
    rules = [
        {"roles": "boss", "layers": "*"},
        {"roles": "viewer", "layers": "parcels", "attributes": ["zone", "name"]},
        {"roles": "zoner", "layers": "parcels", "filter": "zone = 1"},
    ]
    path = save(project, folder / "dimensions.qgs", {"access_rules": rules})

    def listed(role: str) -> list[str]:
        client = server.client(path, "x", role)
        text = client.get(SERVICE="WMS", REQUEST="GetCapabilities", VERSION="1.3.0").text.lower()
        return [name for name in ("zones", "owners") if f'name="{name}"' in text]

    assert listed("boss") == ["zones", "owners"]
    assert listed("viewer") == ["zones"]
    assert listed("zoner") == []
    assert listed("boss") == ["zones", "owners"]


def _dimension(properties: Any, name: str, attribute: str) -> Any:
    kind = getattr(properties, "WmsDimensionInfo", None)
    if kind is None:
        from qgis.core import QgsVectorLayerServerProperties

        kind = QgsVectorLayerServerProperties.WmsDimensionInfo
    return kind(name, attribute)
