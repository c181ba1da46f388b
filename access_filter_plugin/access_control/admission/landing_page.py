"""The landing page, which lists projects and their layers without asking anybody (facts L1)."""

from __future__ import annotations

from .verdict import Verdict, refuse

SENTENCE = "The landing page is not available here."


def closed_landing_page() -> Verdict:
    """Return the refusal of the landing page and of everything below it."""
    return refuse(SENTENCE, status=404, code="NotFound")
