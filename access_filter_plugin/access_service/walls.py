"""What the third wall would take out of the answer to a request, in words for ``Explain``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..ows_request import OAPIF

_CAPABILITIES = "capabilities: layers, styles, layouts, dimensions and extents that are closed"
_STYLES = "styles: documents of closed styles"
_INFO = "feature info: hidden attributes, primary keys, map tips and display names"
_SCHEMA = "schema: hidden attributes"
_FEATURES = "features: hidden primary keys, counts and links to further pages"
_COLLECTION = "collection: its extent, and links to what is closed"

#: Service → request → the kind of redaction; what is not here leaves as QGIS writes it.
REDACTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "WMS": {
            "GetCapabilities": _CAPABILITIES,
            "GetProjectSettings": _CAPABILITIES,
            "GetContext": "context: layers and extents that are closed",
            "GetStyle": _STYLES,
            "GetStyles": _STYLES,
            "GetFeatureInfo": _INFO,
        },
        "WMTS": {"GetCapabilities": _CAPABILITIES, "GetFeatureInfo": _INFO},
        "WFS": {"GetCapabilities": _CAPABILITIES, "DescribeFeatureType": _SCHEMA},
        OAPIF: {
            "Collections": "collections: the ones that are closed",
            "Collection": _COLLECTION,
            "Api": "api: paths of closed collections",
            "Items": _FEATURES,
            "Item": _FEATURES,
            "Replace": _FEATURES,
            "Update": _FEATURES,
        },
    }
)


def redaction_kind(service: str, operation: str, *, restricted: bool) -> str | None:
    """Return what is taken out of the answer for a restricted caller; None for nothing."""
    if not restricted:
        return None
    return REDACTIONS.get(service, {}).get(operation)
