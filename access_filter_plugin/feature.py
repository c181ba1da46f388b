"""What a feature of the plugin is: three moments, in the order the composition root names them."""

from __future__ import annotations

from typing import Any, Protocol

from .request_context import RequestContext


class Feature(Protocol):
    """Access control, feature info and request log each implement this in ``qgis_filter.py``.

    ``handler`` is the ``QgsRequestHandler`` of the request. None of these may raise: the request
    filter wraps each call, and the answer of a failure is a denial.
    """

    name: str
    """The key of the feature's part in ``ProjectState.parts``."""

    def compile(self, state: Any) -> Any:
        """Return what the feature keeps for a project generation (``state.variables`` is read)."""

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Look at a request before QGIS runs it."""

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Look at a finished answer; ``context`` is the same object as in ``request_ready``."""
