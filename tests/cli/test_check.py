"""Every warning of ``check`` has a project that triggers it, and one that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsEditorWidgetSetup,
    QgsField,
    QgsLayoutItemLabel,
    QgsMapLayerServerProperties,
    QgsPrintLayout,
    QgsProject,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant

from tests.support.projects import policy_project, publish, save, vector_layer, write_geopackage

from .conftest import Result

Run = Callable[..., Result]
EVERYTHING = {"layers": "*"}

#: what the warning says → (rules that trigger it, rules that do not)
POLICIES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "name nobody": (
        [EVERYTHING, {"users": [], "layers": "parcels"}],
        [EVERYTHING, {"users": "anna", "layers": "parcels", "actions": ["read", "update"]}],
    ),
    "it names no service": (
        [EVERYTHING, {"services": [], "layers": "parcels"}],
        [EVERYTHING],
    ),
    "can no longer match": (
        [{"layers": "*", "valid_until": "2020-01-01"}],
        [{"layers": "*", "valid_until": "2999-01-01"}],
    ),
    "names no layer of the project": (
        [EVERYTHING, {"layers": "no_such_*", "roles": "a"}],
        [EVERYTHING],
    ),
    "no such layer": (
        [EVERYTHING, {"layers": "parcel"}],
        [EVERYTHING],
    ),
    "no such style": (
        [{"layers": "parcels", "styles": "purple"}],
        [{"layers": "parcels", "styles": "default"}],
    ),
    "no such print layout": (
        [EVERYTHING, {"effect": "deny", "templates": "Nowhere"}],
        [EVERYTHING, {"effect": "deny", "templates": "Nowhere*"}],
    ),
    "no layer of the rule has it": (
        [{"layers": "parcels", "attributes": ["name", "nmae"]}],
        [{"layers": "parcels", "attributes": ["name"]}],
    ),
    "swallowed by": (
        [EVERYTHING, {"roles": "editor", "layers": "parcels", "filter": '"public" = 1'}],
        [{"layers": "ortho"}, {"roles": "editor", "layers": "parcels", "filter": '"public" = 1'}],
    ),
    "it is swallowed by no-parcels": (
        [
            {"roles": "editor", "layers": "parcels"},
            {"id": "no-parcels", "effect": "deny", "layers": "parcels"},
        ],
        [
            {"roles": "editor", "layers": "parcels"},
            {"id": "no-parcels", "effect": "deny", "roles": "guest", "layers": "parcels"},
        ],
    ),
    "it is swallowed by not-for-editors": (
        [
            {"roles": "editor", "layers": "parcels"},
            {"id": "not-for-editors", "effect": "deny", "roles": "editor", "layers": "parcels"},
        ],
        [
            {"roles": "editor", "layers": "parcels"},
            {
                "id": "not-for-editors",
                "effect": "deny",
                "roles": "editor",
                "layers": "parcels",
                "filter": '"public" = 0',
            },
        ],
    ),
    "is published by WMS, WFS, OAPIF, and no rule speaks of it": (
        [{"layers": "parcels"}],
        [EVERYTHING],
    ),
    "only the attributes that both show": (
        [
            {"layers": "parcels", "filter": '"public" = 1', "attributes": "name"},
            {"layers": "parcels", "filter": '"owner" = @access_user'},
        ],
        [
            {"layers": "parcels", "filter": '"public" = 1'},
            {"layers": "parcels", "filter": '"owner" = @access_user'},
        ],
    ),
    "open by OAPIF": (
        [EVERYTHING, {"effect": "deny", "services": "WFS", "layers": "parcels"}],
        [EVERYTHING, {"effect": "deny", "services": ["WFS", "OAPIF"], "layers": "parcels"}],
    ),
    "is not defined, did you mean": (
        [EVERYTHING, {"effect": "deny", "roles": "anonymus", "layers": "parcels"}],
        [EVERYTHING, {"effect": "deny", "roles": "anonymous", "layers": "parcels"}],
    ),
    "no rule opens it to anybody": (
        [{"layers": "parcels"}],
        [EVERYTHING],
    ),
    "opens nothing there": (
        [{"layers": "*", "filter": '"owner" = @access_user'}],
        [{"layers": "parcels", "filter": '"owner" = @access_user'}],
    ),
}


@pytest.mark.parametrize("words", POLICIES)
def test_a_policy_that_means_something_else_is_warned_of(
    run: Run, tmp_path: Path, words: str
) -> None:
    bad, good = POLICIES[words]
    found = run("check", policy_project(tmp_path / "bad", access_rules=bad))
    assert words in found.out
    assert found.code == 0
    assert words not in run("check", policy_project(tmp_path / "good", access_rules=good)).out


def test_errors_give_exit_code_one_and_their_path(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules='[{"layer": "*"}]')
    result = run("check", project)
    assert result.code == 1
    assert 'access_rules[0].layer: unknown key, did you mean "layers"?' in result.out


def test_warnings_fail_only_when_asked_to(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=[{"layers": "parcels"}])
    assert run("check", project).code == 0
    assert run("check", project, "--fail-on", "warning").code == 1


def test_json_has_severity_path_and_message(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=[{"layers": "parcels"}])
    problems = run("check", "--json", project).json["problems"]
    assert {"severity", "path", "message"} == set(problems[0])


def test_syntax_needs_only_the_file(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules='[{"layers": "*"')
    result = run("check", "--syntax", project)
    assert result.code == 1
    assert "access_rules: not JSON" in result.out


@pytest.mark.parametrize("variable", ["feature_info", "request_log"])
def test_problems_of_the_other_settings_are_found_as_well(
    run: Run, tmp_path: Path, variable: str
) -> None:
    project = policy_project(
        tmp_path, access_rules=[EVERYTHING], **{variable: '{"no_such_key": 1}'}
    )
    assert f"{variable}.no_such_key: unknown key" in run("check", "--syntax", project).out


def test_a_denied_layer_that_does_not_exist_is_an_error(run: Run, tmp_path: Path) -> None:
    rules = [EVERYTHING, {"effect": "deny", "layers": "secret"}]
    result = run("check", policy_project(tmp_path, access_rules=rules))
    assert result.code == 1
    assert "access_rules[1].layers" in result.out


def special_project(folder: Path, change: Callable[[QgsProject], None]) -> Path:
    """Write a project with one parcels layer and something done to it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_geopackage(folder / "data.gpkg")
    project = QgsProject()
    project.addMapLayer(vector_layer(folder, "parcels"))
    project.addMapLayer(vector_layer(folder, "owners"))
    change(project)
    publish(project)
    rules = [
        {"layers": ["*", "!owners"]},
        {"effect": "deny", "layers": "parcels", "attributes": "owner"},
    ]
    return save(project, folder / "project.qgs", {"access_rules": rules})


def parcels(project: QgsProject) -> QgsVectorLayer:
    return project.mapLayersByName("parcels")[0]


def with_expression_field(project: QgsProject) -> None:
    parcels(project).addExpressionField('upper("owner")', QgsField("shout", QVariant.String))


def with_value_relation(project: QgsProject) -> None:
    owners = project.mapLayersByName("owners")[0]
    layer = parcels(project)
    config = {"Layer": owners.id(), "Key": "login", "Value": "fullname"}
    setup = QgsEditorWidgetSetup("ValueRelation", config)
    layer.setEditorWidgetSetup(layer.fields().lookupField("owner_name"), setup)


def with_labels(project: QgsProject) -> None:
    from qgis.core import QgsPalLayerSettings, QgsVectorLayerSimpleLabeling

    settings = QgsPalLayerSettings()
    settings.fieldName = "owner"
    parcels(project).setLabeling(QgsVectorLayerSimpleLabeling(settings))
    parcels(project).setLabelsEnabled(True)


def with_label_id(project: QgsProject) -> None:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("Plan")
    label = QgsLayoutItemLabel(layout)
    label.setId("HEADING")
    layout.addLayoutItem(label)
    project.layoutManager().addLayout(layout)


def with_equal_aliases(project: QgsProject) -> None:
    parcels(project).setFieldAlias(1, "Same")
    parcels(project).setFieldAlias(2, "Same")


def with_invalid_layer(project: QgsProject) -> None:
    project.addMapLayer(QgsVectorLayer("/nowhere/none.shp", "gone_forever", "ogr"))


def with_map_tip(project: QgsProject) -> None:
    parcels(project).setMapTipTemplate('<b>[% "owner" %]</b>')


def with_display_name(project: QgsProject) -> None:
    parcels(project).setDisplayExpression('"owner"')


def with_dimension(project: QgsProject) -> None:
    dimension = QgsMapLayerServerProperties.WmsDimensionInfo("owners", "owner")
    parcels(project).serverProperties().addWmsDimension(dimension)


def with_layout_of_a_hidden_attribute(project: QgsProject) -> None:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("Deed")
    label = QgsLayoutItemLabel(layout)
    label.setText("[% aggregate('parcels', 'max', \"owner\") %]")
    layout.addLayoutItem(label)
    project.layoutManager().addLayout(layout)


def with_symbols_of_a_hidden_attribute(project: QgsProject) -> None:
    layer = parcels(project)
    symbol = QgsSymbol.defaultSymbol(layer.geometryType())
    categories = [QgsRendererCategory("alice", symbol, "Alice")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("owner", categories))


CHANGES: dict[str, Callable[[QgsProject], None]] = {
    'attribute "shout" is hidden': with_expression_field,
    'attribute "owner_name" shows its raw value': with_value_relation,
    'style "default" is closed': with_labels,
    'style "default" is closed: it draws or labels': with_symbols_of_a_hidden_attribute,
    "its map tip is left out": with_map_tip,
    "its display name is left out": with_display_name,
    'its dimension "owners" is left out': with_dimension,
    'layout "Deed": is closed': with_layout_of_a_hidden_attribute,
    "labels with an id can be replaced": with_label_id,
    'the alias "Same"': with_equal_aliases,
    "is not valid: its data cannot be read": with_invalid_layer,
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_project_that_gives_things_away_or_loses_them_is_warned_of(
    run: Run, tmp_path: Path, words: str
) -> None:
    bad = special_project(tmp_path / "bad", CHANGES[words])
    assert words in run("check", bad).out
    good = special_project(tmp_path / "good", lambda _project: None)
    assert words not in run("check", good).out


def shapefile_project(folder: Path, rules: list[dict[str, Any]]) -> Path:
    """Write a project with one layer of a text file, which has no primary key."""
    folder.mkdir()
    (folder / "notes.csv").write_text("title,author\nfirst,alice\n")
    project = QgsProject()
    project.addMapLayer(QgsVectorLayer(str(folder / "notes.csv"), "notes", "ogr"))
    return save(project, folder / "project.qgs", {"access_rules": rules})


@pytest.mark.parametrize(
    "rule",
    [
        {"layers": "notes", "filter": '"author" = @access_user'},
        {"layers": "notes", "actions": ["read", "update"]},
    ],
)
def test_a_layer_without_a_primary_key_is_warned_of_where_it_matters(
    run: Run, tmp_path: Path, rule: dict[str, Any]
) -> None:
    words = 'layer "notes": has no primary key'
    assert words in run("check", shapefile_project(tmp_path / "bad", [rule])).out
    good = shapefile_project(tmp_path / "good", [{"layers": "notes"}])
    assert words not in run("check", good).out


def test_names_in_feature_info_that_no_layer_has_are_warned_of(run: Run, tmp_path: Path) -> None:
    def found(folder: str, field: str) -> str:
        info = {"layers": {"parcels": {"fields": [field]}}}
        project = policy_project(tmp_path / folder, access_rules=[EVERYTHING], feature_info=info)
        return run("check", project).out

    words = 'feature_info.layers.parcels.fields[0]: the layer "parcels" has no field "nmae"'
    assert words in found("bad", "nmae")
    assert "feature_info." not in found("good", "name")


def test_assertions_that_cannot_be_read_are_found(run: Run, tmp_path: Path) -> None:
    tests = [{"layer": "parcels", "expect": {"raed": True}}]
    project = policy_project(tmp_path, access_rules=[EVERYTHING], access_tests=tests)
    result = run("check", "--syntax", project)
    assert (result.code, "access_tests[0].expect.raed" in result.out) == (1, True)


def test_errors_of_one_setting_do_not_hide_those_of_another(run: Run, tmp_path: Path) -> None:
    project = policy_project(
        tmp_path, access_rules=[{"layers": "parcles"}], feature_info='{"no_such_key": 1}'
    )
    out = run("check", project).out
    assert "feature_info.no_such_key" in out
    assert 'did you mean "parcels"?' in out
    assert out.count("feature_info.no_such_key") == 1


def test_a_forgotten_copy_is_warned_of(run: Run, tmp_path: Path) -> None:
    project = policy_project(tmp_path, access_rules=[EVERYTHING])
    assert "project.qgs~" not in run("check", project).out
    Path(f"{project}~").write_text("old")
    assert "project.qgs~: lies beside the project" in run("check", project).out


def test_unproven_identity_is_warned_of(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = policy_project(tmp_path, access_rules=[EVERYTHING])
    assert "no proof" not in run("check", project).out
    monkeypatch.setenv("ACCESS_FILTER_IDENTITY", "authelia")
    assert "no proof" in run("check", project).out


def test_headers_from_any_address_are_warned_of(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCESS_FILTER_IDENTITY", "authelia")
    monkeypatch.setenv("ACCESS_FILTER_TRUSTED_PROXIES", "any")
    project = policy_project(tmp_path, access_rules=[EVERYTHING])
    assert "believed from any address" in run("check", project).out
    monkeypatch.setenv("ACCESS_FILTER_TRUSTED_PROXIES", "10.0.0.0/8")
    assert "ACCESS_FILTER_IDENTITY" not in run("check", project).out


def test_a_project_without_rules_is_warned_of(run: Run, tmp_path: Path) -> None:
    assert "open to everybody" in run("check", policy_project(tmp_path)).out


def test_a_corrupt_project_is_one_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "project.qgz"
    path.write_bytes(b"PK\x03\x04 not really")
    result = run("check", path)
    assert result.code == 2
    assert "not a readable .qgz" in result.err


def test_a_condition_compared_with_true_is_told(run: Run, tmp_path: Path) -> None:
    rule = {"effect": "deny", "layers": "parcels", "filter": "(\"status\" = 'draft') IS TRUE"}
    project = policy_project(tmp_path, access_rules=[{"layers": "*"}, rule])
    found = run("check", project)
    assert found.code == 0
    assert "warning: access_rules[1].filter: compares a condition with TRUE or FALSE" in found.out
