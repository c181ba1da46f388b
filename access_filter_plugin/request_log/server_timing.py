"""The response header ``Server-Timing``, which browsers show beside the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

_MAX_LAYERS = 20


def server_timing(ms: float, layer_ms: Optional[Mapping[str, float]]) -> str:
    """Return the header's value: the whole time, then up to twenty layers."""
    parts = [f"total;dur={ms:.1f}"]
    for name, layer_time in list((layer_ms or {}).items())[:_MAX_LAYERS]:
        parts.append(f'layer;desc="{_header_text(name)}";dur={layer_time:.1f}')
    return ", ".join(parts)


def _header_text(name: str) -> str:
    # A layer's name must not end the header or the quoted string.
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in name[:64])
