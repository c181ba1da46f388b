"""Extents, dimensions and hide flags of layers, for the time of one request."""

from __future__ import annotations

from typing import Any, Callable

from ..request_context import RequestContext
from .project_access import OperationAccess

Register = Callable[[Callable[[], None]], None]


def mutate_layers(
    _context: RequestContext, _access: OperationAccess, _state: Any, _undo: Register
) -> None:
    """Set the layers of the project so that documents tell nothing that is hidden."""
