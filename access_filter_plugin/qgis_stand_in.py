"""The filters that QGIS sees: closed until everything behind them has loaded.

A plugin that fails to load leaves QGIS Server serving everything unprotected (facts A.6a), and
filters cannot be unregistered. So these are registered first, with the standard library and PyQGIS
alone. Each asks a *target*: :class:`Closed` until the plugin is complete, the plugin afterwards. They
are also the one boundary of every override: an exception there aborts the server process, a None
opens the data, so both become the closed answer.
"""

from __future__ import annotations

import gc
import json
import traceback
from collections.abc import Mapping
from typing import Any, Callable, Optional

from qgis.core import Qgis, QgsMessageLog
from qgis.server import (
    QgsAccessControlFilter,
    QgsServerCacheFilter,
    QgsServerException,
    QgsServerFilter,
)

FIRST = -1_000_000
"""Priority of the filter that sees a request before all others (the lowest number runs first)."""
LAST = 1_000_000
"""Priority of the filter that sees the request as QGIS will run it, and the answer as it leaves."""

CLOSED_SENTENCE = "Access Filter is closed: this server answers no request until it is repaired."
HEALTH_PATH_PARAMETERS = ("SERVICE", "REQUEST")
_MAX_REPORTS = 20
_PERMISSIONS = QgsAccessControlFilter.LayerPermissions


def log_critical(message: str) -> None:
    """Write one Critical entry to QGIS's log."""
    QgsMessageLog.logMessage(message, "access_filter", Qgis.MessageLevel.Critical)


class Closed:
    """The target that denies everything and answers 503."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def request_begins(self, handler: Any) -> None:
        """Answer the request at once: Health as JSON, everything else with one sentence."""
        parameter = handler.parameter
        health = (
            parameter("SERVICE").upper() == "ACCESS" and parameter("REQUEST").upper() == "HEALTH"
        )
        if health:
            body = json.dumps({"status": "closed", "plugin": "access_filter"})
            write_answer(handler, 503, "application/json; charset=utf-8", body.encode())
        else:
            write_answer(handler, 503, "text/plain; charset=utf-8", CLOSED_SENTENCE.encode())

    def request_ready(self, handler: Any) -> None:
        """Answer again, should another filter have taken the first answer away."""
        self.request_begins(handler)

    def project_ready(self, handler: Any) -> None:
        """Answer again, before a service could run."""
        self.request_begins(handler)

    def response_complete(self, handler: Any) -> None:
        """Replace whatever was written."""
        self.request_begins(handler)

    def layer_permissions(self, _layer: Any) -> Any:
        """Deny everything."""
        return denied_permissions()

    def layer_filter_expression(self, _layer: Any) -> str:
        """Hide every row."""
        return "FALSE"

    def layer_filter_subset_string(self, _layer: Any) -> str:
        """Add no subset string: on GeoPackage it would empty other workers' answers (facts C6)."""
        return ""

    def authorized_layer_attributes(self, layer: Any, attributes: list[str]) -> list[str]:
        """Leave the primary key, because an empty list means all attributes (facts A5, A14)."""
        return fewest_attributes(layer, attributes)

    def allow_to_edit(self, _layer: Any, _feature: Any) -> bool:
        """Refuse the edit."""
        return False

    def cache_key(self) -> str:
        """Switch the shared capabilities cache off: only a non-empty key does (facts C5)."""
        return "closed"


def denied_permissions() -> Any:
    """Return permissions with all four flags set to False (C++ leaves them undefined)."""
    permissions = QgsAccessControlFilter.LayerPermissions()
    permissions.canRead = False
    permissions.canInsert = False
    permissions.canUpdate = False
    permissions.canDelete = False
    return permissions


def fewest_attributes(layer: Any, attributes: list[str]) -> list[str]:
    """Return the primary key among the attributes, or else the first one; never an empty list."""
    names = [field.name() for field in layer.fields()]
    keys = [names[index] for index in layer.primaryKeyAttributes()]
    kept = [name for name in attributes if name in keys]
    return kept or list(attributes)[:1]


class _Answered(QgsServerException):
    """Tells QGIS that a request is answered, without the XML document of a real exception.

    QGIS asks an exception for its text as soon as it is set, and building one through a DOM took
    more than half of an answer from our cache. What is given here is replaced at once.
    """

    def formatResponse(self) -> tuple[bytes, str]:  # noqa: N802
        """Return an empty body and its type."""
        return b"", "text/plain"


_ANSWERED = _Answered("answered by access_filter", 503)


def write_answer(
    handler: Any,
    status: int,
    content_type: str,
    body: bytes,
    headers: Optional[dict[str, str]] = None,
) -> None:
    """Answer the request now; QGIS then runs no service for it (facts E2)."""
    handler.setServiceException(_ANSWERED)
    handler.clear()
    handler.setStatusCode(status)
    handler.setResponseHeader("Content-Type", content_type)
    for name, value in (headers or {}).items():
        handler.setResponseHeader(name, value)
    handler.appendBody(body)


class Wall:
    """What all registered filters share: the target they ask, and the report of a failure."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self._reports: dict[str, int] = {}

    def failed(self, where: str, error: Optional[BaseException]) -> None:
        """Log a failure with its traceback, at most twenty times a place."""
        count = self._reports.get(where, 0) + 1
        self._reports[where] = count
        if count > _MAX_REPORTS:
            return
        text = "answered None or a wrong type"
        if error is not None:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            text = "".join(lines)
        log_critical(f"{where} failed and was answered with a denial ({count}): {text}")

    def refuse(self, where: str, error: BaseException, handler: Any) -> None:
        """Answer the request with 503 after a failure."""
        self.failed(where, error)
        try:
            Closed("failure").request_begins(handler)
        except BaseException as second:  # nothing may leave an override
            self.failed(f"{where} (answering)", second)


class KnownPermissions(dict[Any, Any]):
    """Permissions by the wrapper of their layer; any other layer is asked for as ever.

    QGIS asks for each layer, and in the list of collections for each layer as often as there are
    layers. A look-up that runs no Python of ours is a tenth of asking the target. An equal wrapper
    is the same layer: PyQt lets go of the wrapper of a layer that is deleted, however it came to be.
    """

    def __init__(self, permissions: Mapping[Any, Any], otherwise: Callable[[Any], Any]) -> None:
        if any(type(one) is not _PERMISSIONS for one in permissions.values()):
            raise TypeError("not the permissions of a layer")
        super().__init__(permissions)
        self._otherwise = otherwise

    def __missing__(self, layer: Any) -> Any:
        return self._otherwise(layer)


class AccessControl(QgsAccessControlFilter):
    """The one access control filter: asks the target, and denies when that fails."""

    def __init__(self, server_iface: Any, wall: Wall) -> None:
        super().__init__(server_iface)
        self._wall = wall
        self.ask_permissions = self.layerPermissions

    def know(self, permissions: KnownPermissions) -> None:
        """Answer ``layerPermissions`` from these, until :meth:`forget`."""
        # PyQt looks at the object before its class.
        self.layerPermissions = permissions.__getitem__  # type: ignore[method-assign, assignment]

    def watch(self, asked: Callable[[], None]) -> None:
        """Tell when permissions are asked for next; what is answered stays the same."""
        answer = self.layerPermissions

        def first(layer: Any) -> Any:
            self.layerPermissions = answer  # type: ignore[method-assign]
            asked()
            return answer(layer)

        self.layerPermissions = first  # type: ignore[method-assign]

    def forget(self) -> None:
        """Ask the target for every layer."""
        self.__dict__.pop("layerPermissions", None)

    def layerPermissions(self, layer: Any) -> Any:  # noqa: N802
        """Return what may be done with a layer."""
        try:
            answer = self._wall.target.layer_permissions(layer)
            if type(answer) is _PERMISSIONS:
                return answer
            self._wall.failed("layerPermissions", None)
        except BaseException as error:
            self._wall.failed("layerPermissions", error)
        return denied_permissions()

    def layerFilterExpression(self, layer: Any) -> str:  # noqa: N802
        """Return the rows of a layer as an expression; empty means all."""
        try:
            answer = self._wall.target.layer_filter_expression(layer)
            if type(answer) is str:
                return answer
            self._wall.failed("layerFilterExpression", None)
        except BaseException as error:
            self._wall.failed("layerFilterExpression", error)
        return "FALSE"

    def layerFilterSubsetString(self, layer: Any) -> str:  # noqa: N802
        """Return the rows of a layer as a subset string; empty means all."""
        try:
            answer = self._wall.target.layer_filter_subset_string(layer)
            if type(answer) is str:
                return answer
            self._wall.failed("layerFilterSubsetString", None)
        except BaseException as error:
            self._wall.failed("layerFilterSubsetString", error)
        return "1 = 0"

    def authorizedLayerAttributes(self, layer: Any, attributes: list[str]) -> list[str]:  # noqa: N802
        """Return those of the attributes that are visible."""
        try:
            answer = self._wall.target.authorized_layer_attributes(layer, attributes)
            if type(answer) is list:
                return answer
            self._wall.failed("authorizedLayerAttributes", None)
        except BaseException as error:
            self._wall.failed("authorizedLayerAttributes", error)
        try:
            return fewest_attributes(layer, attributes)
        except BaseException as error:
            self._wall.failed("authorizedLayerAttributes (answering)", error)
            return list(attributes)[:1]

    def allowToEdit(self, layer: Any, feature: Any) -> bool:  # noqa: N802
        """Return whether one feature may be edited."""
        try:
            return self._wall.target.allow_to_edit(layer, feature) is True
        except BaseException as error:
            self._wall.failed("allowToEdit", error)
            return False

    def cacheKey(self) -> str:  # noqa: N802
        """Return an empty key only where one document serves everybody."""
        try:
            answer = self._wall.target.cache_key()
            if type(answer) is str:
                return answer
            self._wall.failed("cacheKey", None)
        except BaseException as error:
            self._wall.failed("cacheKey", error)
        return "closed"


class KeptElsewhere(QgsServerCacheFilter):
    """Tells QGIS that it need not copy a document that was just made into its own cache."""

    def __init__(self, server_iface: Any, is_kept: Callable[[], bool]) -> None:
        super().__init__(server_iface)
        self._is_kept = is_kept

    def setCachedDocument(  # noqa: N802
        self, _document: Any, _project: Any, _request: Any, _key: str
    ) -> bool:
        """Return True for a document that is not to be copied."""
        try:
            return self._is_kept() is True
        except BaseException as error:
            log_critical(f"setCachedDocument failed, QGIS keeps its copy: {error}")
            return False


class FirstFilter(QgsServerFilter):
    """Sees a request before every other filter: forgets the last one, answers when closed."""

    def __init__(self, server_iface: Any, wall: Wall) -> None:
        super().__init__(server_iface)
        self._iface = server_iface
        self._wall = wall

    def requestReady(self) -> None:  # noqa: N802
        """Begin a request (QGIS 3.22)."""
        try:
            self._wall.target.request_begins(self._iface.requestHandler())
        except BaseException as error:
            self._wall.refuse("requestReady (first)", error, self._iface.requestHandler())

    def onRequestReady(self) -> bool:  # noqa: N802
        """Begin a request (QGIS 3.24 and later)."""
        self.requestReady()
        return True


class LastFilter(QgsServerFilter):
    """Sees the request as QGIS will run it, and the answer as it will leave."""

    def __init__(self, server_iface: Any, wall: Wall) -> None:
        super().__init__(server_iface)
        self._iface = server_iface
        self._wall = wall

    def requestReady(self) -> None:  # noqa: N802
        """Admit or refuse the request (QGIS 3.22)."""
        try:
            self._wall.target.request_ready(self._iface.requestHandler())
        except BaseException as error:
            self._wall.refuse("requestReady", error, self._iface.requestHandler())

    def onRequestReady(self) -> bool:  # noqa: N802
        """Admit or refuse the request (QGIS 3.24 and later)."""
        self.requestReady()
        return True

    def onProjectReady(self) -> bool:  # noqa: N802
        """Check that QGIS serves the project that was prepared (QGIS 3.36 and later)."""
        try:
            self._wall.target.project_ready(self._iface.requestHandler())
        except BaseException as error:
            self._wall.refuse("onProjectReady", error, self._iface.requestHandler())
        return True

    def responseComplete(self) -> None:  # noqa: N802
        """Redact, enrich and log the answer (QGIS 3.22)."""
        try:
            self._wall.target.response_complete(self._iface.requestHandler())
        except BaseException as error:
            self._wall.refuse("responseComplete", error, self._iface.requestHandler())

    def onResponseComplete(self) -> bool:  # noqa: N802
        """Redact, enrich and log the answer (QGIS 3.24 and later)."""
        self.responseComplete()
        return True


class ServerPlugin:
    """What QGIS holds: the registered filters, kept alive, and the wall they share."""

    def __init__(self, server_iface: Any) -> None:
        self.wall = Wall(Closed("loading"))
        self.access_control = AccessControl(server_iface, self.wall)
        self.first = FirstFilter(server_iface, self.wall)
        self.last = LastFilter(server_iface, self.wall)
        server_iface.registerAccessControl(self.access_control, FIRST)
        server_iface.registerFilter(self.first, FIRST)
        server_iface.registerFilter(self.last, LAST)


def load_behind_stand_in(server_iface: Any) -> ServerPlugin:
    """Register the closed filters, load the plugin, and open them only if that worked."""
    stand_in = ServerPlugin(server_iface)
    collects = gc.isenabled()
    gc.disable()  # what modules are made of lives as long as the worker: 30 collections find nothing
    try:
        from .plugin import load

        target = load(server_iface)
        target.use_hooks(stand_in.access_control)
        stand_in.wall.target = target
    except BaseException as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        log_critical(f"Access Filter did not load and serves nothing: {error}\n{text}")
        stand_in.wall.target = Closed(str(error))
    finally:
        if collects:
            gc.enable()
    return stand_in
