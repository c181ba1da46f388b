"""What is asked: one OGC request, as plain values (OWS Common: service, operation)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

OAPIF = "OAPIF"
LANDING_PAGE = "LANDINGPAGE"
ACCESS = "ACCESS"

#: Requests of each service that hand out or change data of a layer; a layer is *listed* by a
#: service when one of these is open for it (contract, section 3, ``services``).
DATA_OPERATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "WMS": (
            "GetMap",
            "GetFeatureInfo",
            "GetLegendGraphic",
            "GetLegendGraphics",
            "GetStyle",
            "GetStyles",
            "DescribeLayer",
            "GetPrint",
        ),
        "WFS": ("GetFeature", "DescribeFeatureType", "Transaction"),
        "WCS": ("GetCoverage", "DescribeCoverage"),
        "WMTS": ("GetTile", "GetFeatureInfo"),
        OAPIF: ("Items", "Item", "Create", "Replace", "Update", "Delete"),
    }
)

#: Requests that answer with a list of layers rather than with one layer's data.
LISTING_OPERATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "WMS": ("GetCapabilities", "GetProjectSettings", "GetContext", "GetSchemaExtension"),
        "WFS": ("GetCapabilities",),
        "WCS": ("GetCapabilities",),
        "WMTS": ("GetCapabilities",),
        OAPIF: ("Collections", "Collection", "Api", "Conformance", "LandingPage"),
    }
)


_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


class OwsRequest(NamedTuple):
    """One request: OGC names as canonical as we know them, parameters with upper-case keys.

    ``service`` is upper case (``WMS``, ``WFS``, ``WCS``, ``WMTS``, ``OAPIF``, ``ACCESS``,
    ``LANDINGPAGE``, another plugin's, or empty); ``operation`` is the OGC spelling of a known
    request (``GetMap``) and otherwise the text that the client sent.
    """

    service: str
    operation: str
    version: str = ""
    parameters: Mapping[str, str] = _NO_PARAMETERS
    method: str = "GET"
    url: str = ""
    """Empty for requests of which nobody reads it (maps, features, coverages, tiles)."""
    path: str = ""
    body: bytes = b""
    project: str = ""
    """The configuration path QGIS will load (``configFilePath``)."""

    def parameter(self, name: str, default: str = "") -> str:
        """Return a parameter by its upper-case name."""
        return self.parameters.get(name, default)

    @property
    def is_listing(self) -> bool:
        """True for requests whose answer lists layers."""
        return self.operation in LISTING_OPERATIONS.get(self.service, ())


def canonical_operation(service: str, operation: str) -> str:
    """Return the OGC spelling of a request name sent in any case (``getmap`` → ``GetMap``).

    Case is folded as QGIS does, to which a long s (U+017F) is an s.
    """
    known = _SPELLINGS.get(service)
    return operation if known is None else known.get(operation.casefold(), operation)


def _spellings(service: str) -> dict[str, str]:
    names = (*DATA_OPERATIONS.get(service, ()), *LISTING_OPERATIONS.get(service, ()))
    return {name.casefold(): name for name in names}


_SPELLINGS = {name: _spellings(name) for name in {*DATA_OPERATIONS, *LISTING_OPERATIONS}}


def oapif_operation(method: str, rest: str) -> str:
    """Return the operation of an OGC API Features path behind ``/wfs3``.

    Items, Item, Create, Replace, Update and Delete are the contract's names; Collection, Api,
    Conformance, LandingPage and Static are documents. Anything else is ``Unknown``. Methods count
    in capitals only: what the web server calls ``delete``, QGIS answers as a GET.
    """
    parts = [part for part in rest.split("/") if part]
    stems = [part.split(".")[0] for part in parts]
    # QGIS searches its patterns anywhere in a path, so what stands before does not count.
    for index, stem in enumerate(stems):
        if stem == "collections":
            operation = _in_collections(method, parts[index:])
            if operation != "Unknown":
                return operation
    if stems and stems[-1] not in _DOCUMENTS:
        return "Static" if stems[0] == "static" else "Unknown"
    return _DOCUMENTS[stems[-1] if stems else ""]


_DOCUMENTS = {"": "LandingPage", "api": "Api", "conformance": "Conformance"}


def _in_collections(method: str, parts: list[str]) -> str:
    if len(parts) == 1:
        return "Collections"
    if len(parts) == 2:
        return "Collection"
    if parts[2].split(".")[0] != "items" or len(parts) > 4:
        return "Unknown"
    return _items_operation(method, single=len(parts) == 4)


_ON_ONE = {"PUT": "Replace", "PATCH": "Update", "DELETE": "Delete", "POST": "Unknown"}
_ON_ALL = {"POST": "Create", "PUT": "Unknown", "PATCH": "Unknown", "DELETE": "Unknown"}


def _items_operation(method: str, *, single: bool) -> str:
    # What QGIS does not know, such as OPTIONS, it answers like a GET (3.22 to 3.44).
    return _ON_ONE.get(method, "Item") if single else _ON_ALL.get(method, "Items")
