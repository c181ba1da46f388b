"""Admission of WFS requests: reading by a restricted caller, writing by everybody."""

from __future__ import annotations

from typing import Any

from ..ows_request import OwsRequest
from .admission.catalog_mode import challenge_listing, closed_answer, everything_is_closed
from .admission.refused import Refused, UnknownName
from .admission.verdict import ADMITTED, Verdict
from .admission.wfs import (
    check_parameters,
    describe_changes,
    feature_changes,
    names_nothing,
)
from .admission.wfs_body import (
    check_capabilities_body,
    check_describe_body,
    check_feature_body,
    check_root,
    is_xml,
    parse_body,
)
from .project_access import OperationAccess
from .qgis_transaction import judge_transaction
from .qgis_wfs_layers import WfsExpressions, WfsLayers, published


def admit(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    """Return the verdict on a WFS request."""
    try:
        if request.operation == "Transaction":
            return judge_transaction(request, access, state)
        return _reading(request, access, state)
    except UnknownName as refused:
        exists = any(
            not access.decision(info.id).is_listed
            for info in published(access, state.project).get(refused.name, ())
        )
        return closed_answer(access, refused.verdict, exists=exists)
    except Refused as refused:
        return refused.verdict


def _reading(request: OwsRequest, access: OperationAccess, state: Any) -> Verdict:
    check_parameters(request.operation, request.parameters)
    if request.operation == "GetCapabilities" and everything_is_closed(
        access, (decision.is_listed for decision in access.decisions().values())
    ):
        return challenge_listing(access)
    layers = WfsLayers(access, state.project)
    expressions = WfsExpressions(state.layers)
    has_body = is_xml(request.body)
    if has_body:
        _check_body(request, layers, expressions)
    elif request.parameters.get("REQUEST_BODY"):
        raise Refused("REQUEST_BODY: send it as the body")
    # Beside a body too: should QGIS not find it well-formed, the parameters are what it runs.
    if request.operation == "DescribeFeatureType":
        changes = describe_changes(request.parameters, layers)
        return Verdict(changes=changes) if changes else ADMITTED
    if request.operation != "GetFeature":
        return ADMITTED
    changes = {}
    if not (has_body and names_nothing(request.parameters)):
        changes = feature_changes(request.parameters, layers, expressions)
    return Verdict(changes=changes, notes={"layers": frozenset(layers.found)})


def _check_body(request: OwsRequest, layers: WfsLayers, expressions: WfsExpressions) -> None:
    root = parse_body(request.body)
    check_root(root, request.operation)
    if request.operation == "GetFeature":
        check_feature_body(root, layers, expressions)
    elif request.operation == "DescribeFeatureType":
        check_describe_body(root, layers)
    else:
        check_capabilities_body(root)
