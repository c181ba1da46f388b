"""The pipeline behind the registered filters: one request after the other through the features."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any, Callable, Optional

from qgis.core import QgsProject
from qgis.server import QgsConfigCache, QgsServerSettings

from . import qgis_log
from .feature import Feature
from .identity import (
    PROOF_VARIABLE,
    header_lookup,
    no_header,
    reads_headers,
    resolve_subject,
)
from .operator_settings import OperatorSettings
from .ows_request import DATA_OPERATIONS, OwsRequest
from .project_admission import project_refusal
from .qgis_boundary import report_failure
from .qgis_project import ProjectStates
from .qgis_stand_in import Closed, write_answer
from .request_context import DecisionRecord, RequestContext
from .request_reader import read_head, read_request

INTERNAL_ERROR = "internal error"
NOT_PREPARED = "another plugin, or a failure, ended it early"
PROJECT_REFUSED = b"This server does not serve that project."


class RequestPipeline:
    """The target of the registered filters while the plugin is open.

    The access control hooks are asked straight from :attr:`access_control`; what they need was put
    there in :meth:`request_ready`. A request that never came through it, because another plugin
    ended the chain, finds nothing prepared and is denied.
    """

    def __init__(
        self,
        server_iface: Any,
        settings: OperatorSettings,
        access_control: Any,
        features: Sequence[Feature],
    ) -> None:
        self._iface = server_iface
        self._settings = settings
        self._features = tuple(features)
        self._access_control = access_control
        self._states = ProjectStates(features)
        self._configurations = QgsConfigCache.instance()
        self._server_settings = QgsServerSettings()
        self._server_settings.load()
        self._reads_headers = reads_headers(settings)
        self._context: Optional[RequestContext] = None
        self._started = 0.0
        self.layer_permissions = access_control.layer_permissions
        self.layer_filter_expression = access_control.layer_filter_expression
        self.layer_filter_subset_string = access_control.layer_filter_subset_string
        self.authorized_layer_attributes = access_control.authorized_layer_attributes
        self.allow_to_edit = access_control.allow_to_edit
        self.cache_key = access_control.cache_key
        access_control.use_states(self._states)
        access_control.use_server(server_iface)

    def use_hooks(self, hooks: Any) -> None:
        """Take the filter that QGIS asks, which can be told answers before they are asked for."""
        self._access_control.use_hooks(hooks)

    def request_begins(self, _handler: Any) -> None:
        """Forget the request before, whatever became of it."""
        self._started = time.perf_counter()
        if self._context is not None:
            self._access_control.forget()
            self._context = None

    def request_ready(self, handler: Any) -> None:
        """Find out who asks for what of which project, and let every feature look at it."""
        try:
            self._context = context = self._new_context(handler)
            self._prepare(context, handler)
        finally:
            # Client expressions can read the C environment; the proxy's proof must not be there.
            os.unsetenv(PROOF_VARIABLE)

    def _prepare(self, context: RequestContext, handler: Any) -> None:
        """Let every feature look at a request; if access control fails, it is refused and logged."""
        for feature in self._features:
            try:
                feature.request_ready(context, handler)
            except BaseException as error:  # nothing may leave an override
                report_failure(f"{feature.name} (request_ready)", error)
                if feature is self._access_control:
                    self._refuse_after_failure(context, handler)

    def _refuse_after_failure(self, context: RequestContext, handler: Any) -> None:
        self._access_control.forget()
        context.answered, context.document_bytes = True, None
        context.decision = DecisionRecord(effect="deny", refused=INTERNAL_ERROR)
        Closed("failure").request_begins(handler)

    def project_ready(self, handler: Any) -> None:
        """Prepare again when QGIS serves another project object than the one prepared."""
        context = self._context
        project = QgsProject.instance()
        if context is None or context.answered:
            return
        if context.project is not None and context.project.project is project:
            return
        context.project = self._states.state(project)
        self._prepare(context, handler)

    def response_complete(self, handler: Any) -> None:
        """Let every feature look at the answer; a failure of access control is a denial."""
        context = self._context
        self._context = None
        if context is None:
            sent = handler.statusCode() if handler.headersSent() else None
            Closed("not prepared").request_begins(handler)
            if sent is not None:  # an error page of QGIS has left already
                handler.setStatusCode(sent)
            self._log_unprepared(handler)
            return
        for feature in self._features:
            try:
                feature.response_complete(context, handler)
            except BaseException as error:  # one feature's failure must not stop the next
                report_failure(f"{feature.name} (response_complete)", error)
                if feature is self._access_control:
                    context.document_bytes = None
                    Closed("failure").request_begins(handler)
        self._access_control.forget()

    def _log_unprepared(self, handler: Any) -> None:
        """Log a request that another plugin, or a failure of ours, ended before it was prepared."""
        try:
            context = RequestContext(
                request=read_request(handler, self._iface),
                subject=resolve_subject(self._settings, header_lookup(handler), self._iface.getEnv),
                started=self._started,
                decision=DecisionRecord(effect="deny", refused=NOT_PREPARED),
                answered=True,
            )
            self._features[-1].response_complete(context, handler)
        except BaseException as error:  # nothing may leave an override
            report_failure("request_log (not prepared)", error)

    def _new_context(self, handler: Any) -> RequestContext:
        request, read_whole = self._read(handler)
        header = header_lookup(handler) if self._reads_headers else no_header
        subject = resolve_subject(self._settings, header, self._iface.getEnv)
        context = RequestContext(
            request=request, subject=subject, started=self._started, read_whole=read_whole
        )
        if handler.exceptionRaised():
            context.answered = True
            return context
        refusal = project_refusal(request.project, self._settings)
        if refusal is not None:
            context.decision = DecisionRecord(effect="deny", refused=refusal)
            context.answered = True
            write_answer(handler, 403, "text/plain; charset=utf-8", PROJECT_REFUSED)
            return context
        asked = time.time()
        project = self._project(request.project)
        if project is not None:
            # QGIS does so right after this. Until then the project of the request before is the
            # instance, in which expressions, virtual layers and transforms look for layers.
            QgsProject.setInstance(project)
        context.project = self._states.state(project, asked)
        return context

    def _read(self, handler: Any) -> tuple[OwsRequest, Optional[Callable[[], OwsRequest]]]:
        """Return a request; of a large one the head, since all of it may never be needed."""
        data = handler.data()
        if data.size() > self._settings.max_body_bytes:
            head = read_head(handler, self._iface)
            if head.service in DATA_OPERATIONS:
                return head, lambda: read_request(handler, self._iface)
        return read_request(handler, self._iface, data), None

    def _project(self, path: str) -> Any:
        if not path:
            return None
        try:
            return self._configurations.project(path, self._server_settings)
        except Exception as error:  # PyQGIS has no class of its own for it
            qgis_log.warning(f"a project cannot be loaded: {type(error).__name__}")
            return None
