"""The policies of the benchmark, printed with its figures."""

from __future__ import annotations

import json
from typing import Any

#: Everybody reads the layers; who is no admin sees no row of others, no ``secret``, no hidden layer.
POLICY: list[dict[str, Any]] = [
    {"id": "read", "layers": "*"},
    {"id": "rows", "effect": "deny", "roles": "!admin", "layers": "layer_*", "filter": "\"owner\" = 'other'"},
    {"id": "column", "effect": "deny", "roles": "!admin", "layers": "layer_*", "attributes": "secret"},
    {"id": "layer", "effect": "deny", "roles": "!admin", "layers": "hidden"},
]  # fmt: skip
#: Rows of one's own and nothing else, which the benchmark compares with a filter given natively.
POLICY_OWN: list[dict[str, Any]] = [
    {"id": "own", "layers": "parcels", "filter": '"owner" = @access_user'},
]
VIEWER = {"REMOTE_USER": "vera", "REMOTE_ROLES": "viewer"}
NOBODY = {"REMOTE_USER": "", "REMOTE_ROLES": ""}


def many_rules(layers: int) -> list[dict[str, Any]]:
    """Return the policy with rules for each layer added, until its text is about a megabyte."""
    rules = list(POLICY)
    number = 0
    size = 0
    while size < 1_000_000:
        rule: dict[str, Any] = {
            "id": f"filler-{number}",
            "roles": [f"role{number}", f"other{number}"],
            "layers": f"layer_{number % layers:04d}",
            "actions": ["read", "update"],
            "filter": '"owner" = @access_user AND "value" IN (1, 2, 3)',
        }
        rules.append(rule)
        size += len(json.dumps(rule)) + 2
        number += 1
    return rules


def variables_of(name: str, size: int) -> dict[str, Any]:
    """Return the variables of a project of the benchmark by its name."""
    variables: dict[str, dict[str, Any]] = {
        "open": {},
        "protected": {"access_rules": POLICY},
        "enriched": {"access_rules": POLICY, "feature_info": "on"},
        "megabyte": {"access_rules": many_rules(size)},
    }
    return variables[name]
