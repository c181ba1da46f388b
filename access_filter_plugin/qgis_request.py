"""QGIS's request handler → our plain request."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from qgis.PyQt.QtCore import QUrl

from .ows_request import LANDING_PAGE, OAPIF, OwsRequest, canonical_operation, oapif_operation

API_ROOT = "/wfs3"


def read_request(handler: Any, server_iface: Any) -> OwsRequest:
    """Return the request that QGIS is about to run.

    ``parameterMap`` holds what the services will use: upper-case keys, the last duplicate, POST over
    URL (facts A.6e). A WFS body is parsed by QGIS itself and stands in ``body``. ``method`` is empty
    where the server does not tell it (in process and in qgis_mapserver without the CGI variable).
    """
    parameters = handler.parameterMap()
    url = handler.url()
    path = QUrl(url).path(QUrl.ComponentFormattingOption.FullyDecoded)
    method = server_iface.getEnv("REQUEST_METHOD").upper()
    service = parameters.get("SERVICE", "").upper()
    body = b"" if method in ("GET", "HEAD") else bytes(handler.data())
    operation = parameters.get("REQUEST", "")
    if not service and API_ROOT in path:
        service, operation = OAPIF, _api_operation(method, path, body)
    elif not service:
        service = _service_without_name(path, operation, body)
    return OwsRequest(
        service=service,
        operation=canonical_operation(service, operation),
        version=parameters.get("VERSION", ""),
        parameters=parameters,
        method=method,
        url=url,
        path=path,
        body=body,
        project=server_iface.configFilePath(),
    )


def _api_operation(method: str, path: str, body: bytes) -> str:
    rest = unquote(path.split(API_ROOT, 1)[1])
    return oapif_operation(method or ("POST" if body else "GET"), rest)


def _service_without_name(_path: str, operation: str, _body: bytes) -> str:
    # QGIS runs these two as WMS when SERVICE is missing, in exactly this spelling (3.22 to 3.44).
    return "WMS" if operation in ("GetMap", "GetFeatureInfo") else LANDING_PAGE
