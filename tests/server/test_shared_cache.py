"""QGIS's own cache of WMS documents: what it is spared, and that nothing is ever told from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from access_filter_plugin.access_control import qgis_filter
from access_filter_plugin.access_control.qgis_documents import others_are_registered
from access_filter_plugin.access_control.qgis_shared_cache import CACHE_OFF, SharedCache
from access_filter_plugin.access_control.rules_file import OperatorRules
from access_filter_plugin.access_service.qgis_warnings import _other_filters
from access_filter_plugin.qgis_stand_in import KeptElsewhere
from tests.support.projects import policy_project
from tests.support.server import Server

RULES = [
    {"layers": "parcels", "roles": "viewer"},
    {"layers": ["parcels", "salaries"], "roles": "admin"},
]
DOCUMENTS = ("GetCapabilities", "GetProjectSettings")


@pytest.fixture
def told(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return what QGIS is told of each document that it asks to keep."""
    found: list[bool] = []
    is_kept = SharedCache.is_kept

    def noted(cache: SharedCache) -> bool:
        found.append(is_kept(cache))
        return found[-1]

    monkeypatch.setattr(SharedCache, "is_kept", noted)
    access_control = server.plugin.wall.target._access_control
    monkeypatch.setattr(access_control, "_shared_cache", SharedCache(server.qgis.serverInterface()))
    access_control._documents._cache.__init__()
    return found


@pytest.mark.parametrize("request_name", DOCUMENTS)
def test_qgis_is_spared_a_copy_of_a_callers_own_document(
    server: Server, tmp_path: Path, told: list[bool], request_name: str
) -> None:
    project = policy_project(tmp_path, access_rules=RULES)
    for role in ("viewer", "admin"):
        answer = server.client(project, "bob", role).get(SERVICE="WMS", REQUEST=request_name)
        assert answer.status == 200
    assert told == [True, True]


@pytest.mark.parametrize("request_name", DOCUMENTS)
def test_qgis_keeps_the_document_of_a_project_without_rules(
    server: Server, tmp_path: Path, told: list[bool], request_name: str
) -> None:
    protected = policy_project(tmp_path / "rules", access_rules=RULES)
    server.client(protected, "bob", "viewer").get(SERVICE="WMS", REQUEST=request_name)
    del told[:]
    caller = server.client(policy_project(tmp_path / "none"))
    texts = [caller.get(SERVICE="WMS", REQUEST=request_name).text for _ in range(2)]
    assert told == [False]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("request_name", DOCUMENTS)
def test_what_qgis_kept_of_an_open_project_is_not_told_once_the_operator_has_rules(
    server: Server,
    tmp_path: Path,
    told: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    request_name: str,
) -> None:
    """The project's file stays as it is, so QGIS still has the document that everybody got."""
    access_control = server.plugin.wall.target._access_control
    project = policy_project(tmp_path)
    ask = {"SERVICE": "WMS", "REQUEST": request_name}
    assert "salaries" in server.client(project).get(**ask).text
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"access_rules": RULES}))
    monkeypatch.setattr(access_control, "_operator", OperatorRules(str(rules)))
    assert "salaries" not in server.client(project, "bob", "viewer").get(**ask).text
    assert "salaries" in server.client(project, "eve", "admin").get(**ask).text
    assert "salaries" not in server.client(project).get(**ask).text
    assert told == [True, True, True]


@pytest.mark.parametrize("others", [False, True])
def test_the_cache_of_another_plugin_gets_no_callers_document(
    server: Server, tmp_path: Path, told: list[bool], monkeypatch: pytest.MonkeyPatch, others: bool
) -> None:
    monkeypatch.setattr(qgis_filter, "others_are_registered", lambda: others)
    project = policy_project(tmp_path, access_rules=RULES)
    server.client(project, "bob", "viewer").get(SERVICE="WMS", REQUEST="GetCapabilities")
    assert told == ([] if others else [True])


def keys_after(cache: SharedCache, events: str) -> list[str]:
    """Return the keys given while these happen: the request is expected, a key or permissions asked."""
    found = []
    for event in events:
        if event == "k":
            found.append(cache.key())
        elif event == "p":
            cache.permissions_asked()
        elif event == "f":
            cache.forget()
        else:
            cache.expect()
    return found


@pytest.mark.parametrize(
    ("events", "keys"),
    [
        ("ekkpk", [CACHE_OFF, CACHE_OFF, ""]),
        ("ekkpkk", [CACHE_OFF, CACHE_OFF, "", CACHE_OFF]),
        ("epk", [CACHE_OFF]),
        ("ekk", [CACHE_OFF, CACHE_OFF]),
        ("kkpk", [CACHE_OFF, CACHE_OFF, CACHE_OFF]),
        ("ekpfk", [CACHE_OFF, CACHE_OFF]),
        ("ekpek", [CACHE_OFF, CACHE_OFF]),
    ],
)
def test_the_key_is_empty_once_and_only_while_a_document_is_made(
    server: Server, events: str, keys: list[str]
) -> None:
    cache = SharedCache(server.qgis.serverInterface())
    found = keys_after(cache, events)
    cache.forget()  # its filter stays registered, and must say nothing of other tests' documents
    assert found == keys


def test_a_document_is_kept_only_after_the_empty_key(server: Server) -> None:
    cache = SharedCache(server.qgis.serverInterface())
    assert not cache.is_kept()
    keys_after(cache, "ekpk")
    assert cache.is_kept()
    assert not cache.is_kept()


@pytest.mark.parametrize("answer", [None, 1, RuntimeError("on purpose")])
def test_a_failure_leaves_the_copy_to_qgis(server: Server, answer: Any) -> None:
    """As ever: under a key that is never looked for."""

    def is_kept() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    hook = KeptElsewhere(server.qgis.serverInterface(), is_kept).setCachedDocument
    assert hook(None, None, None, "") is False


def test_admins_are_not_warned_of_our_own_filter(server: Server) -> None:
    server_iface = server.qgis.serverInterface()
    cache = SharedCache(server_iface)
    cache.expect()
    cache.forget()
    assert not any("KeptElsewhere" in found for found in _other_filters(server_iface))
    assert not others_are_registered()
