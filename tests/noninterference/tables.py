"""All tables together, the ids of the facts, and which of them no request can show, by version."""

from __future__ import annotations

from qgis.core import Qgis

from tests.noninterference import (
    requests_edit,
    requests_info,
    requests_oapif,
    requests_print,
    requests_tiles,
    requests_wfs,
    requests_wms,
)
from tests.noninterference.table import Request

VERSION = int(Qgis.QGIS_VERSION_INT)
READING: list[Request] = [
    *requests_wms.REQUESTS,
    *requests_info.REQUESTS,
    *requests_print.REQUESTS,
    *requests_wfs.REQUESTS,
    *requests_tiles.REQUESTS,
    *requests_oapif.REQUESTS,
]
POISON = requests_wms.POISON
EDITS = [*requests_edit.REFUSED, *requests_edit.PERMITTED]
FACTS = [
    *(f"F{number}" for number in range(1, 17)),
    *(f"A{number}" for number in range(1, 16)),
    *(f"L{number}" for number in range(1, 17)),
    *(f"X{number}" for number in range(1, 9)),
]
NOT_SEEN: dict[str, tuple[tuple[int, int], str]] = {
    "F2": ((0, 32400), "QGIS 3.22 does not write PDF by GetMap"),
    "F7": ((0, 99999), "only with subset strings, which the plugin never uses on such layers"),
    "F8": ((0, 99999), "only with subset strings, which the plugin never uses on such layers"),
    "F9": (
        (0, 99999),
        "only with a rule of the plugin that NULL satisfies; without any, all is open",
    ),
    "F15": ((0, 99999), "QGIS asks the row filter in prints; nothing to close"),
    "F16": ((0, 99999), "QGIS parses EXP_FILTER on its own; nothing to close"),
    "A4": ((0, 32400), "QGIS 3.22 does not write PDF by GetMap"),
    "A13": ((0, 99999), "keys are shown by design; test_impossible pins it"),
    "L4": ((0, 32400), "QGIS 3.22 has no group layers"),
    "L12": ((0, 99999), "texts of refusals by the hooks; unguarded, nothing is refused"),
    "L15": ((0, 99999), "only with a denied layer in the hooks; unguarded, nothing is denied"),
    "X2": ((0, 99999), "Debian builds QGIS without the web engine that HTML frames need"),
}
"""Facts that an unguarded server does not show by a difference, in these versions, and why."""


def applies(interval: tuple[int, int]) -> bool:
    """Return whether this QGIS lies within an interval of versions."""
    return interval[0] <= VERSION < interval[1]


def leaking(requests: list[Request]) -> list[Request]:
    """Return the requests that an unguarded server of this version answers differently."""
    return [request for request in requests if request.facts and applies(request.leaks)]
