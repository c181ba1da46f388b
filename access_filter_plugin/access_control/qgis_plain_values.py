"""Values of edits that QGIS and its data sources would not all read alike."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis

from ..late_pattern import late_pattern
from .admission.refused import Refused

_CUTS_NUMBERS = Qgis.versionInt() < 34000
"""Seen with 3.22, and not with 3.40 and 3.44; nobody looked between them."""
_WHOLE = late_pattern(r"\s*[+-]?[0-9]{1,19}\s*")
_NUMBER = late_pattern(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")
_ARRAY = late_pattern(r"""[^{]*|\{[^{}"\\]*\}""")


def refuse_ambiguous(provider: Any, name: str, value: Any) -> None:
    """Refuse a text that is judged as one number or truth value and stored as another.

    "1,5" is 15 to a field and 0 in a GeoPackage, "no" is true to Qt; there "true" is stored as
    false (3.22). A whole number of JSON beyond 32 bits is cut by some releases: 4294967301 is stored
    as 5 (3.22).
    """
    if isinstance(value, int) and not -(2**31) <= value < 2**31 and _CUTS_NUMBERS:
        raise Refused(f"{name}: the number is too large")
    if not isinstance(value, str) or name not in provider.fields().names():
        return
    field = provider.fields().field(name)
    if "bool" in field.typeName().lower():
        words = ("0", "1", "false") if provider.name() == "ogr" else ("0", "1", "false", "true")
        is_plain = value.lower() in words
    elif field.isNumeric():
        plain = _WHOLE if "int" in field.typeName().lower() else _NUMBER
        is_plain = not value or plain.fullmatch(value) is not None
        # What is larger becomes another number here, and in some data sources 0.
        if is_plain and value and plain is _WHOLE:
            is_plain = -(2**63) <= int(value) < 2**63
    elif field.typeName().startswith("_") and provider.name() == "postgres":
        is_plain = _ARRAY.fullmatch(value) is not None
    else:
        return
    if not is_plain:
        raise Refused(f"{name}: the value does not fit the attribute")
