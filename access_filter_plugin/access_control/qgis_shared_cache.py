"""Keeps QGIS from copying a caller's capabilities into its own cache, where nobody looks for them.

QGIS 3.22 to 3.44 puts a copy of every WMS document it makes into that cache, also under a key that
switches the cache off, and frees the copy of the caller before: a third of what the document costs.
A cache filter that says a document is kept spares both. QGIS asks it only when ``cacheKey`` is empty,
and an empty key *before* the document is made would let QGIS answer from what callers share. So the
key is empty once, after QGIS has looked for a document by a key that finds none, and has then asked
for the permissions of a layer: it is making the document. In any other order nothing is spared.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Optional

from ..ows_request import OwsRequest
from ..qgis_stand_in import FIRST, KeptElsewhere

CACHE_OFF = "access_filter"
"""Any non-empty key switches QGIS's shared capabilities cache off (facts C5)."""
_COPIED = frozenset({"GetCapabilities", "GetProjectSettings"})


class _Step(Enum):
    """How far QGIS is with the document of the request."""

    NOT_COPIED = "not copied"
    EXPECTED = "expected"
    LOOKED_FOR = "looked for"
    IS_MADE = "is made"
    TOLD = "told that it is kept"


def is_copied(request: OwsRequest) -> bool:
    """Return whether QGIS copies the answer into its own cache."""
    return request.service == "WMS" and request.operation in _COPIED


class SharedCache:
    """Answers ``cacheKey`` for callers who do not share QGIS's documents."""

    def __init__(self, server_iface: Any) -> None:
        self._iface = server_iface
        self._filter: Optional[KeptElsewhere] = None
        self._step = _Step.NOT_COPIED

    def expect(self) -> None:
        """Keep QGIS from copying the document that it is going to make."""
        if self._filter is None:
            # Late: a filter costs the documents of open projects some microseconds.
            self._filter = KeptElsewhere(self._iface, self.is_kept)
            self._iface.registerServerCache(self._filter, FIRST)
        self._step = _Step.EXPECTED

    def forget(self) -> None:
        """Forget the request."""
        self._step = _Step.NOT_COPIED

    def permissions_asked(self) -> None:
        """Note that QGIS asked for the permissions of a layer."""
        if self._step is _Step.LOOKED_FOR:
            self._step = _Step.IS_MADE

    def key(self) -> str:
        """Return a key that switches the cache off; the empty one once, for a document just made."""
        if self._step is _Step.IS_MADE:
            self._step = _Step.TOLD
            return ""
        if self._step is _Step.EXPECTED:
            self._step = _Step.LOOKED_FOR
        return CACHE_OFF

    def is_kept(self) -> bool:
        """Return whether QGIS is to leave the document that it has just made."""
        is_kept, self._step = self._step is _Step.TOLD, _Step.NOT_COPIED
        return is_kept
