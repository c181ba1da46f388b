"""Guards that protect everybody, in every project, with or without rules (contract, section 6)."""

from __future__ import annotations

from typing import Any

from ..operator_settings import OperatorSettings
from ..ows_request import OwsRequest
from .admission.verdict import ADMITTED, Verdict


def guard(_request: OwsRequest, _state: Any, _settings: OperatorSettings) -> Verdict:
    """Return a refusal of what endangers others, or ``ADMITTED`` itself."""
    return ADMITTED
