"""Admission of landing_page requests of a restricted caller."""

from __future__ import annotations

from typing import Any

from ..ows_request import OwsRequest
from .admission.verdict import ADMITTED, Verdict
from .project_access import OperationAccess


def admit(_request: OwsRequest, _access: OperationAccess, _state: Any) -> Verdict:
    """Return the verdict on a request."""
    return ADMITTED
