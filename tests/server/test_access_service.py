"""SERVICE=ACCESS: health, the caller's own rights, and explanations for administrators."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from qgis.server import QgsServerCacheFilter

from access_filter_plugin.access_service import qgis_filter as access_service
from tests.support.projects import policy_project
from tests.support.server import Server

RULES = [
    {"id": "map", "layers": ["parcels", "ortho", "reports"]},
    {"id": "no-owners", "effect": "deny", "roles": "!editor", "layers": "parcels", "attributes": "owner*"},
    {"id": "drafts", "effect": "deny", "roles": "!editor", "layers": "parcels", "filter": "\"status\" = 'draft'"},
    {"id": "own-reports", "roles": "viewer", "layers": "reports", "actions": ["insert", "update"],
     "filter": "\"author\" = @access_user", "readonly": "author"},
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    return policy_project(
        tmp_path_factory.mktemp("access"),
        access_rules=RULES,
        access_roles={"gisadmin": ["mallory"]},
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Path:
    return policy_project(tmp_path_factory.mktemp("broken"), access_rules='[{"layer": "*"}]')


def test_health_needs_no_project(server: Server) -> None:
    answer = server.run("http://localhost/?SERVICE=ACCESS&REQUEST=Health")
    assert (answer.status, answer.json["status"]) == (200, "ok")


def test_health_of_a_project_is_that_of_its_rules(
    server: Server, project: Path, broken: Path
) -> None:
    assert server.client(project).get(SERVICE="ACCESS", REQUEST="Health").status == 200
    answer = server.client(broken).get(SERVICE="ACCESS", REQUEST="Health")
    assert answer.status == 503
    assert answer.json == {"status": "closed", "plugin": "access_filter"}


def test_health_of_a_missing_project_is_closed(server: Server, tmp_path: Path) -> None:
    client = server.client(tmp_path / "no_such_project.qgs")
    assert client.get(SERVICE="ACCESS", REQUEST="Health").status == 503


def test_names_of_service_and_request_ignore_case(server: Server) -> None:
    assert server.run("http://localhost/?service=access&request=HEALTH").status == 200


def test_callers_learn_who_they_are_and_what_they_may_see(server: Server, project: Path) -> None:
    answer = server.client(project, "bob", "viewer").get(SERVICE="ACCESS", REQUEST="GetPermissions")
    body = answer.json
    assert (body["user"], body["roles"], body["source"]) == (
        "bob",
        ["authenticated", "viewer"],
        "remote_user",
    )
    layers = {layer["name"]: layer for layer in body["layers"]}
    assert set(layers) == {"parcels", "ortho", "reports"}
    assert layers["parcels"]["attributes"] == ["fid", "name", "status", "public", "zone"]
    assert layers["parcels"]["rows_filtered"]
    assert layers["parcels"]["actions"] == ["read"]
    assert layers["reports"]["actions"] == ["read", "insert", "update"]
    assert "author" not in layers["reports"]["writable"]["update"]
    assert "author" in layers["reports"]["writable"]["insert"]
    assert "title" not in layers["reports"]["readonly"]


def test_permissions_name_nothing_that_is_closed(server: Server, project: Path) -> None:
    text = server.client(project).get(SERVICE="ACCESS", REQUEST="GetPermissions").text
    assert "salaries" not in text
    assert "owner_name" not in text


def test_anonymous_callers_are_told_that_they_are(server: Server, project: Path) -> None:
    body = server.client(project).get(SERVICE="ACCESS", REQUEST="GetPermissions").json
    assert (body["user"], body["anonymous"], body["roles"]) == (None, True, ["anonymous"])


def test_a_project_without_rules_says_that_control_is_off(server: Server, tmp_path: Path) -> None:
    body = (
        server.client(policy_project(tmp_path)).get(SERVICE="ACCESS", REQUEST="GetPermissions").json
    )
    assert body["access_control"] == "off"


def test_only_given_admin_roles_may_ask_for_explanations(server: Server, project: Path) -> None:
    ask = {"SERVICE": "ACCESS", "REQUEST": "Explain", "USER": "bob", "LAYER": "parcels"}
    assert server.client(project).get(**ask).status == 403
    assert server.client(project, "bob", "viewer").get(**ask).status == 403
    assert server.client(project, "mallory").get(**ask).status == 403
    assert server.client(project, "ada", "gisadmin").get(**ask).status == 200


def test_an_explanation_says_of_every_rule_why(server: Server, project: Path) -> None:
    admin = server.client(project, "ada", "gisadmin")
    body = admin.get(
        SERVICE="ACCESS", REQUEST="Explain", USER="bob", ROLES="viewer", LAYER="parcels"
    ).json
    (layer,) = body["layers"]
    fate = {rule["id"]: (rule["matched"], rule["why"]) for rule in layer["rules"]}
    assert fate["map"] == (True, "allows read, lookup")
    assert fate["drafts"][0] is True
    assert fate["own-reports"][0] is False
    assert layer["decision"]["hidden"] == ["owner", "owner_name"]
    assert layer["decision"]["rows"] == "NOT (\"status\" = 'draft')"
    editor = admin.get(
        SERVICE="ACCESS", REQUEST="Explain", USER="eve", ROLES="editor", LAYER="parcels"
    ).json
    (layer,) = editor["layers"]
    fate = {rule["id"]: rule["why"] for rule in layer["rules"]}
    assert fate["drafts"] == "it excludes role editor"


def test_an_explanation_of_a_url_says_what_admission_would_do(
    server: Server, project: Path
) -> None:
    admin = server.client(project, "ada", "gisadmin")
    url = "http://x/?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS=parcels&SLD_BODY=x"
    body = admin.get(SERVICE="ACCESS", REQUEST="Explain", USER="bob", ROLES="viewer", URL=url).json
    assert body["request"] == "GetMap"
    assert body["admission"]["admitted"] is False
    assert "SLD" in body["admission"]["refused"]


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"LAYER": "no_such_layer"}, "LAYER"),
        ({"ROLES": "viewer"}, "ROLES"),
        ({"USER": "bob", "ADDRESS": "not-an-address"}, "ADDRESS"),
        ({"USER": "bob", "FOR_SERVICE": "WPS"}, "FOR_SERVICE"),
        ({"USER": "bob", "URL": "http://x/"}, "URL"),
    ],
)
def test_a_wrong_parameter_of_explain_is_named(
    server: Server, project: Path, parameters: dict[str, str], name: str
) -> None:
    admin = server.client(project, "ada", "gisadmin")
    answer = admin.get(SERVICE="ACCESS", REQUEST="Explain", **parameters)
    assert answer.status == 400
    assert answer.json["error"].startswith(f"{name}:")


def test_problems_of_a_closed_project_are_for_admins_only(server: Server, broken: Path) -> None:
    ask = {"SERVICE": "ACCESS", "REQUEST": "GetPermissions"}
    stranger = server.client(broken, "bob", "viewer").get(**ask)
    assert (stranger.status, stranger.json) == (503, {"error": "This project is closed."})
    admin = server.client(broken, "ada", "gisadmin").get(**ask)
    assert admin.status == 503
    assert admin.json["problems"][0]["path"] == "access_rules[0].layer"


def test_admins_are_warned_of_forgotten_copies(server: Server, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=RULES)
    Path(f"{project}~").write_text("old")
    admin = server.client(project, "ada", "gisadmin")
    warnings = admin.get(SERVICE="ACCESS", REQUEST="GetPermissions").json["warnings"]
    assert any("project.qgs~" in warning for warning in warnings)
    assert (
        "warnings"
        not in server.client(project).get(SERVICE="ACCESS", REQUEST="GetPermissions").json
    )


def test_admins_are_warned_of_caches_that_other_plugins_bring(
    server: Server, project: Path
) -> None:
    ask = {"SERVICE": "ACCESS", "REQUEST": "GetPermissions"}
    admin = server.client(project, "ada", "gisadmin")
    warning = "another cache filter TileCache is loaded"
    assert warning not in admin.get(**ask).json["warnings"]
    # Of no module, so that the cache of documents, which looks as well, stays on for other tests.
    cache = type("TileCache", (QgsServerCacheFilter,), {"__module__": "not_imported"})
    assert warning in admin.get(**ask).json["warnings"]
    assert "warnings" not in server.client(project, "bob").get(**ask).json
    del cache
    gc.collect()


def test_an_unknown_request_is_refused(server: Server, project: Path) -> None:
    assert server.client(project).get(SERVICE="ACCESS", REQUEST="DropTables").status == 400


def test_an_error_on_the_way_is_a_closed_answer(
    server: Server, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(access_service, "permissions_object", fail)
    answer = server.client(project).get(SERVICE="ACCESS", REQUEST="GetPermissions")
    assert answer.status == 503
    assert b"on purpose" not in answer.body
