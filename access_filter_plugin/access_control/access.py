"""The decisions of one request, as the walls and the other features ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, Protocol

from .catalogue import Catalogue
from .decision import LayerDecision


class RequestAccess(Protocol):
    """What the caller of the current request may see of the current project."""

    is_on: bool
    """False when neither the project nor the operator has a rule: everything is open."""
    is_denied: bool
    """True when the project is closed to everybody (invalid or missing rules)."""
    is_restricted: bool
    """True when something of the project is closed to the caller's reading by this service."""
    catalogue: Catalogue

    def decision(self, layer_id: str) -> LayerDecision:
        """Return the decision for a layer; an unknown id is closed."""

    def decisions(self) -> Mapping[str, LayerDecision]:
        """Return the decision of every layer of the project."""

    def allows_template(self, name: str) -> bool:
        """Return whether a print layout is open."""

    def expression_variables(self) -> Mapping[str, Optional[object]]:
        """Return ``access_user``, ``access_roles`` (a list) and ``access_is_anonymous``."""
