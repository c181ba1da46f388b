"""Keeps a share of the unremarkable requests, evenly: every tenth for 0.1."""

from __future__ import annotations


class Sampler:
    """Counts shares until they make a whole request."""

    def __init__(self) -> None:
        self._credit = 0.0

    def keeps(self, share: float) -> bool:
        """Return whether this request is one of the share (1.0 keeps all, 0.0 none)."""
        if share >= 1.0:
            return True
        self._credit += share
        # A tenth has no exact float: ten of them must make one all the same.
        if self._credit < 1.0 - 1e-9:
            return False
        self._credit -= 1.0
        return True
