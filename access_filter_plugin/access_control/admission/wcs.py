"""WCS requests: coverages have no rows and no attributes, so the hooks close what is closed."""

from __future__ import annotations

from collections.abc import Mapping

from .grammar import (
    Grammar,
    is_bbox,
    is_crs,
    is_integer,
    is_media_type,
    is_number,
    is_text,
    is_word,
    wrong_parameter,
)
from .refused import Refused

OPERATIONS = frozenset({"GetCapabilities", "DescribeCoverage", "GetCoverage"})
_NAMES = ("COVERAGE", "COVERAGEID", "IDENTIFIER", "IDENTIFIERS")
_GRAMMARS: dict[str, Grammar] = {
    "SERVICE": is_word,
    "REQUEST": is_word,
    "VERSION": is_word,
    "MAP": is_text,
    "ACCEPTVERSIONS": is_text,
    "ACCEPTFORMATS": is_text,
    "SECTIONS": is_text,
    "UPDATESEQUENCE": is_word,
    "EXCEPTIONS": is_media_type,
    "CRS": is_crs,
    "RESPONSE_CRS": is_crs,
    "BBOX": is_bbox,
    "BOUNDINGBOX": is_bbox,
    "WIDTH": is_integer,
    "HEIGHT": is_integer,
    "DEPTH": is_integer,
    "RESX": is_number,
    "RESY": is_number,
    "RESZ": is_number,
    "FORMAT": is_media_type,
    "INTERPOLATION": is_text,
    "STORE": is_word,
    "GRIDBASECRS": is_crs,
    "GRIDTYPE": is_text,
    "GRIDCS": is_text,
    "GRIDORIGIN": is_text,
    "GRIDOFFSETS": is_text,
    "RANGESUBSET": is_text,
    "TIME": is_text,
    "_": is_word,
    "_DC": is_word,
    "T": is_word,
    "TIMESTAMP": is_word,
    **dict.fromkeys(_NAMES, is_text),
}


def check_request(operation: str, parameters: Mapping[str, str], body: bytes) -> None:
    """Raise Refused for what is not a coverage request by parameters."""
    if operation not in OPERATIONS:
        raise Refused("REQUEST: this operation cannot be restricted", code="OperationNotSupported")
    if body.lstrip()[:1] == b"<":
        raise Refused("The body: coverage requests are accepted by parameters only")
    for name, value in parameters.items():
        if value and name not in _GRAMMARS:
            raise Refused(f"{name}: this parameter is not accepted")
    wrong = wrong_parameter(parameters, _GRAMMARS)
    if wrong is not None:
        raise Refused(f"{wrong}: the value is not understood")


def coverage_names(parameters: Mapping[str, str]) -> list[str]:
    """Return the coverages that a request names."""
    texts = (parameters.get(name, "") for name in _NAMES)
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]
