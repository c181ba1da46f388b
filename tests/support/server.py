"""A client of the in-process QGIS Server, with the plugin loaded as QGIS would load it.

Filters cannot be unregistered, so there is one server per process; users are switched through the
CGI variables, projects through MAP, and the plugin itself through the wall's target.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from qgis.core import QgsApplication
from qgis.server import (
    QgsAccessControlFilter,
    QgsBufferServerRequest,
    QgsBufferServerResponse,
    QgsServer,
)

_KEPT: list[Any] = []
"""The QgsApplication, alive as long as the process."""

METHODS = {
    "GET": QgsBufferServerRequest.GetMethod,
    "POST": QgsBufferServerRequest.PostMethod,
    "PUT": QgsBufferServerRequest.PutMethod,
    "PATCH": QgsBufferServerRequest.PatchMethod,
    "DELETE": QgsBufferServerRequest.DeleteMethod,
    "HEAD": QgsBufferServerRequest.HeadMethod,
}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class OpenTarget:
    """A wall target that does nothing: the server as it is without the plugin."""

    def request_begins(self, _handler: Any) -> None:
        """Do nothing."""

    request_ready = project_ready = response_complete = request_begins

    def layer_permissions(self, _layer: Any) -> Any:
        """Allow everything."""
        permissions = QgsAccessControlFilter.LayerPermissions()
        permissions.canRead = permissions.canInsert = True
        permissions.canUpdate = permissions.canDelete = True
        return permissions

    def layer_filter_expression(self, _layer: Any) -> str:
        """Filter nothing."""
        return ""

    layer_filter_subset_string = layer_filter_expression

    def authorized_layer_attributes(self, _layer: Any, attributes: list[str]) -> list[str]:
        """Show everything."""
        return attributes

    def allow_to_edit(self, _layer: Any, _feature: Any) -> bool:
        """Allow everything."""
        return True

    def cache_key(self) -> str:
        """Keep QGIS from sharing documents between guarded and unguarded requests."""
        return "unguarded"


@dataclass
class Server:
    """The one server of this process."""

    qgis: QgsServer
    plugin: Any
    environment: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Let the requests inside run as if the plugin were not there."""
        target, self.plugin.wall.target = self.plugin.wall.target, OpenTarget()
        try:
            yield
        finally:
            self.plugin.wall.target = target

    def client(
        self, project: Path, user: Optional[str] = None, roles: str = "", **cgi: str
    ) -> Client:
        """Return a client of a project as a user with comma-separated roles."""
        variables = {"REMOTE_ADDR": "198.51.100.7", **cgi}
        if user is not None:
            variables |= {"REMOTE_USER": user, "REMOTE_ROLES": roles}
        return Client(self, project, variables)

    def forget(self, project: Path) -> None:
        """Let QGIS load a rewritten project again."""
        self.qgis.serverInterface().removeConfigCacheEntry(str(project))

    def run(
        self,
        url: str,
        method: str = "GET",
        body: bytes = b"",
        headers: Optional[dict[str, str]] = None,
        cgi: Optional[dict[str, str]] = None,
    ) -> Answer:
        """Run one request with these CGI variables in the process environment."""
        variables = {"REQUEST_METHOD": method, **(cgi or {})}
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            request = QgsBufferServerRequest(url, METHODS[method], headers or {}, body)
            response = QgsBufferServerResponse()
            self.qgis.handleRequest(request, response)
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        return Answer(response.statusCode(), dict(response.headers()), bytes(response.body()))


@dataclass
class Client:
    """A caller of one project."""

    server: Server
    project: Path
    cgi: dict[str, str]

    def get(self, headers: Optional[dict[str, str]] = None, **parameters: Any) -> Answer:
        """Send an OWS request by GET."""
        return self.server.run(self.url(**parameters), headers=headers, cgi=self.cgi)

    def post(
        self, body: str | bytes, headers: Optional[dict[str, str]] = None, **parameters: Any
    ) -> Answer:
        """Send an OWS request with a body."""
        data = body.encode() if isinstance(body, str) else body
        sent = {"Content-Type": "text/xml", **(headers or {})}
        return self.server.run(self.url(**parameters), "POST", data, sent, self.cgi)

    def api(self, path: str, method: str = "GET", body: Any = None, **parameters: Any) -> Answer:
        """Send an OGC API Features request; ``path`` is what follows ``/wfs3``."""
        data = b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        query = self._query(parameters)
        return self.server.run(
            f"http://localhost/wfs3{path}?{query}", method, data, headers, self.cgi
        )

    def url(self, **parameters: Any) -> str:
        """Return the URL of an OWS request."""
        return f"http://localhost/?{self._query(parameters)}"

    def _query(self, parameters: dict[str, Any]) -> str:
        named = {"MAP": str(self.project), **parameters}
        return "&".join(f"{key}={quote(str(value), safe='')}" for key, value in named.items())


def start_server(**environment: str) -> Server:
    """Start the server of this process with the plugin loaded under these operator settings."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if QgsApplication.instance() is None:
        QgsApplication.setPrefixPath(os.environ.get("QGIS_PREFIX_PATH", "/usr"), True)
        _KEPT.append(QgsApplication([], False))
        _KEPT[0].initQgis()
    settings = {"ACCESS_FILTER_LOG": "off", **environment}
    os.environ.update(settings)
    qgis = QgsServer()
    from access_filter_plugin import serverClassFactory

    plugin = serverClassFactory(qgis.serverInterface())
    for name in settings:
        os.environ.pop(name, None)
    return Server(qgis, plugin)
