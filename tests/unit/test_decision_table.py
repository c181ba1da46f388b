"""The decision table on the pure core: every policy, subject, layer and service."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Optional

import pytest

from access_filter_plugin.access_control.decision import EditRight, LayerDecision
from access_filter_plugin.access_control.project_access import OperationAccess, ProjectAccess
from access_filter_plugin.strict_json import StrictJsonError
from tests.unit.deciding import bound, row, rows_seen, rows_wanted, subject
from tests.unit.policies import CASES, LAYERS, ROWS, SUBJECTS, Case, Sees, sees
from tests.unit.small_expressions import visible

POLICIES = 34
"""How many policies the page works through."""
#: The ones that need another project or an administrator, with the tests that show them.
ELSEWHERE: dict[str, tuple[tuple[str, str], ...]] = {
    "24": (
        ("server/test_derived.py", "lookup_shows_labels_and_the_labels_column_of_the_join"),
        ("server/test_derived.py", "lookup_opens_labels_to_every_service_and_lists_nothing"),
    ),
    "25": (
        ("server/test_derived.py", "what_shows_closed_owners_is_hidden"),
        ("server/test_derived.py", "no_service_shows_what_is_made_of_closed_owners"),
        ("server/test_derived.py", "a_virtual_layer_is_closed_with_anything_that_it_reads"),
        ("unit/test_derived.py", "a_label_is_withheld_where_rows_are_hidden"),
    ),
    "30": (("server/test_access_service.py", "only_given_admin_roles_may_ask_for_explanations"),),
    "32": (
        ("server/test_challenge.py", "every_request_of_nobody_is_asked_to_log_in"),
        ("server/test_challenge.py", "where_something_is_open_the_unknown_stays_unknown"),
        ("server/test_wfs_challenge.py", "an_anonymous_caller_is_asked_to_log_in"),
    ),
}
VALID = [case for case in CASES if not case.invalid]
INVALID = [case for case in CASES if case.invalid]
REQUESTS = (
    ("WMS", "GetMap"),
    ("WMS", "GetFeatureInfo"),
    ("WMS", "GetCapabilities"),
    ("WFS", "GetFeature"),
    ("WFS", "GetCapabilities"),
    ("WFS", "Transaction"),
    ("OAPIF", "Items"),
    ("OAPIF", "Collections"),
)


@cache
def project_by_number(number: str) -> ProjectAccess:
    """Return the project of a valid case, made once for all subjects."""
    return project_of(next(case for case in CASES if case.number == number))


def project_of(case: Case) -> ProjectAccess:
    moment = datetime.fromisoformat(case.now)
    policy = bound(case.variables, operator=case.operator, lower_case=case.lower_case)
    return ProjectAccess(policy, lambda: moment)


def access_of(
    case: Case, project: ProjectAccess, who: str, service: str, name: str
) -> OperationAccess:
    caller = subject(who, login=case.users.get(who, ""), address=case.address)
    return project.access(caller, service, name)


def rows_open_to(right: EditRight, decision: LayerDecision, layer: str) -> str:
    open_rows = [
        i
        for i in ROWS.get(layer, {})
        if right.is_allowed
        and visible(decision.rows, row(layer, i))
        and visible(right.row_filter(), row(layer, i))
    ]
    return " ".join(map(str, open_rows))


def shown(decision: LayerDecision, layer: str, like: Sees) -> Sees:
    """Return a decision in the words of an expectation, leaving out what that does not speak of."""
    is_raster = layer not in ROWS
    wanted: Optional[str] = None
    if like.writable is not None:
        wanted = " ".join(sorted(decision.update.writable))
    rows = ("all" if decision.read else "") if is_raster else rows_seen(decision, layer)
    return Sees(
        rows=rows,
        empty=decision.read and not rows,
        hidden=" ".join(sorted(decision.hidden)) if decision.is_listed else "",
        insert=decision.insert.is_allowed,
        update=rows_open_to(decision.update, decision, layer),
        delete=rows_open_to(decision.delete, decision, layer),
        writable=wanted,
        styles=None if like.styles is None else " ".join(sorted(decision.styles)),
        default_style=None if like.default_style is None else decision.default_style,
    )


def expected(like: Sees, layer: str) -> Sees:
    is_raster = layer not in ROWS
    ordered = None if like.writable is None else " ".join(sorted(like.writable.split()))
    return Sees(
        rows=like.rows if is_raster else rows_wanted(like.rows, layer),
        empty=like.empty,
        hidden=" ".join(sorted(like.hidden.split())),
        insert=like.insert,
        update=rows_wanted(like.update, layer),
        delete=rows_wanted(like.delete, layer),
        writable=ordered,
        styles=None if like.styles is None else " ".join(sorted(like.styles.split())),
        default_style=like.default_style,
    )


def test_every_policy_is_a_row_or_has_a_test_of_its_own() -> None:
    rows = {found.group() for case in CASES if (found := re.match(r"[0-9]+", case.number))}
    assert rows | ELSEWHERE.keys() == {str(number) for number in range(1, POLICIES + 1)}
    for file, name in (test for tests in ELSEWHERE.values() for test in tests):
        text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
        assert f"\ndef test_{name}(" in text, (file, name)


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_a_policy_decides_as_the_table_says(case: Case, who: str) -> None:
    project = project_by_number(case.number)
    for service, name in REQUESTS:
        access = access_of(case, project, who, service, name)
        for layer in LAYERS:
            like = sees(case.of(who), layer, service, name)
            found = shown(access.decision(f"{layer}_layer_id"), layer, like)
            assert found == expected(like, layer), (who, layer, service, name)


@pytest.mark.parametrize("case", INVALID, ids=str)
def test_an_invalid_policy_is_a_problem_with_its_path(case: Case) -> None:
    with pytest.raises(StrictJsonError) as caught:
        project_of(case)
    assert case.invalid in [str(problem)[: len(case.invalid)] for problem in caught.value.problems]


@pytest.mark.parametrize("case", [c for c in VALID if c.templates], ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_layouts_are_printed_by_whom_the_table_says(case: Case, who: str) -> None:
    names = next(
        (v for k, v in case.templates.items() if who in k.split()), case.templates["others"]
    )
    access = access_of(case, project_by_number(case.number), who, "WMS", "GetPrint")
    assert [n for n in ("Official", "Draft") if access.allows_template(n)] == names.split()


@pytest.mark.parametrize("case", VALID, ids=str)
@pytest.mark.parametrize("who", SUBJECTS)
def test_nobody_is_restricted_from_whom_nothing_is_hidden(case: Case, who: str) -> None:
    if not case.unrestricted and case.number not in {"9", "11", "12", "26"}:
        return
    access = access_of(case, project_by_number(case.number), who, "WMS", "GetMap")
    assert access.is_restricted is (who not in case.unrestricted.split())


@pytest.mark.parametrize("case", VALID, ids=str)
def test_every_open_decision_names_the_rules_that_made_it(case: Case) -> None:
    project = project_by_number(case.number)
    known = {rule.id for rule in project.bound.policy.rules}
    for who in SUBJECTS:
        for service, name in REQUESTS:
            for decision in access_of(case, project, who, service, name).decisions().values():
                assert set(decision.rules) <= known
                assert decision.rules or not decision.is_listed
