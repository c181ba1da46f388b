"""QGIS's request handler → our plain request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .ows_request import (
    ACCESS,
    LANDING_PAGE,
    OAPIF,
    OwsRequest,
    canonical_operation,
    oapif_operation,
)

API_ROOT = "/wfs3"
_LEFT_OVER = "admin.sld"
_HEAD = ("SERVICE", "REQUEST", "VERSION", "MAP")
#: Requests for data, whose URL nobody reads: QGIS takes longer to write it than we for all the rest.
_WITHOUT_URL: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "WMS": frozenset({"GetMap", "GetFeatureInfo", "GetLegendGraphic", "GetPrint"}),
        "WFS": frozenset({"GetFeature", "Transaction"}),
        "WCS": frozenset({"GetCoverage"}),
        "WMTS": frozenset({"GetTile", "GetFeatureInfo"}),
    }
)


def read_request(handler: Any, server_iface: Any, data: Any = None) -> OwsRequest:
    """Return the request that QGIS is about to run; ``data`` is its body, where that was asked for.

    ``parameterMap`` holds what the services will use: upper-case keys, the last duplicate, POST over
    URL (facts A.6e). A WFS body is parsed by QGIS itself and stands in ``body``. ``method`` is empty
    where the server does not tell it (in process and in qgis_mapserver without the CGI variable).
    """
    data = handler.data() if data is None else data
    body = bytes(data) if data.size() else b""
    return _request(handler, server_iface, handler.parameterMap(), body)


def read_head(handler: Any, server_iface: Any) -> OwsRequest:
    """Return a request without its body, and without the parameters that QGIS makes of the body."""
    named = ((name, handler.parameter(name)) for name in _HEAD)
    parameters = {name: value for name, value in named if value}
    request = _request(handler, server_iface, parameters, b"<")
    return request._replace(body=b"")


def _request(
    handler: Any, server_iface: Any, parameters: Mapping[str, str], body: bytes
) -> OwsRequest:
    path = handler.path()
    method = server_iface.getEnv("REQUEST_METHOD")
    service, operation = parameters.get("SERVICE", "").upper(), parameters.get("REQUEST", "")
    if not service:
        service, operation = _without_service(method, path, operation, body)
    operation = canonical_operation(service, operation)
    return OwsRequest(
        service,
        operation,
        parameters.get("VERSION", ""),
        parameters,
        method,
        "" if operation in _WITHOUT_URL.get(service, ()) else handler.url(),
        path,
        body,
        _project_of(service, server_iface.configFilePath()),
    )


def _project_of(service: str, path: str) -> str:
    """Return the configuration that QGIS will load; none for our own service where none is named.

    Without MAP and QGIS_PROJECT_FILE, QGIS takes a file of this name in its working folder for one
    (3.22 to 3.44). Under mod_fcgid that is /usr/lib/cgi-bin, where Debian installs it.
    """
    is_left_over = service == ACCESS and os.path.basename(path) == _LEFT_OVER
    return "" if is_left_over else path


def _without_service(method: str, path: str, operation: str, body: bytes) -> tuple[str, str]:
    # QGIS runs these two as WMS when SERVICE is missing, in exactly this spelling, whatever the path
    # (3.22 to 3.44).
    if operation in ("GetMap", "GetFeatureInfo"):
        return "WMS", operation
    if API_ROOT in path:
        return OAPIF, _api_operation(method, path, body)
    return LANDING_PAGE, operation


_METHODS = {"POST": "Create", "PUT": "Replace", "PATCH": "Update", "DELETE": "Delete"}


def _api_operation(method: str, path: str, body: bytes) -> str:
    """Return the operation of a path; one that may write is never taken for a reading one.

    QGIS searches its patterns anywhere in a path, so it may find an item where we see none.
    """
    rest = path.split(API_ROOT, 1)[1]
    operation = oapif_operation(method or ("POST" if body else "GET"), rest)
    writes = _METHODS.get(method)
    if writes is None or operation in _METHODS.values():
        return operation
    return writes
