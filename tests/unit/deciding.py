"""From the variables of a test to decisions, without QGIS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Optional

from access_filter_plugin.access_control.binding import BoundPolicy, bind
from access_filter_plugin.access_control.catalogue import Catalogue, LayerInfo, LayerKind
from access_filter_plugin.access_control.decision import LayerDecision
from access_filter_plugin.access_control.parser import (
    ParsedPolicy,
    merge,
    parse_operator,
    parse_project,
)
from access_filter_plugin.access_control.project_access import OperationAccess, ProjectAccess
from access_filter_plugin.strict_json import StrictJsonError
from access_filter_plugin.subject import Subject
from tests.unit.policies import ROWS, SUBJECTS
from tests.unit.small_expressions import Row, SmallEngine, visible

#: layer → its extra styles; each has "default".
STYLES = {"parcels": ("default", "owners", "public")}


def vector(name: str, *attributes: str, **more: Any) -> LayerInfo:
    """Return a vector layer of a test."""
    styles = more.pop("styles", ("default",))
    return LayerInfo(
        id=more.pop("id", f"{name}_layer_id"),
        name=name,
        attributes=attributes,
        styles=styles,
        default_style=styles[0],
        **more,
    )


def catalogue_of(*layers: LayerInfo, **more: Any) -> Catalogue:
    """Return a project of these layers."""
    return Catalogue(layers={layer.id: layer for layer in layers}, **more)


def project_of_policies() -> Catalogue:
    """Return the project of the policies."""
    layers = [
        vector(name, "fid", *rows[1], styles=STYLES.get(name, ("default",)), primary_key=("fid",))
        for name, rows in ROWS.items()
    ]
    ortho = replace(vector("ortho"), kind=LayerKind.RASTER)
    return catalogue_of(*layers, ortho, templates=("Official", "Draft"))


def texts(variables: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as texts, JSON unless they are texts already."""
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in variables.items()}


def parsed(
    variables: Mapping[str, Any],
    operator: Optional[Mapping[str, Any]] = None,
    *,
    lower_case: bool = False,
) -> ParsedPolicy:
    """Return the policy of these variables and the operator's rules."""
    project = parse_project(
        texts(variables), lambda _name, value: value, lower_case_users=lower_case
    )
    if operator is None:
        return project
    return merge(project, parse_operator(json.dumps(operator), lower_case_users=lower_case))


def bound(
    variables: Mapping[str, Any],
    catalogue: Optional[Catalogue] = None,
    operator: Optional[Mapping[str, Any]] = None,
    *,
    lower_case: bool = False,
) -> BoundPolicy:
    """Return the policy joined with a project; raise StrictJsonError with what closes it."""
    policy = parsed(variables, operator, lower_case=lower_case)
    if policy.errors:
        raise StrictJsonError(policy.problems)
    found = bind(policy.policy, catalogue or project_of_policies(), SmallEngine())
    if found.errors:
        raise StrictJsonError(found.problems)
    return found


def subject(name: str, *, login: str = "", address: str = "198.51.100.7") -> Subject:
    """Return one of the five subjects."""
    user, roles = SUBJECTS[name]
    return Subject(login or user, roles, ip_address(address) if address else None)


def access(
    variables: Mapping[str, Any],
    who: Subject,
    *,
    service: str = "WMS",
    operation: str = "GetMap",
    catalogue: Optional[Catalogue] = None,
    now: str = "2026-06-01T12:00:00+00:00",
) -> OperationAccess:
    """Return the access of a subject to a project with these variables."""
    moment = datetime.fromisoformat(now)
    project = ProjectAccess(bound(variables, catalogue), lambda: moment)
    return project.access(who, service, operation)


def decide(variables: Mapping[str, Any], who: Subject, layer: str, **more: Any) -> LayerDecision:
    """Return the decision on one layer."""
    return access(variables, who, **more).decision(f"{layer}_layer_id")


def row(layer: str, row_id: int) -> Row:
    """Return a row of the policies with its id."""
    return {"fid": row_id, **ROWS[layer][row_id]}


def rows_seen(decision: LayerDecision, layer: str) -> str:
    """Return the ids of the visible rows as a text."""
    if not decision.read:
        return ""
    seen = [i for i in ROWS.get(layer, {}) if visible(decision.rows, row(layer, i))]
    return " ".join(map(str, seen))


def rows_wanted(rows: str, layer: str) -> str:
    """Return the expected ids as a text: ``all`` written out."""
    return " ".join(map(str, ROWS.get(layer, {}))) if rows == "all" else rows
