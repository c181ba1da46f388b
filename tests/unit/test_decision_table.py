"""The decision table on the pure core: every policy, subject, layer and service."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Optional

import pytest

from access_filter_plugin.access_control.decision import EditRight, LayerDecision
from access_filter_plugin.access_control.project_access import OperationAccess, ProjectAccess
from access_filter_plugin.strict_json import StrictJsonError
from tests.unit.deciding import bound, row, rows_seen, rows_wanted, subject
from tests.unit.policies import CASES, LAYERS, ROWS, SUBJECTS, Case, Sees, sees
from tests.unit.small_expressions import visible

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
