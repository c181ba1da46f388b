"""What the parts of a line in the log are made of, for tests that change one of them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from access_filter_plugin.request_log.asked import SHOWN


def a_request(service: str) -> dict[str, Any]:
    """Return the arguments of a request, a subject and a decision, by ``request``, ``subject``..."""
    names = SHOWN.get(service, ("LAYERS",))
    return {
        "request": {
            "operation": "GetMap",
            "version": "1.1.0",
            "method": "GET",
            "path": "/wfs3/collections/a/items",
            "project": "/data/town.qgs",
            "parameters": {**dict.fromkeys(names, "7"), "BBOX": "1,2,3,4"},
        },
        "subject": {"user": "al", "roles": frozenset("r"), "address": ip_address("192.0.2.1")},
        "decision": {"effect": "allow", "rules": ("a",)},
        "settings": {},
    }
