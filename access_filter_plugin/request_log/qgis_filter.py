"""The feature: an id for every request, and one line for it when it is over."""

from __future__ import annotations

import time
from typing import Any, Optional

from .. import qgis_log
from ..operator_settings import OperatorSettings
from ..request_context import RequestContext
from ..streaming import NEVER_STREAMED, may_stream
from ..strict_json import Problem, StrictJsonError
from ..value_class import mutable_class
from .answer_reader import ABORT_MS, OWN_STATUS, ErrorFinder, unfinished_facts
from .entry import BadLayer, LineWriter, RequestFacts, is_remarkable, level_of, new_tuple
from .pseudonym import Pseudonyms
from .qgis_bad_layers import LoadFailures, bad_layers
from .qgis_layer_times import layer_times, measures_layers
from .sampler import Sampler
from .server_timing import server_timing
from .settings import VARIABLE, LogSettings, operator_defaults, read_log_settings
from .sink import NO_SINK, Sink, make_sink
from .tracing import RequestIds, read_traceparent, trace_id
from .usual_line import usual_line

_REQUEST_ID = "X-Request-ID"
_TRACE = "traceparent"


@mutable_class
class ProjectLog:
    """What the log keeps of one generation of a project."""

    settings: LogSettings
    bad_layers: tuple[BadLayer, ...] = ()
    """Emptied once they stand in a line."""
    is_plain: bool = False
    """Whether usual lines may go the short way; without it, they only take longer."""


def _project_log(settings: LogSettings, bad: tuple[BadLayer, ...] = ()) -> ProjectLog:
    return ProjectLog(settings, bad, settings.is_plain)


class RequestLog:
    """Logs requests; see ``feature.Feature`` for its moments."""

    name = VARIABLE

    def __init__(self, operator: OperatorSettings) -> None:
        self.sink: Sink = make_sink(operator.log_sink, qgis_log.critical)
        self._log_default = operator.log_default
        self._without_project = _project_log(operator_defaults(operator.log_default))
        self._admin_roles = operator.admin_roles
        self._writer = LineWriter(Pseudonyms(operator.log_key))
        self._errors = ErrorFinder()
        self._ids = RequestIds()
        self._sampler = Sampler()
        self._failures = LoadFailures()
        self._measures_layers = measures_layers()
        self._begun: Optional[RequestContext] = None
        self._traceparent = ""

    def compile(self, state: Any) -> ProjectLog:
        """Return the log settings of a project, and tell every problem of its variable."""
        settings = self._without_project.settings
        problems: tuple[Problem, ...] = ()
        text = state.variables.get(VARIABLE)
        try:
            if text is not None:
                text = state.files.text(VARIABLE, text)
            settings, problems = read_log_settings(text, self._log_default)
        except StrictJsonError as error:
            problems = error.problems
        if problems:
            told = "; ".join(str(problem) for problem in problems)
            qgis_log.critical(f"{state.path}: {told} (logged with the operator's defaults)")
        return _project_log(settings, bad_layers(state.layers))

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Give the request its id, in time for answers that are streamed."""
        if self._begun is not None or context.project is None:
            self._begin(context)
        else:
            self._begun = context
            self._traceparent = ""
        if context.request.service not in NEVER_STREAMED and may_stream(context.request):
            self._name(context, handler)

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Name the request in its answer, and write its line.

        All of the usual case stands in one place: right after QGIS's own work, every further
        function costs a microsecond or two.
        """
        if self._begun is not context:  # another plugin ended it before it was ready
            self._begin(context)
        self._begun = None
        ms = (time.perf_counter() - context.started) * 1000 if context.started else 0.0
        layer_ms = layer_times() if self._measures_layers else None
        # What we answered ourselves need not be asked for: each question costs a microsecond. The
        # cache is off where another plugin's filters could have changed the answer.
        size, body = context.document_bytes, None
        is_streamed = size is None and handler.headersSent()
        header = handler.requestHeader
        if not is_streamed:
            if context.request_id or header(_TRACE) or header(_REQUEST_ID):
                # Or again: whoever writes an error or another answer drops all headers.
                self._name(context, handler)
            else:
                context.request_id = made = self._ids.make()
                handler.setResponseHeader(_REQUEST_ID, made)
            if self._admin_roles and not self._admin_roles.isdisjoint(context.subject.roles):
                handler.setResponseHeader("Server-Timing", server_timing(ms, layer_ms))
        failures = self._failures.end() if self._failures.is_listening else ()
        log, project = self._without_project, context.project
        if project is not None:
            log = project.parts.get(self.name, log)
        settings, sink = log.settings, self.sink
        if not settings.enabled or sink is NO_SINK:
            return
        # Under FastCGI the status of a good answer is 0 (facts B).
        status = handler.statusCode() or 200 if size is None else 200
        # Of a streamed answer the body is the last chunk of many (facts E20).
        if size is None and not is_streamed:
            body = handler.body()
            size = body.size()
        request, decision = context.request, context.decision
        if (
            log.is_plain
            and size is not None
            and status < 400
            and ms < ABORT_MS
            and ms < settings.slow_ms
            and decision.effect != "deny"
            and decision.refused is None
            and request.service in OWN_STATUS
            and request.operation != "GetPrint"
            and not (request.body or context.enriched or self._traceparent)
            and not (failures or log.bad_layers or layer_ms)
        ):
            sink.write(usual_line(self._writer, context, header, status, ms, size), "info")
            return
        if body is None and not is_streamed:
            body = handler.body()
        self._write_unusual(context, handler, log, status, ms, body, failures, layer_ms)

    def _write_unusual(
        self,
        context: RequestContext,
        handler: Any,
        log: ProjectLog,
        status: int,
        ms: float,
        body: Any,
        failures: tuple[BadLayer, ...],
        layer_ms: Optional[dict[str, float]],
    ) -> None:
        """Write the line of any request, or none where ``sample`` leaves it out."""
        settings, header, error = log.settings, handler.requestHeader, None
        if status >= 400 or ms >= ABORT_MS or context.request.service not in OWN_STATUS:
            error = self._errors.find(context.request.service, status, ms, body)
        facts = new_tuple(
            RequestFacts,
            (
                time.time() - ms / 1000,
                ms,
                status,
                None if body is None else body.size(),
                error,
                self._traceparent and trace_id(self._traceparent),
                header("User-Agent"),
                header("Referer"),
                failures or log.bad_layers,
                layer_ms,
            ),
        )
        level = level_of(context, facts, settings.slow_ms)
        if (
            settings.sample < 1.0
            and level == "info"
            and not is_remarkable(facts)
            and not self._sampler.keeps(settings.sample)
        ):
            return
        self.sink.write(self._writer.line(context, facts, settings, level), level)
        if log.bad_layers:
            log.bad_layers = ()

    def _begin(self, context: RequestContext) -> None:
        if self._begun is context:
            return
        if self._begun is not None:
            self._finish(self._begun)
        self._begun = context
        self._traceparent = ""
        if context.project is None and context.request.project and not context.answered:
            self._failures.begin()

    def _name(self, context: RequestContext, handler: Any) -> None:
        """Set the headers that name the request in the answer."""
        if not context.request_id:
            trace, sent = handler.requestHeader(_TRACE), handler.requestHeader(_REQUEST_ID)
            self._traceparent = read_traceparent(trace) if trace else ""
            context.request_id = self._ids.accept_or_make(sent) if sent else self._ids.make()
        handler.setResponseHeader(_REQUEST_ID, context.request_id)
        if self._traceparent:
            handler.setResponseHeader(_TRACE, self._traceparent)

    def _finish(self, context: RequestContext) -> None:
        """Write the line of a request that never got as far as ``response_complete``."""
        self._failures.end()
        context.request_id = context.request_id or self._ids.make()
        log, project = self._without_project, context.project
        if project is not None:
            log = project.parts.get(self.name, log)
        if log.settings.enabled and self.sink is not NO_SINK:
            facts = unfinished_facts(context.started, trace_id(self._traceparent))
            self.sink.write(self._writer.line(context, facts, log.settings, "error"), "error")
