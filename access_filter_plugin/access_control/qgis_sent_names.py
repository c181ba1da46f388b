"""What a new feature of OGC API Features ends as: QGIS finds its values by name, in two ways.

The values come from the JSON, but their places from the fields that OGR makes of the body, where a
name is also found in another case. So a value may be lost, or stored as another attribute, and of a
shapefile the first member is always lost (3.22 to 3.44).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import QgsJsonUtils

from .admission.refused import Forbidden

_SHAPEFILE = "ESRI Shapefile"


def kept_values(body: bytes, sent: Mapping[str, Any], layer: Any) -> dict[str, Any]:
    """Return the values of a POST without those that QGIS loses.

    Raise Forbidden where one would be stored as an attribute for which it was not sent, without a
    word of that attribute, which may be hidden.
    """
    fields = QgsJsonUtils.stringToFields(body.decode())
    places: dict[int, Optional[str]] = {}
    names = layer.fields().names()
    for name in names:
        places[fields.lookupField(name)] = name if name in sent else None
    if layer.dataProvider().storageType() == _SHAPEFILE:
        places[0] = None
    places[-1] = None
    lost = set()
    for name in names:
        found = places[fields.lookupField(name)]
        if found is None:
            lost.add(name)
        elif found != name:
            raise Forbidden(f"The attribute {found} may not be written.")
    return {name: value for name, value in sent.items() if name not in lost}
