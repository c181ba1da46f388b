"""What a WMS document may tell is kept for callers with the very same decisions, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from access_filter_plugin.access_control.project_access import OperationAccess, ProjectAccess
from access_filter_plugin.access_control.qgis_redact_wms import _listing
from access_filter_plugin.access_control.redaction.wms_capabilities import Listing
from access_filter_plugin.subject import Subject
from tests.unit.deciding import bound

BOB = Subject("bob")
OPEN = ProjectAccess(bound({"access_rules": [{"layers": "*"}]}))
CLOSED = ProjectAccess(bound({"access_rules": []}))


def told(asking: ProjectAccess) -> Listing:
    """Return what bob is told whose other requests are decided by this."""

    def other(_subject: Any, service: str, operation: str) -> OperationAccess:
        return (OPEN if service == "WFS" else asking).access(BOB, service, operation)

    part = SimpleNamespace(access=SimpleNamespace(access=other))
    state = SimpleNamespace(parts={"access_control": part})
    access = OPEN.access(BOB, "WMS", "GetCapabilities")
    return _listing(SimpleNamespace(subject=BOB), access, state)  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [1, -1])
def test_a_listing_is_another_where_getfeatureinfo_is_decided_otherwise(order: int) -> None:
    for asking in (OPEN, CLOSED, OPEN)[::order]:
        layers = told(asking).layers.values()
        assert layers
        assert all(layer.is_queryable is (asking is OPEN) for layer in layers)


def test_a_listing_is_made_once_for_equal_decisions() -> None:
    assert told(OPEN) is told(OPEN)
