"""What QGIS does that the plugin leans on; a version that does otherwise shows here first.

Facts are numbered as in the project's notes: C5 (cacheKey), E1-E20, A.6 (hooks), F, A and L (gaps).
Measured on 3.22.16, 3.40.6 and 3.44.15; where versions differ, the test says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    NULL,
    Qgis,
    QgsAbstractFeatureIterator,
    QgsExpression,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsFields,
    QgsProject,
)
from qgis.server import QgsConfigCache, QgsServerException

from access_filter_plugin.qgis_stand_in import write_answer
from tests.server.policy_server import by_oapif, by_wfs, by_wms
from tests.support.projects import policy_project, vector_layer, write_geopackage
from tests.support.server import Client, OpenTarget, Server


class Probe(OpenTarget):
    """A target that notes which hooks are asked, and answers as a test tells it."""

    def __init__(self, **answers: Any) -> None:
        self.calls: list[str] = []
        self._answers = answers

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name == "calls":
            return super().__getattribute__(name)
        own = super().__getattribute__(name)
        answer = self._answers.get(name, own)

        def asked(*arguments: Any) -> Any:
            self.calls.append(name)
            return answer(*arguments) if callable(answer) else answer

        return asked


@contextmanager
def probing(server: Server, **answers: Any) -> Iterator[Probe]:
    """Let a probe answer QGIS instead of the plugin."""
    probe = Probe(**answers)
    before, server.plugin.wall.target = server.plugin.wall.target, probe
    try:
        yield probe
    finally:
        server.plugin.wall.target = before


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return policy_project(tmp_path)


@pytest.fixture
def anyone(server: Server, project: Path) -> Client:
    return server.client(project)


def capabilities(caller: Client) -> str:
    return caller.get(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetCapabilities").text


def only(name: str) -> Any:
    def permissions(layer: Any) -> Any:
        found = OpenTarget().layer_permissions(layer)
        found.canRead = layer.name() == name
        return found

    return permissions


def test_an_empty_cache_key_shares_one_document_among_callers(
    server: Server, anyone: Client
) -> None:
    """C5: documented as "no cache", an empty key is the shared one."""
    with probing(server, cache_key="", layer_permissions=only("parcels")):
        first = capabilities(anyone)
    with probing(server, cache_key="", layer_permissions=only("salaries")):
        second = capabilities(anyone)
    assert "<Name>parcels</Name>" in first
    assert second == first


def test_a_cache_key_that_is_not_empty_switches_the_cache_off(
    server: Server, anyone: Client
) -> None:
    """C5: whatever the key, also the same one twice."""
    with probing(server, cache_key="x", layer_permissions=only("parcels")):
        capabilities(anyone)
    with probing(server, cache_key="x", layer_permissions=only("salaries")):
        second = capabilities(anyone)
    assert "<Name>salaries</Name>" in second
    assert "<Name>parcels</Name>" not in second


HOOKS = {
    "GetFeature": {
        "layer_permissions",
        "layer_filter_expression",
        "layer_filter_subset_string",
        "authorized_layer_attributes",
    },
    "GetFeatureInfo": {
        "layer_permissions",
        "layer_filter_expression",
        "layer_filter_subset_string",
        "authorized_layer_attributes",
    },
    "DescribeFeatureType": {"layer_permissions", "cache_key"},
    "items": {"layer_permissions", "layer_filter_expression", "authorized_layer_attributes"},
}


def ask(caller: Client, name: str) -> None:
    if name == "items":
        caller.api("/collections/parcels/items")
    elif name == "GetFeatureInfo":
        by_wms(caller, "parcels")
    elif name == "GetFeature":
        by_wfs(caller, "parcels")
    else:
        caller.get(SERVICE="WFS", VERSION="1.1.0", REQUEST=name, TYPENAME="parcels")


@pytest.mark.parametrize("name", HOOKS)
def test_these_hooks_are_asked(server: Server, anyone: Client, name: str) -> None:
    """A.1: what is not asked must be closed elsewhere (DescribeFeatureType asks no attributes)."""
    with probing(server) as probe:
        ask(anyone, name)
    hooks = {call for call in probe.calls if call in set().union(*HOOKS.values())}
    assert hooks == HOOKS[name]


def test_a_request_passes_these_moments(server: Server, anyone: Client) -> None:
    """E: project_ready came with 3.36; before, no hook sees the project before the service."""
    with probing(server) as probe:
        anyone.get(SERVICE="WMS", REQUEST="GetCapabilities")
    moments = [c for c in probe.calls if c.startswith(("request", "project", "response"))]
    later = ["project_ready"] if Qgis.versionInt() >= 33600 else []
    assert moments == ["request_begins", "request_ready", *later, "response_complete"]


def test_an_exception_set_in_request_ready_stops_the_service(
    server: Server, anyone: Client
) -> None:
    """E2, E3: our answer is the answer; no hook is asked."""

    def refuse(handler: Any) -> None:
        write_answer(handler, 418, "text/plain", b"refused")

    with probing(server, request_ready=refuse) as probe:
        answer = anyone.get(SERVICE="WFS", REQUEST="GetFeature", TYPENAME="parcels")
    assert (answer.status, answer.body) == (418, b"refused")
    assert "layer_permissions" not in probe.calls


def test_a_status_alone_stops_nothing(server: Server, anyone: Client) -> None:
    """A.7: only setServiceException does."""
    with probing(server, request_ready=lambda handler: handler.setStatusCode(403)) as probe:
        by_wfs(anyone, "parcels")
    assert "layer_permissions" in probe.calls


def test_the_status_is_that_of_the_exception(server: Server, anyone: Client) -> None:
    """E3."""

    def refuse(handler: Any) -> None:
        handler.setServiceException(QgsServerException("no", 403))

    with probing(server, request_ready=refuse):
        assert anyone.get(SERVICE="WMS", REQUEST="GetMap").status == 403


def test_an_empty_row_filter_is_every_row_and_false_is_none(server: Server, anyone: Client) -> None:
    """11: so nothing but a text may ever be answered, and FALSE where there is doubt."""
    for read in (by_wfs, by_oapif, by_wms):
        with probing(server, layer_filter_expression=""):
            assert set(read(anyone, "parcels") or ()) == {1, 2, 3, 4}
        with probing(server, layer_filter_expression="FALSE"):
            assert not read(anyone, "parcels")


def test_an_invalid_row_filter_hides_every_row(server: Server, anyone: Client) -> None:
    """11."""
    for read in (by_wfs, by_wms):
        with probing(server, layer_filter_expression="no_such_function()"):
            assert not read(anyone, "parcels")


def test_the_key_may_be_left_out_of_wfs_and_not_of_oapif(server: Server, anyone: Client) -> None:
    """E15: WFS answers are streamed, so the key is left out there and kept elsewhere."""
    with probing(server, authorized_layer_attributes=lambda _layer, _names: ["name"]):
        assert by_wfs(anyone, "parcels") == dict.fromkeys((1, 2, 3, 4), frozenset({"name"}))
        ids = [f["id"] for f in anyone.api("/collections/parcels/items").json["features"]]
    assert ids == ["", "", "", ""]


def test_variables_of_the_project_are_seen_and_can_be_put_back(
    server: Server, project: Path
) -> None:
    """E4: they set the dirty flag, which is to be put back as well."""
    server.client(project).get(SERVICE="WMS", REQUEST="GetCapabilities")
    served = QgsConfigCache.instance().project(str(project))
    before = served.customVariables()
    served.setCustomVariables({**before, "access_roles": ["a", "b"]})
    scope = QgsExpressionContextUtils.projectScope(served)
    assert list(scope.variable("access_roles")) == ["a", "b"]
    assert served.isDirty()
    served.setCustomVariables(before)
    served.setDirty(False)
    assert not QgsExpressionContextUtils.projectScope(served).hasVariable("access_roles")


def test_the_environment_is_read_by_the_interface(server: Server) -> None:
    """E6: in process it is the process's own; under FastCGI the request's (tests/fcgi)."""
    os.environ["ACCESS_FILTER_FACT"] = "x"
    try:
        assert server.qgis.serverInterface().getEnv("ACCESS_FILTER_FACT") == "x"
    finally:
        os.environ.pop("ACCESS_FILTER_FACT")
    assert server.qgis.serverInterface().getEnv("ACCESS_FILTER_FACT") == ""


def test_a_project_that_is_loaded_again_is_another_object(server: Server, project: Path) -> None:
    """C4: our token in a dynamic property tells generations apart, also at one address."""
    caller = server.client(project)
    caller.get(SERVICE="WMS", REQUEST="GetCapabilities")
    served = QgsConfigCache.instance().project(str(project))
    served.setProperty("_fact", "first")
    server.forget(project)
    caller.get(SERVICE="WMS", REQUEST="GetCapabilities")
    assert QgsConfigCache.instance().project(str(project)).property("_fact") is None


# Expressions


def test_whichever_column_is_no_star() -> None:
    """ReferencedColumns of attributes(): the constant of QgsFeatureRequest, not "*"."""
    assert QgsExpression("attributes()").referencedColumns() == {QgsFeatureRequest.ALL_ATTRIBUTES}
    assert QgsFeatureRequest.ALL_ATTRIBUTES != "*"


@pytest.mark.parametrize(
    "text", ["$currentfeature", "@feature", "display_expression()", "maptip()"]
)
def test_the_whole_feature_is_read_without_naming_a_column(text: str) -> None:
    assert QgsExpression(text).referencedColumns() == set()


def test_a_dump_may_mean_something_else() -> None:
    """Canonical texts are joined from tokens for that reason."""
    expression = QgsExpression("(NOT NULL) IS NULL")
    assert expression.evaluate() == 1
    assert QgsExpression(expression.dump()).evaluate() == 0


def test_a_comparison_is_not_the_constant_true() -> None:
    """``(a = 1) IS TRUE`` compares 1 with true as text, until 3.44; we ask ``IS NOT 1``."""
    expected = 1 if Qgis.versionInt() >= 34400 else 0
    assert QgsExpression("(1 = 1) IS TRUE").evaluate() == expected
    assert QgsExpression("(1 = 1) IS 1").evaluate() == 1


def test_an_unknown_variable_is_null_without_an_error() -> None:
    """E12: so a misspelt placeholder must be an error of the rules."""
    expression = QgsExpression("@acces_user = 'x'")
    assert expression.evaluate() in (None, NULL)
    assert not expression.hasEvalError()


@pytest.mark.parametrize("text", ['"x" IN @access_roles', '"x" IN array(1)', '"x" IN ()'])
def test_in_takes_a_list_of_literals_only(text: str) -> None:
    """E11."""
    assert QgsExpression(text).hasParserError()


def test_a_comment_swallows_what_is_joined_behind_it() -> None:
    """E18."""
    assert QgsExpression('("a"=1 -- public only) OR ("b"=2)').hasParserError()


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("facts")
    write_geopackage(folder / "data.gpkg")
    return vector_layer(folder, "parcels")


def fetched(source: Any, text: str) -> tuple[list[int], Any]:
    iterator = source.getFeatures(QgsFeatureRequest().setFilterExpression(text))
    return [feature.id() for feature in iterator], iterator.compileStatus()


@pytest.mark.parametrize(
    ("text", "is_compiled"),
    [
        ("owner = 'alice'", True),
        ("owner IN ('alice', 'bob')", True),
        ("NOT (owner = 'alice')", True),
        ("array_contains(array('alice'), owner)", False),
        ("CASE WHEN owner = 'alice' THEN TRUE END", False),
    ],
)
def test_what_a_provider_compiles(parcels: Any, text: str, *, is_compiled: bool) -> None:
    """E13: told by the provider's iterator; the layer's always says no."""
    compiled = QgsAbstractFeatureIterator.CompileStatus.Compiled
    assert (fetched(parcels.dataProvider(), text)[1] == compiled) is is_compiled
    assert fetched(parcels, text)[1] != compiled


def test_null_is_hidden_by_a_negated_filter(parcels: Any) -> None:
    """E14: NOT of NULL is NULL, which is what a deny filter is to cover."""
    assert fetched(parcels, "NOT (status = 'draft')")[0] == [2]


def test_the_origin_of_a_field_is_spelled_in_one_way_by_all_versions() -> None:
    assert QgsFields.FieldOrigin.OriginProvider is not None
    assert QgsFields.FieldOrigin.OriginJoin != QgsFields.FieldOrigin.OriginExpression


def test_a_style_is_read_by_another_layer_without_a_switch(parcels: Any) -> None:
    """The styles of a project are read in a scratch layer: style() tells a style that is not current."""
    parcels.styleManager().addStyleFromLayer("second")
    assert parcels.styleManager().currentStyle() == "default"
    assert "<qgis" in parcels.styleManager().style("second").xmlData()


def test_variables_survive_only_as_text(tmp_path: Path) -> None:
    """Contract, section 1: hence JSON."""
    path = policy_project(tmp_path)
    project = QgsProject()
    project.read(str(path))
    project.setCustomVariables({"number": 3, "text": "x"})
    project.write(str(path))
    again = QgsProject()
    again.read(str(path))
    assert again.customVariables()["number"] in ("3", 3)
    assert again.customVariables()["text"] == "x"
