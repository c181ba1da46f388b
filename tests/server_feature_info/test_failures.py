"""What goes wrong leaves a layer as QGIS wrote it, one entry in the log, and the request alive."""

from __future__ import annotations

import gc
import sqlite3
from typing import Any

import pytest

from tests.server_feature_info.conftest import field
from tests.server_feature_info.world import Town


def criticals(log: list[str]) -> list[str]:
    return [entry for entry in log if entry.startswith("Critical: ")]


def without_info(answer: Any) -> Any:
    return [
        {key: value for key, value in feature.items() if key != "info"}
        for feature in answer["features"]
    ]


def test_an_expression_that_fails_on_data_leaves_its_layer_stock(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    settings = {"layers": {"parcels": {"computed": {"x": "to_int('no number')"}}}}
    project = whole_town.project(settings, fresh=True)
    for _ in range(3):
        answer = ask(project, "parcels,buildings")
        assert ["info" in feature for feature in answer["features"]] == [False, False, True]
        stock = ask.stock(project, "parcels,buildings")
        assert without_info(answer)[:2] == stock["features"][:2]
    (entry,) = criticals(log)
    assert 'layer "parcels"' in entry
    assert "to_int('no number')" in entry


def test_a_layer_that_stays_stock_is_still_counted(ask: Any, whole_town: Any) -> None:
    project = whole_town.project(
        {"layers": {"parcels": {"computed": {"x": "to_int('no number')"}}}}, fresh=True
    )
    assert ask(project)["info"]["layers"][0]["returned"] == 2


def test_a_broken_link_expression_leaves_its_layer_stock(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    project = whole_town.project(
        {"layers": {"parcels": {"links": {"l": "https://e.org/[% to_int('x') %]"}}}}
    )
    assert "info" not in ask(project)["features"][0]
    assert len(criticals(log)) == 1


@pytest.mark.parametrize(
    "where", ["qgis_records.RecordReader.read", "qgis_layer_reader.LayerReader._legend"]
)
def test_any_error_of_ours_leaves_the_stock_answer(
    ask: Any, whole_town: Any, log: list[str], monkeypatch: Any, where: str
) -> None:
    from access_filter_plugin.feature_info import qgis_layer_reader, qgis_records

    modules = {"qgis_records": qgis_records, "qgis_layer_reader": qgis_layer_reader}
    module, name, method = where.split(".")

    def fail(*_arguments: Any, **_more: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(getattr(modules[module], name), method, fail)
    project = whole_town.project("on", fresh=True)
    answer = ask(project)
    assert without_info(answer) == ask.stock(project)["features"]
    assert "broken on purpose" in criticals(log)[0]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_rests_while_an_answer_is_enriched_and_is_as_before_afterwards(
    ask: Any, whole_town: Any, monkeypatch: Any, fails: bool, collects: bool
) -> None:
    from access_filter_plugin.feature_info import qgis_filter

    seen = []
    builder = qgis_filter.AnswerBuilder

    def watched(*arguments: Any) -> Any:
        seen.append(gc.isenabled())
        if fails:
            raise KeyboardInterrupt  # which passes every boundary of this feature
        return builder(*arguments)

    monkeypatch.setattr(qgis_filter, "AnswerBuilder", watched)
    project = whole_town.project("on", fresh=True)
    try:
        (gc.enable if collects else gc.disable)()
        ask.raw(project, "parcels")
        assert (seen, gc.isenabled()) == ([False], collects)
    finally:
        gc.enable()


@pytest.mark.parametrize("count", ["1", "10"])
def test_an_error_outside_of_layers_leaves_the_stock_answer(
    ask: Any, whole_town: Any, log: list[str], monkeypatch: Any, count: str
) -> None:
    from access_filter_plugin.feature_info import qgis_filter

    project = whole_town.project("on", fresh=True)

    def fail(*_arguments: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(qgis_filter, "AnswerBuilder", fail)
    answer = ask.raw(project, "parcels", FEATURE_COUNT=count)
    assert answer.json == ask.stock(project, FEATURE_COUNT=count)
    assert "broken on purpose" in criticals(log)[0]


@pytest.mark.parametrize("text", ["\ud800", "half \udfff pair"])
def test_a_text_that_is_no_unicode_leaves_its_layer_stock(
    ask: Any, whole_town: Any, log: list[str], monkeypatch: Any, text: str
) -> None:
    from access_filter_plugin.feature_info.fields import FieldFrame

    real = FieldFrame.text_entry

    def damaged(self: Any, value: str) -> Any:
        return real(self, text if value == "P2" else value)

    monkeypatch.setattr(FieldFrame, "text_entry", damaged)
    answer = ask(whole_town.project("on", fresh=True), "parcels,buildings")
    assert ["info" in feature for feature in answer["features"]] == [False, False, True]
    assert len(criticals(log)) == 1


def test_a_relation_to_an_invalid_layer_is_told_and_left_out(
    ask: Any, whole_town: Any, log: list[str]
) -> None:
    project = whole_town.project(
        {"layers": {"parcels": {"related": {"parcel_buildings": {}}}}}, fresh=True
    )
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace("layername=buildings", "layername=gone"), encoding="utf-8")
    for _ in range(2):
        assert "related" not in ask.one(project)
    assert len([entry for entry in log if "parcel_buildings" in entry]) == 1


def test_labels_from_an_invalid_layer_are_the_formatters_own(ask: Any, whole_town: Any) -> None:
    from tests.server_feature_info.world import widget

    def tweak(_project: Any, layers: Any) -> None:
        config = {"Layer": "gone_1234567890", "Key": "code", "Value": "label"}
        widget(layers["parcels"], "kind", "ValueRelation", config)
        widget(layers["parcels"], "owner", "RelationReference", {"Relation": "gone"})

    info = ask.one(whole_town.project("on", tweak=tweak))
    assert field(info, "kind")["label"] == "(res)"
    assert field(info, "owner")["label"] == "1"


def test_a_value_relation_to_a_missing_column_is_the_raw_value(ask: Any, whole_town: Any) -> None:
    from tests.server_feature_info.world import widget

    def tweak(_project: Any, layers: Any) -> None:
        config = {"Layer": layers["kinds"].id(), "Key": "gone", "Value": "label"}
        widget(layers["parcels"], "kind", "ValueRelation", config)

    assert field(ask.one(whole_town.project("on", tweak=tweak)), "kind")["label"] == "res"


def test_nan_and_infinity_are_null(ask: Any, whole_town: Any) -> None:
    computed = {"nan": "sqrt(-1)", "inf": "1e308 * 1e308", "list": "array(1e308 * 1e308, 1)"}
    info = ask.one(whole_town.project({"layers": {"parcels": {"computed": computed}}}))
    assert info["computed"]["nan"]["value"] is None
    assert info["computed"]["inf"]["value"] is None
    assert info["computed"]["list"]["value"] == [None, 1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"type": "Feature"}',
        b'{"type": "FeatureCollection"}',
        b'{"type": "FeatureCollection", "features": {}}',
        b'{"type": "FeatureCollection", "features": [1]}',
        b'{"type": "FeatureCollection", "features": [{"properties": []}]}',
        b'{"type": "FeatureCollection", "features": [{"properties": {"a": NaN}}]}',
        b'{"type": "FeatureCollection", "features": [{"properties": {"a": "\xff"}}]}',
    ],
)
def test_a_body_that_is_no_collection_stays_as_it_is(body: bytes) -> None:
    from access_filter_plugin.feature_info.qgis_filter import _feature_collection

    assert _feature_collection(body) is None


def test_invalid_utf_8_in_a_database_is_no_failure(ask: Any, tmp_path: Any) -> None:
    town = Town(tmp_path)
    database = sqlite3.connect(tmp_path / "data.gpkg")
    triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:  # they call functions that only GDAL has
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE parcels SET remark = CAST(X'61FF62' AS TEXT) WHERE fid = 1")
    database.commit()
    database.close()
    project = town.project("on")
    answer = ask(project)
    assert without_info(answer) == ask.stock(project)["features"]
    told = field(answer["features"][0]["info"], "remark")["value"]
    assert (told[0], told[-1]) == ("a", "b")


class Answered:
    """As much of a request handler as an answer needs."""

    def __init__(self, status: int, content_type: str) -> None:
        self._status, self._content_type = status, content_type

    def statusCode(self) -> int:
        return self._status

    def responseHeader(self, name: str) -> str:
        assert name == "Content-Type"
        return self._content_type


@pytest.mark.parametrize(
    ("status", "content_type", "is_told"),
    [
        (200, "application/json; charset=utf-8", True),
        (0, "Application/Geo+JSON", True),
        (500, "application/json", False),
        (304, "application/json", False),
        (200, "text/xml", False),
        (200, "application/jsonx", False),
        (200, "", False),
    ],
)
def test_only_a_good_answer_in_json_is_touched(
    status: int, content_type: str, is_told: bool
) -> None:
    from access_filter_plugin.feature_info.qgis_filter import _is_json_answer

    assert _is_json_answer(Answered(status, content_type)) is is_told


class Parameters(dict[str, str]):
    """As much of a request handler as the parameters need."""

    def setParameter(self, name: str, value: str) -> None:
        self[name] = value

    def removeParameter(self, name: str) -> None:
        self.pop(name, None)


@pytest.mark.parametrize("sent", [{}, {"FEATURE_COUNT": "3"}])
def test_one_more_is_not_asked_of_a_project_that_says_nothing(sent: dict[str, str]) -> None:
    """A server may serve another project than the one that was prepared at first."""
    from access_filter_plugin.feature_info.qgis_filter import NAME, FeatureInfo
    from access_filter_plugin.ows_request import OwsRequest
    from access_filter_plugin.request_context import RequestContext

    request = OwsRequest(service="WMS", operation="GetFeatureInfo", parameters=sent)
    context = RequestContext(request=request, notes={NAME: "planned for another project"})
    handler = Parameters(FEATURE_COUNT="4")
    FeatureInfo().request_ready(context, handler)
    assert handler == sent
    assert NAME not in context.notes
