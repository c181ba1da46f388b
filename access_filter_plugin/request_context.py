"""What the plugin knows of the request under way; one object, handed to every feature in turn.

It lives from ``requestReady`` to ``responseComplete`` and never longer: nothing about a caller
may outlive the request (facts B, trap 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Callable, Optional

from .ows_request import OwsRequest
from .subject import ANONYMOUS, Subject
from .value_class import mutable_class


@mutable_class
class DecisionRecord:
    """The access decision as the log line and Explain show it (contract, section 8)."""

    effect: str = "none"
    """``allow``, ``deny``, or ``none`` where access control is off for the project."""
    rules: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Optional[str] = None
    """The reason of the admission wall, in one sentence."""

    def copy(self) -> DecisionRecord:
        """Return a record of its own, which may be changed."""
        return DecisionRecord(
            self.effect, self.rules, self.denied, self.filtered, self.hidden, self.refused
        )


@mutable_class
class RequestContext:
    """One request on its way through the plugin."""

    request: OwsRequest
    subject: Subject = ANONYMOUS
    started: float = 0.0
    """``time.perf_counter()`` at the first hook, in seconds."""
    project: Any = None
    """The ``qgis_project.ProjectState`` of the request, or None without a project."""
    access: Any = None
    """The ``access_control`` feature's decision for this request, or None."""
    decision: DecisionRecord = field(default_factory=DecisionRecord)
    request_id: str = ""
    cached: bool = False
    document_bytes: Optional[int] = None
    """The size of the answer where it is a good document out of our cache, in bytes, else None."""
    enriched: bool = False
    answered: bool = False
    """True when a wall of ours wrote the answer in ``requestReady``; QGIS runs no service then."""
    read_whole: Optional[Callable[[], OwsRequest]] = None
    """Reads the request with a body beyond the operator's limit, which ``request`` is without."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What features leave for one another within this request."""

    @property
    def is_refused(self) -> bool:
        """True when the admission wall refused the request."""
        return self.decision.refused is not None
