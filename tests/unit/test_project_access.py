"""Decisions from memory: right for each caller, for as long as no rule begins or ends."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from access_filter_plugin.access_control import project_access
from access_filter_plugin.access_control.project_access import ProjectAccess
from access_filter_plugin.subject import Subject
from tests.unit.deciding import bound, subject

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def project(*rules: dict[str, Any], clock: Any = lambda: NOON, **more: Any) -> ProjectAccess:
    return ProjectAccess(bound({"access_rules": list(rules), **more}), clock)


def asked_by_many(monkeypatch: pytest.MonkeyPatch) -> ProjectAccess:
    """Return a project that 200 callers have asked, where so many decisions are remembered."""
    monkeypatch.setattr(project_access, "DECISION_LIMIT", 200)
    found = project({"layers": "*", "filter": "owner = @access_user"})
    for number in range(200):
        found.access(Subject(f"user {number}"), "WMS", "GetMap")
    return found


def test_a_second_question_is_answered_from_memory() -> None:
    found = project({"layers": "*"})
    assert found.access(subject("bob"), "WMS", "GetMap") is found.access(
        subject("bob"), "WMS", "GetMap"
    )


def test_a_rule_begins_and_ends_without_a_reload() -> None:
    clock = Clock()
    rule = {
        "layers": "*",
        "valid_from": "2026-06-01T13:00:00Z",
        "valid_until": "2026-06-01T14:00:00Z",
    }
    found = project(rule, clock=clock)
    seen = []
    for _ in range(5):
        seen.append(found.access(subject("bob"), "WMS", "GetMap").decision("ortho_layer_id").read)
        clock.now += timedelta(minutes=30)
    assert seen == [False, False, True, True, False]


def test_callers_who_differ_only_in_address_share_a_decision_where_no_rule_asks() -> None:
    found = project({"layers": "*"})
    one, two = (subject("bob", address=a) for a in ("10.0.0.1", "10.0.0.2"))
    assert found.access(one, "WMS", "GetMap") is found.access(two, "WMS", "GetMap")


def test_callers_who_differ_in_address_do_not_share_where_a_rule_asks() -> None:
    found = project({"layers": "*", "addresses": "10.0.0.1"})
    one, two = (subject("bob", address=a) for a in ("10.0.0.1", "10.0.0.2"))
    assert found.access(one, "WMS", "GetMap").decision("ortho_layer_id").read
    assert not found.access(two, "WMS", "GetMap").decision("ortho_layer_id").read


def test_a_caller_named_like_another_with_other_roles_is_another() -> None:
    found = project({"layers": "*", "roles": "admin"})
    assert not found.access(Subject("eve"), "WMS", "GetMap").decision("ortho_layer_id").read
    admin = Subject("eve", frozenset({"admin"}))
    assert found.access(admin, "WMS", "GetMap").decision("ortho_layer_id").read


def test_thousands_of_callers_leave_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked_by_many(monkeypatch)
    kept = found._memo, found._derivations
    assert [len(memory) * len(found.bound.catalogue.layers) for memory in kept] == [200, 200]


def test_signatures_tell_callers_with_different_decisions_apart() -> None:
    found = project({"layers": "parcels", "filter": "owner = @access_user"})
    signatures = {
        found.access(Subject(name), "WMS", "GetMap").signature for name in ("a", "b", "c")
    }
    assert len(signatures) == 3


def test_signatures_of_callers_with_equal_decisions_are_equal() -> None:
    found = project({"layers": "*"})
    one, two = (found.access(Subject(name), "WMS", "GetMap") for name in ("a", "b"))
    assert one.signature == two.signature


def test_callers_of_one_set_of_rules_share_what_follows_from_their_decisions() -> None:
    found = project({"layers": "*", "roles": "viewer"}, {"layers": "parcels", "roles": "editor"})
    one, two, other = (
        found.access(Subject(name, frozenset(roles)), "WMS", "GetMap")
        for name, roles in (("a", ["viewer"]), ("b", ["viewer", "unknown"]), ("c", ["editor"]))
    )
    assert one is not two
    assert one.shared is two.shared
    assert one.shared is not other.shared


def test_callers_whose_names_enter_a_filter_share_nothing() -> None:
    found = project({"layers": "parcels", "filter": "owner = @access_user"})
    one, two = (found.access(Subject(name), "WMS", "GetMap") for name in ("a", "b"))
    assert one.shared is not two.shared


def test_listings_of_different_layouts_share_nothing() -> None:
    found = project({"layers": "*"})
    wms, wfs = (found.access(subject("bob"), name, "GetCapabilities") for name in ("WMS", "WFS"))
    assert wms.decisions() == wfs.decisions()
    assert wms.allows_template("Draft")
    assert not wfs.allows_template("Draft")
    assert wms.shared is not wfs.shared


def test_what_is_shared_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked_by_many(monkeypatch)
    assert len(found._together) * len(found.bound.catalogue.layers) == 200


def test_a_listing_shows_what_one_of_the_requests_opens() -> None:
    found = project(
        {"layers": "parcels", "requests": "GetMap", "attributes": "name"},
        {"layers": "parcels", "requests": "GetFeatureInfo", "attributes": "zone"},
    )
    decision = found.access(subject("bob"), "WMS", "GetCapabilities").decision("parcels_layer_id")
    assert decision.attributes == {"name", "zone"}


def test_a_rule_for_one_request_opens_layouts_in_no_other() -> None:
    found = project({"layers": "*", "requests": "GetMap"})
    for name in ("GetPrint", "GetProjectSettings"):
        assert not found.access(subject("bob"), "WMS", name).allows_template("Draft")


def test_denying_the_listing_restricts_the_listing() -> None:
    found = project(
        {"layers": "*"}, {"effect": "deny", "requests": "GetCapabilities", "layers": "parcels"}
    )
    assert found.access(subject("bob"), "WMS", "GetCapabilities").is_restricted
    assert not found.access(subject("bob"), "WMS", "GetMap").is_restricted


def test_another_service_is_decided_by_rules_without_services() -> None:
    found = project({"layers": "*"}, {"effect": "deny", "services": "WMS", "layers": "parcels"})
    assert not found.access(subject("bob"), "PROCESSING", "Execute").is_restricted
    assert found.access(subject("bob"), "WMS", "GetMap").is_restricted


def test_the_next_bound_of_time_is_the_end_of_a_memory() -> None:
    found = project({"layers": "*", "valid_until": "2026-06-02T00:00:00Z"})
    assert found.valid_until(NOON) == datetime(2026, 6, 2, tzinfo=timezone.utc)
    assert found.valid_until(NOON + timedelta(days=9)).year == 9999


def test_whether_something_is_closed_is_found_once_and_right_for_each_caller_and_service() -> None:
    rules = (
        {"layers": "*", "roles": "all"},
        {"layers": "parcels", "users": "bob"},
        {"layers": "*", "users": "bob", "services": "WFS"},
        {"layers": "*", "users": "carl", "filter": "owner = @access_user"},
    )
    expected = {
        ("ann", "all"): (False, False),
        ("bob", "none"): (True, False),
        ("bob", "all"): (False, False),
        ("carl", "none"): (True, True),
    }
    for order in (1, -1):
        found = project(*rules)
        for _ in range(2):
            for (name, role), restricted in list(expected.items())[::order]:
                who = Subject(name, frozenset({role}))
                assert restricted == tuple(
                    found.access(who, service, operation).is_restricted
                    for service, operation in (("WMS", "GetMap"), ("WFS", "GetFeature"))
                )


def test_what_is_known_of_restrictions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked_by_many(monkeypatch)
    assert len(found._restricted) * len(found.bound.catalogue.layers) == 200
