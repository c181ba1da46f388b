"""What Explain says is what the server was observed to do, for every cell of the decision table.

Nothing here asks the engine: one side is the text of Explain's answer, the other is what QGIS
answered. Row filters are evaluated on the data by SQLite, not by QGIS expressions.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Optional

import pytest

from access_filter_plugin.command_line import main
from tests.server.policy_server import READERS, Observed, Seen
from tests.server.test_decision_table import INVALID, VALID
from tests.support.server import Client, Server
from tests.unit.policies import ROWS, SUBJECTS, Case


class World:
    """One case and subject: who asks, and the administrator who asks about him."""

    def __init__(self, server: Server, observed: Observed, case: Case, who: str) -> None:
        self.caller = observed.caller(case, who)
        self._admin = server.client(observed.projects[case.number], "ada", "gisadmin")
        user, roles = SUBJECTS[who]
        self._ask: dict[str, str] = {
            "SERVICE": "ACCESS",
            "REQUEST": "Explain",
            "ADDRESS": case.address,
        }
        if user:
            login = case.users.get(who, "")
            self._ask |= {"USER": login or user, "ROLES": ",".join(sorted(roles))}

    def explained(self, service: str, operation: str) -> dict[str, Any]:
        """Return what Explain says of each layer, by name."""
        answer = self._admin.get(**self._ask, FOR_SERVICE=service, FOR_REQUEST=operation)
        assert answer.status == 200, answer.text
        return {layer["name"]: layer for layer in answer.json["layers"]}

    def restricted(self) -> bool:
        """Return whether Explain calls the caller restricted for WMS."""
        answer = self._admin.get(**self._ask, FOR_SERVICE="WMS")
        return bool(answer.json["restricted"])


def rows_of(project: Path, layer: str, expression: Optional[str]) -> set[int]:
    """Return the ids of the rows that an expression selects, by SQLite."""
    data = project.parent / "data.gpkg"
    with closing(sqlite3.connect(f"file:{data}?mode=ro", uri=True)) as source:
        found = source.execute(f'SELECT fid FROM "{layer}" WHERE {expression or "1"}')
        return {fid for (fid,) in found}


def said(project: Path, layer: str, decision: dict[str, Any]) -> Seen:
    """Return what a decision promises in the form in which answers are observed."""
    if not decision["read"]:
        return {}
    names = frozenset(decision["attributes"])
    return dict.fromkeys(sorted(rows_of(project, layer, decision["rows"])), names)


def listed_by_wms(caller: Client) -> set[str]:
    text = caller.get(SERVICE="WMS", VERSION="1.3.0", REQUEST="GetCapabilities").text
    return set(re.findall(r"<Layer[^>]*>\s*<Name>([^<]+)</Name>", text))


def listed_by_wfs(caller: Client) -> set[str]:
    text = caller.get(SERVICE="WFS", VERSION="1.1.0", REQUEST="GetCapabilities").text
    return set(re.findall(r"<FeatureType>\s*<Name>([^<]+)</Name>", text))


def listed_by_oapif(caller: Client) -> set[str]:
    answer = caller.api("/collections.json")
    if answer.status != 200:
        return set()
    return {collection["id"] for collection in answer.json["collections"]}


LISTS = {"WMS": listed_by_wms, "WFS": listed_by_wfs, "OAPIF": listed_by_oapif}


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_explain_agrees_with_what_the_server_does(
    server: Server, observed: Observed, case: Case, who: str
) -> None:
    if case.lower_case and who == "bob":
        return  # the identity is folded when the operator's settings are read: tests/unit
    project = observed.projects[case.number]
    world = World(server, observed, case, who)
    rows = observed.rows(case, who)
    with observed.operator(case):
        for service, operation in READERS:
            layers = world.explained(service, operation)
            for name in ROWS:
                if service == "WMS" and name == "owners":
                    continue  # a table without geometry is not drawn
                promised = said(project, name, layers[name]["decision"])
                assert (rows[service, name] or {}) == promised, (service, name)
        for service, names in LISTS.items():
            told = {n for n, layer in world.explained(service, "").items() if layer["listed"]}
            if service != "WMS":
                told.discard("ortho")
            found = names(world.caller) & {*ROWS, "ortho"}
            assert found == told, service


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_explain_agrees_with_what_is_drawn_and_refused(
    server: Server, observed: Observed, case: Case, who: str
) -> None:
    if case.lower_case and who == "bob":
        return  # as above
    world = World(server, observed, case, who)
    drawn = observed.drawn(case, who)
    with observed.operator(case):
        layers = world.explained("WMS", "GetMap")
        for name in ("parcels", "salaries", "reports", "ortho"):
            assert drawn[name] is layers[name]["decision"]["read"], name
        refused = world.caller.get(
            SERVICE="WMS", REQUEST="GetMap", VERSION="1.3.0", LAYERS="parcels", STYLES="",
            CRS="EPSG:4326", BBOX="0,0,10,10", WIDTH=5, HEIGHT=5, FORMAT="image/png",
            SLD_BODY="<StyledLayerDescriptor/>",
        )  # fmt: skip
        is_refused = refused.status == 403 and "SLD" in refused.text
        assert is_refused is world.restricted()


@pytest.mark.parametrize("case", VALID, ids=str)
def test_the_command_line_explains_as_the_server_does(
    server: Server,
    observed: Observed,
    case: Case,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server's explanations are compared with what is observed above."""
    with observed.operator(case) as operator:
        if operator is not None:
            monkeypatch.setenv("ACCESS_FILTER_RULES", str(operator))
    if case.lower_case:
        monkeypatch.setenv("ACCESS_FILTER_USER_CASE", "lower")
    project = observed.projects[case.number]
    for who in ("anon", "bob", "alice"):
        user, roles = SUBJECTS[who]
        if case.lower_case and who == "bob":
            continue  # as above
        with observed.operator(case):
            told = World(server, observed, case, who).explained("WFS", "GetFeature")
        arguments = ["--user", case.users.get(who) or user] if user else []
        arguments += [word for role in sorted(roles) for word in ("--role", role)]
        capsys.readouterr()
        arguments += ["--address", case.address, "--service", "WFS", "--request", "GetFeature"]
        code = main(["explain", str(project), *arguments, "--json"])
        body = json.loads(capsys.readouterr().out)
        assert (code, {layer["name"]: layer for layer in body["layers"]}) == (0, told)


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_explain_says_of_closed_rules_what_everybody_observes(
    server: Server, observed: Observed, case: Case
) -> None:
    project = observed.projects[case.number]
    for who in SUBJECTS:
        caller = observed.caller(case, who)
        assert caller.get(SERVICE="WMS", REQUEST="GetCapabilities").status == 503
    answer = server.client(project, "ada", "gisadmin").get(SERVICE="ACCESS", REQUEST="Explain")
    assert answer.status == 503
    told = [f"{problem['path']}: {problem['message']}" for problem in answer.json["problems"]]
    assert any(case.invalid in line for line in told), told
