"""A decision as the log line shows it (contract, section 8, ``decision``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ..ows_request import OwsRequest
from ..request_context import DecisionRecord
from .project_access import OperationAccess
from .touched import naming_texts, touched_layers

MAX_NAMES = 50
MAX_KEPT = 100
"""Records kept with the decisions of one caller and operation."""
MAX_TEXT = 2000
"""Names with more characters than this together are looked up each time."""


def record_of_request(access: OperationAccess, request: OwsRequest) -> DecisionRecord:
    """Return the record of a request by the layers that it names: others have it, too."""
    texts = naming_texts(request)
    known = access.cache.get("records")
    if not isinstance(known, dict):
        known = access.cache["records"] = {}
    record: Optional[DecisionRecord] = known.get(texts)
    if record is None:
        record = record_of(access, touched_layers(request, access.catalogue))
        if len(known) < MAX_KEPT and sum(map(len, texts)) <= MAX_TEXT:
            known[texts] = record
    return record


def record_of(access: OperationAccess, layer_ids: Iterable[str]) -> DecisionRecord:
    """Return the record of a request that touched these layers (ids)."""
    touched = dict.fromkeys(layer_ids)
    rules: dict[str, None] = {}
    denied, filtered = [], []
    hidden: dict[str, tuple[str, ...]] = {}
    for layer_id in touched:
        layer = access.catalogue.layers.get(layer_id)
        if layer is None:
            continue
        decision = access.decision(layer_id)
        rules.update(dict.fromkeys(decision.rules))
        if not decision.is_listed:
            denied.append(layer.name)
            continue
        if not decision.rows.is_everything:
            filtered.append(layer.name)
        if decision.hidden:
            hidden[layer.name] = tuple(sorted(decision.hidden))[:MAX_NAMES]
    return DecisionRecord(
        effect="deny" if denied and not (len(denied) < len(touched)) else "allow",
        rules=tuple(rules)[:MAX_NAMES],
        denied=tuple(denied)[:MAX_NAMES],
        filtered=tuple(filtered)[:MAX_NAMES],
        hidden=hidden,
    )
