"""ACCESS as a QGIS service, so that other plugins and QGIS itself find it in the registry.

The requests are answered earlier, in ``requestReady``; this service is reached only when another
plugin takes that answer away, and then it answers that it is closed.
"""

from __future__ import annotations

from typing import Any

from qgis.server import QgsService

from ..ows_request import ACCESS
from ..qgis_boundary import report_failure

BODY = b'{"error":"ACCESS was not answered by the plugin"}'


class AccessQgisService(QgsService):
    """The registered service."""

    def name(self) -> str:
        """Return the name of the service."""
        return ACCESS

    def version(self) -> str:
        """Return the version of the service."""
        return "1.0.0"

    def executeRequest(self, _request: Any, response: Any, _project: Any) -> None:  # noqa: N802
        """Answer 503; an exception that left this method would abort the process (facts E1)."""
        try:
            response.setStatusCode(503)
            response.setHeader("Content-Type", "application/json; charset=utf-8")
            response.write(BODY)
        except BaseException as error:
            report_failure("AccessQgisService.executeRequest", error)


def register_service(server_iface: Any) -> AccessQgisService:
    """Register the service and return it: QGIS does not keep the reference."""
    service = AccessQgisService()
    server_iface.serviceRegistry().registerService(service)
    return service
