"""Redaction of wcs answers for a restricted caller."""

from __future__ import annotations

from typing import Any, Optional

from ..request_context import RequestContext
from .project_access import OperationAccess


def redact(_context: RequestContext, _access: OperationAccess, _answer: Any) -> Optional[bytes]:
    """Return the new body, or None to leave it."""
    return None
