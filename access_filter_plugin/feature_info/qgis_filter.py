"""The feature itself: what the plugin calls when a project is loaded and an answer is complete."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Optional

from .. import qgis_log
from ..json_codec import dumps, loads
from ..qgis_boundary import report_failure
from ..request_context import RequestContext
from ..strict_json import Problem, StrictJsonError
from ..value_class import mutable_class, value_class
from .boundary import attempt
from .caller import Caller, Kept
from .enrichment import (
    Enrichment,
    enriched_collection,
    is_feature_collection,
    unwritable_layers,
)
from .map_request import is_switched_off
from .qgis_answer import Answer, AnswerBuilder
from .qgis_asked import Asked, asked
from .qgis_compile import compile_layers
from .qgis_one_more import FEATURE_COUNT
from .qgis_plan import LayerPlan
from .settings import VARIABLE
from .settings_parser import parse_settings

NAME = "feature_info"
SERVICES = ("WMS", "WMTS")
CONTENT_TYPES = ("application/json", "application/geo+json")
#: 0 is what a FastCGI answer says when nobody set a status.
GOOD_STATUSES = (0, 200)


@mutable_class
class FeatureInfoPart:
    """What the feature keeps of a project generation."""

    plans: Mapping[str, LayerPlan] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    reported: set[str] = field(default_factory=set)
    """Layers whose failure is in the log already."""

    kept: Kept = field(default_factory=Kept)
    """What was worked out of plans and decisions."""

    @property
    def is_on(self) -> bool:
        """True when answers of this project are enriched."""
        return bool(self.plans)


class FeatureInfo:
    """``feature.Feature`` for the project variable ``feature_info``."""

    name = NAME

    def compile(self, state: Any) -> FeatureInfoPart:
        """Return the plans of a project's layers; problems are logged once, here.

        Nothing that is wrong with these settings may close the project: the worst is the stock
        answer.
        """
        if VARIABLE not in state.variables:
            return FeatureInfoPart()
        return attempt(lambda: _compile(state), lambda error: _not_compiled(state, error))

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Ask QGIS for one feature more where that tells whether there are more."""
        parameters = context.request.parameters
        if context.notes.pop(NAME, None) is not None:  # QGIS serves another project than prepared
            _restore(handler, FEATURE_COUNT, parameters)
        part = _part_for(context)
        if part is None or context.request.service != "WMS":
            return
        if parameters.get("INFO_FORMAT", "").split(";")[0].strip().lower() not in CONTENT_TYPES:
            return
        question = _question(part, context)
        more = question.asked.more
        if more is not None:
            handler.setParameter(FEATURE_COUNT, str(more.count + 1))
            context.notes[NAME] = question

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Enrich a GetFeatureInfo answer in JSON; leave the bytes of every other answer alone."""
        part = _part_for(context)
        if part is None or not _is_json_answer(handler):
            return
        collects = gc.isenabled()
        gc.disable()  # thousands of objects are made, and none of them is garbage
        try:
            body = _enriched_body(part, context, bytes(handler.body()))
        finally:
            if collects:
                gc.enable()
        if body is not None:
            handler.clearBody()
            handler.appendBody(body)


@value_class
class _Question:
    """Who asks about which layers; in the notes of a request of which one feature more was asked."""

    caller: Caller
    asked: Asked


def _question(part: FeatureInfoPart, context: RequestContext) -> _Question:
    caller = Caller(context.access, part.kept)
    parameters = context.request.parameters
    return _Question(caller, asked(context.project.project, part.plans, parameters, caller))


def _restore(handler: Any, name: str, parameters: Mapping[str, str]) -> None:
    """Give a parameter the value that the client sent, or none."""
    if name in parameters:
        handler.setParameter(name, parameters[name])
    else:
        handler.removeParameter(name)


def _compile(state: Any) -> FeatureInfoPart:
    text = state.files.text(VARIABLE, state.variables[VARIABLE])
    settings = parse_settings(text)
    if settings is None:
        return FeatureInfoPart()
    plans, lint = compile_layers(state.project, state.layers, settings)
    problems = lint.problems()
    for problem in problems:
        qgis_log.warning(f"{state.path}: {problem}")
    return FeatureInfoPart(plans, problems)


def _not_compiled(state: Any, error: Exception) -> FeatureInfoPart:
    if isinstance(error, StrictJsonError):
        lines = "; ".join(str(problem) for problem in error.problems)
        qgis_log.critical(f"{state.path}: {VARIABLE} is not used: {lines}")
        return FeatureInfoPart(problems=error.problems)
    report_failure(f"{NAME} of {state.path}", error)
    return FeatureInfoPart()


def _part_for(context: RequestContext) -> Optional[FeatureInfoPart]:
    request = context.request
    if request.service not in SERVICES or request.operation != "GetFeatureInfo":
        return None
    if context.project is None or context.answered or context.is_refused:
        return None
    part: Optional[FeatureInfoPart] = context.project.parts.get(NAME)
    if part is None or not part.is_on or is_switched_off(request.parameters):
        return None
    return part


def _is_json_answer(handler: Any) -> bool:
    if handler.statusCode() not in GOOD_STATUSES:
        return False
    content_type = handler.responseHeader("Content-Type") or ""
    return content_type.split(";")[0].strip().lower() in CONTENT_TYPES


def _enriched_body(part: FeatureInfoPart, context: RequestContext, body: bytes) -> Optional[bytes]:
    stock = _feature_collection(body)
    return None if stock is None else _Run(part, context).body(stock)


def _feature_collection(body: bytes) -> Optional[dict[str, Any]]:
    try:
        value = loads(body)
    except ValueError:
        return None
    return value if is_feature_collection(value) else None


class _Run:
    """One answer, and what goes wrong on the way."""

    def __init__(self, part: FeatureInfoPart, context: RequestContext) -> None:
        self._part = part
        self._context = context

    def body(self, stock: dict[str, Any]) -> Optional[bytes]:
        """Return the enriched body; None to leave the stock one."""
        known: Optional[_Question] = self._context.notes.get(NAME)
        truncated: Optional[frozenset[str]] = None
        if known is not None and known.asked.more is not None:
            features, truncated = known.asked.more.cut(stock["features"])
            stock = {**stock, "features": features}
        return attempt(
            lambda: self._enriched(stock, known, truncated),
            lambda error: self._stock(stock, truncated, error),
        )

    def _stock(
        self, stock: dict[str, Any], truncated: Optional[frozenset[str]], error: Exception
    ) -> Optional[bytes]:
        report_failure(f"{NAME} of {self._context.project.path}", error)
        return dumps(stock) if truncated else None

    def _enriched(
        self,
        stock: dict[str, Any],
        known: Optional[_Question],
        truncated: Optional[frozenset[str]],
    ) -> bytes:
        question = known or _question(self._part, self._context)
        builder = AnswerBuilder(
            question.asked.plans,
            self._context.request.parameters,
            question.caller,
            self._report,
            truncated,
        )
        answer = builder.build(stock["features"])
        self._context.enriched = True
        try:
            return dumps(enriched_collection(stock, answer.enrichments, answer.info))
        except (TypeError, ValueError):
            return self._without_unwritable(stock, answer)

    def _without_unwritable(self, stock: dict[str, Any], answer: Answer) -> bytes:
        failed = unwritable_layers(answer.enrichments, dumps)
        for layer_id, error in failed.items():
            self._report(self._part.plans[layer_id], error)
        kept: list[Optional[Enrichment]] = [
            None if item is None or item.layer in failed else item for item in answer.enrichments
        ]
        return dumps(enriched_collection(stock, kept, answer.info))

    def _report(self, plan: LayerPlan, error: Exception) -> None:
        """Log why a layer stays stock, once for each layer as long as the project is kept."""
        if plan.layer_id in self._part.reported:
            return
        self._part.reported.add(plan.layer_id)
        state = self._context.project
        report_failure(f'{NAME}: layer "{plan.wms_name}" of {state.path} stays as it is', error)
