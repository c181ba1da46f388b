"""A decision as the log line shows it (contract, section 8, ``decision``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from ..request_context import DecisionRecord
from .project_access import OperationAccess

MAX_NAMES = 50
MAX_KEPT = 100
"""Records kept with the decisions of one caller and operation."""


def record_of(access: OperationAccess, layer_ids: Iterable[str]) -> DecisionRecord:
    """Return the record of a request that touched these layers (ids); the caller may change it."""
    touched = tuple(layer_ids)
    known = access.cache.get("records")
    if not isinstance(known, dict):
        known = access.cache["records"] = {}
    record: Optional[DecisionRecord] = known.get(touched)
    if record is None:
        record = _make_record(access, touched)
        if len(known) < MAX_KEPT:
            known[touched] = record
    return record.copy()


def _make_record(access: OperationAccess, layer_ids: tuple[str, ...]) -> DecisionRecord:
    rules: dict[str, None] = {}
    denied, filtered = [], []
    hidden: dict[str, tuple[str, ...]] = {}
    for layer_id in dict.fromkeys(layer_ids):
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
        effect="deny" if denied and not (len(denied) < len(set(layer_ids))) else "allow",
        rules=tuple(rules)[:MAX_NAMES],
        denied=tuple(denied)[:MAX_NAMES],
        filtered=tuple(filtered)[:MAX_NAMES],
        hidden=hidden,
    )
