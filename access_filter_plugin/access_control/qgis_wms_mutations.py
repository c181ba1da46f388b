"""Map tips, annotations and current styles, for the time of one WMS or WMTS request."""

from __future__ import annotations

from typing import Any, Callable

from ..request_context import RequestContext
from .admission.verdict import Verdict
from .project_access import OperationAccess

Register = Callable[[Callable[[], None]], None]


def mutate_wms(
    _context: RequestContext,
    _access: OperationAccess,
    _state: Any,
    _verdict: Verdict,
    _undo: Register,
) -> None:
    """Set the project so that maps and GetFeatureInfo show nothing that is hidden."""
