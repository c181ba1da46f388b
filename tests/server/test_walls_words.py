"""The words of ``Explain`` about the third wall are those of what the third wall does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from access_filter_plugin.access_control.qgis_redaction import SERVICES, Answer
from access_filter_plugin.access_service.walls import REDACTIONS, redaction_kind
from access_filter_plugin.ows_request import DATA_OPERATIONS, LISTING_OPERATIONS, OwsRequest

OTHERS = ("Static", "Unknown", "")


def looks_into(service: str, operation: str) -> bool:
    """Return whether the module of a service does anything to a successful answer.

    The answer is one that no module can read and the access one that none can ask.
    """
    redact = SERVICES.get(service)
    if redact is None:
        return False
    context = SimpleNamespace(request=OwsRequest(service, operation), notes={})
    answer = Answer(200, "application/json", b"{", handler=None, state=None)
    try:
        return redact(context, None, answer) is not None  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 (whatever: it looked)
        return True


@pytest.mark.parametrize("service", DATA_OPERATIONS)
def test_every_request_that_is_redacted_is_in_the_table_and_no_other(service: str) -> None:
    operations = {*DATA_OPERATIONS[service], *LISTING_OPERATIONS[service], *OTHERS}
    redacted = {name for name in operations if looks_into(service, name)}
    assert set(REDACTIONS.get(service, {})) == redacted


def test_the_table_speaks_of_known_services_and_of_restricted_callers_only() -> None:
    assert set(REDACTIONS) == set(SERVICES)
    assert redaction_kind("WMS", "GetCapabilities", restricted=False) is None
    assert redaction_kind("WMS", "GetCapabilities", restricted=True)
