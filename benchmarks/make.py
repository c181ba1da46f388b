"""Builds the benchmark's projects; runs in a process of its own."""

from __future__ import annotations

from pathlib import Path

from .projects import POLICY, build


def make(folder: str, sizes: list[int]) -> None:
    """Write the open, the protected and the enriched project of each size, where missing."""
    for size in sizes:
        place = Path(folder) / str(size)
        for name, variables in (
            ("open.qgs", {}),
            ("protected.qgs", {"access_rules": POLICY}),
            ("protected_info.qgs", {"access_rules": POLICY, "feature_info": "on"}),
        ):
            if not (place / name).exists():
                build(place, size, variables)
