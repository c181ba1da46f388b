"""What the admission wall says of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Optional

from ...value_class import value_class


@value_class
class Verdict:
    """Let in (perhaps with other parameters) or refused with one sentence that names what."""

    refused: Optional[str] = None
    status: int = 403
    code: str = "Security"
    """The OGC exception code of a refusal."""
    changes: Mapping[str, Optional[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Parameters to set before QGIS runs, by upper-case name; None removes one."""
    restore: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Stand-in names in the answer → the names the client sent (hidden names asked as unknown)."""
    notes: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """What the redaction of this answer needs to know."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Response headers of a refusal (``WWW-Authenticate``)."""
    body: Optional[bytes] = None
    """The whole body of a refusal that must look like QGIS's own answer; else one is made."""
    content_type: str = ""
    is_lasting: bool = True
    """False where the same request may be judged otherwise with other rows in the data."""


ADMITTED = Verdict()


def refuse(sentence: str, *, status: int = 403, code: str = "Security") -> Verdict:
    """Return a refusal; the sentence names the parameter and what to do, never hidden data."""
    return Verdict(refused=sentence, status=status, code=code)
