"""Feature ids as QGIS Server writes and reads them; 3.22 has no Python for it."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsExpression

SEPARATOR = "@@"


def key_expression(server_id: str, provider: Any) -> Optional[str]:
    """Return the expression of the row with this id; None when the layer has no primary key.

    Empty for an id with another number of parts than the key, which QGIS reads past its end.
    """
    keys = provider.pkAttributeIndexes()
    if not keys:
        return None
    values = server_id.split(SEPARATOR)
    if len(values) != len(keys):
        return ""
    fields = provider.fields()
    return " AND ".join(
        QgsExpression.createFieldEqualityExpression(fields.at(key).name(), value)
        for key, value in zip(keys, values)
    )
