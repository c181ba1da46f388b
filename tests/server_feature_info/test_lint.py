"""Settings that name what is not there: a warning with its path, and that entry alone left out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_feature_info.world import keep_from_wms


def warnings_of(log: list[str]) -> list[str]:
    return [
        entry.split(": ", 2)[2]
        for entry in log
        if entry.startswith("Warning: ") and ".qgs: " in entry
    ]


def told(ask: Any, whole_town: Any, settings: Any, **more: Any) -> Any:
    return ask.one(whole_town.project({"layers": {"parcels": settings}}, fresh=True, **more))


def no_field(path: str, name: str, *, layer: str = "parcels", nearest: str = "") -> str:
    hint = f', did you mean "{nearest}"?' if nearest else ""
    return f'feature_info.layers.parcels.{path}: the layer "{layer}" has no field "{name}"{hint}'


def no_relation(path: str, name: str, *, layer: str = "parcels", nearest: str = "") -> str:
    hint = f', did you mean "{nearest}"?' if nearest else ""
    place = f"feature_info.layers.parcels.{path}"
    return f'{place}: the layer "{layer}" has no valid relation "{name}"{hint}'


CELLARS = {"related": {"buildings": {"fields": ["nam"], "related": {"cellars": {}}}}}
LINTED = [
    (
        {"fields": ["zone", "zonne", "!prise"]},
        [
            no_field("fields[1]", "zonne", nearest="zone"),
            no_field("fields[2]", "prise", nearest="price"),
        ],
    ),
    ({"rename": {"zoone": "z"}}, [no_field("rename.zoone", "zoone", nearest="zone")]),
    ({"units": {"prices": "EUR"}}, [no_field("units.prices", "prices", nearest="price")]),
    (
        {"attachments": {"fotos": {"base_url": "https://example.org"}}},
        [no_field("attachments.fotos", "fotos", nearest="photo")],
    ),
    ({"computed": {"x": '"xyzzy" + 1'}}, [no_field("computed.x", "xyzzy")]),
    ({"links": {"x": "https://example.org/[% xyzzy %]"}}, [no_field("links.x", "xyzzy")]),
    (
        {"related": {"bildings": {}}},
        [no_relation("related.bildings", "bildings", nearest="buildings")],
    ),
    (
        CELLARS,
        [
            no_field("related.buildings.fields[0]", "nam", layer="buildings", nearest="name"),
            no_relation("related.buildings.related.cellars", "cellars", layer="buildings"),
        ],
    ),
]


@pytest.mark.parametrize(("settings", "expected"), LINTED)
def test_an_unknown_name_is_told_with_its_path_and_the_nearest_known(
    ask: Any, whole_town: Any, log: list[str], settings: Any, expected: list[str]
) -> None:
    told(ask, whole_town, settings)
    assert warnings_of(log) == expected


def test_an_expression_that_does_not_parse_is_told_and_left_out_alone(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    info = told(
        ask, whole_town, {"computed": {"broken": "1 +", "sound": "1"}, "links": {"l": "x[% ( %]"}}
    )
    assert list(info["computed"]) == ["sound"]
    assert "links" not in info
    paths = [entry.split(": ")[0] for entry in warnings_of(log)]
    assert paths == [
        "feature_info.layers.parcels.computed.broken",
        "feature_info.layers.parcels.links.l",
    ]
    assert "does not parse" in warnings_of(log)[0]


def test_what_is_wrong_with_an_order_is_told(ask: Any, whole_town: Any, log: list[str]) -> None:
    info = told(ask, whole_town, {"related": {"buildings": {"order_by": ["-nowhere", "name"]}}})
    (warning,) = warnings_of(log)
    assert warning.startswith("feature_info.layers.parcels.related.buildings.order_by.0: ")
    titles = [one["title"] for one in info["related"]["buildings"]["features"]]
    assert titles == ["Barn", "Mill", "Shed"]


def test_an_expression_over_a_field_kept_from_wms_is_told_and_left_out(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    settings = {"computed": {"x": '"secret"', "y": "1"}, "fields": ["zone", "secret"]}
    project = whole_town.project({"layers": {"parcels": settings}}, fresh=True)
    keep_from_wms(project, "secret")
    info = ask.one(project)
    assert list(info["computed"]) == ["y"]
    assert [entry["name"] for entry in info["fields"]] == ["zone"]
    assert warnings_of(log) == [
        'feature_info.layers.parcels.fields[1]: the field "secret" is not published by WMS',
        'feature_info.layers.parcels.computed.x: the field "secret" is not published by WMS',
    ]


def test_a_layer_that_is_not_there_is_told(ask: Any, whole_town: Any, log: list[str]) -> None:
    ask(
        whole_town.project(
            {"layers": {"parzels": {"maptip": True}, "zz*": {}, "p*": {}}}, fresh=True
        )
    )
    assert warnings_of(log) == [
        "feature_info.layers.parzels: the project has no such layer",
        "feature_info.layers.zz*: the project has no such layer",
    ]


def test_defaults_for_every_layer_may_name_what_only_some_have(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    settings = {
        "fields": ["zone", "name", "nowhere"],
        "computed": {"x": '"height"', "y": '"nothing"'},
    }
    answer = ask(whole_town.project(settings, fresh=True), "parcels,buildings")
    assert [one["name"] for one in answer["features"][0]["info"]["fields"]] == ["zone"]
    assert [one["name"] for one in answer["features"][2]["info"]["fields"]] == ["name"]
    assert [entry.split(": ")[0] for entry in warnings_of(log)] == [
        "feature_info.fields[2]",
        "feature_info.computed.y",
    ]


def test_problems_are_told_once_and_not_at_every_request(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    project = whole_town.project({"layers": {"parcels": {"fields": ["nowhere"]}}}, fresh=True)
    for _ in range(3):
        ask(project)
    assert len(warnings_of(log)) == 1


def test_a_unit_of_a_computed_value_is_no_unknown_field(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    told(ask, whole_town, {"computed": {"x": "1"}, "units": {"x": "m"}})
    assert warnings_of(log) == []


def test_the_problems_are_there_for_the_command_line(ask: Any, whole_town: Any) -> None:
    from qgis.core import QgsProject

    from access_filter_plugin.feature_info.qgis_filter import FeatureInfo
    from access_filter_plugin.qgis_project import ProjectStates

    path = whole_town.project({"layers": {"parcels": {"fields": ["nowhere"]}}})
    project = QgsProject()
    assert project.read(str(path))
    part = ProjectStates([FeatureInfo()]).state(project).parts["feature_info"]
    assert [problem.path for problem in part.problems] == ["feature_info.layers.parcels.fields[0]"]
    del part, project
