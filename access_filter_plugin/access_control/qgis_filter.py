"""The second wall: answers QGIS's access control hooks from the decisions of the request.

Each hook is one dictionary lookup. They may be called from render threads (facts A.6f), so
everything they need is complete before QGIS runs the service. Failures are caught one level up,
in :mod:`..qgis_stand_in`, and denied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from qgis.core import Qgis

from .. import qgis_log
from ..operator_settings import OperatorSettings
from ..ows_request import ACCESS, LANDING_PAGE, OwsRequest
from ..problem_report import problem_lines
from ..qgis_stand_in import (
    KnownPermissions,
    denied_permissions,
    fewest_attributes,
    write_answer,
)
from ..request_context import DecisionRecord, RequestContext
from ..streaming import may_stream
from ..strict_json import Problem, Severity
from .admission.verdict import Verdict
from .binding import bind
from .parser import merge, parse_project
from .project_access import WRITING, AccessState, OperationAccess, ProjectAccess
from .qgis_admission import TOO_LARGE, admit, apply, is_judged
from .qgis_catalogue import read_catalogue
from .qgis_documents import Documents, others_are_registered
from .qgis_edits import may_edit
from .qgis_enforcement import LayerAnswers, answers
from .qgis_expression import QgisExpressionEngine
from .qgis_landing_page import admit_list
from .qgis_mutations import Mutations
from .qgis_redaction import redact
from .qgis_refusal import answer_refusal
from .qgis_shared_cache import CACHE_OFF, SharedCache, is_copied
from .qgis_variable_use import uses_variables
from .qgis_variables import ExpressionVariables
from .qgis_visible_rows import forget_counts
from .record import record_of, record_of_request
from .rules_file import OperatorRules

DENIED_SENTENCES = {
    503: "This project is closed: its access rules are not valid.",
    403: "This project is closed: it has no access rules.",
}
_OPEN_PART = "access_control.open"
_OPEN_TOLD = "access_control.open_told"
_PROJECT_MAY_DIFFER = Qgis.versionInt() < 33600
"""Before onProjectReady (3.36) only the hooks can see that QGIS serves another project object."""


class _Told(NamedTuple):
    """The answers of all layers by the wrappers of a project's layers (see ``KnownPermissions``)."""

    answers: Mapping[Any, LayerAnswers]
    permissions: KnownPermissions


class AccessControlFeature:
    """Decides once per request, then answers the hooks."""

    name = "access_control"

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._operator = OperatorRules(
            settings.rules_file, lower_case_users=settings.lower_case_users
        )
        self._engine = QgisExpressionEngine()
        self._variables = ExpressionVariables()
        self._mutations = Mutations()
        self._documents = Documents(settings)
        self._states: Any = None
        self._hooks: Any = None
        self._shared_cache: Optional[SharedCache] = None
        self._access: Optional[OperationAccess] = None
        self._project: Any = None
        self._answers: dict[str, LayerAnswers] = {}
        self._layers: Mapping[str, Any] = {}
        self._by_layer: Mapping[Any, LayerAnswers] = {}
        self._is_open = False
        self._is_forgotten = False
        self._is_changed = False

    def use_states(self, states: Any) -> None:
        """Take the project states, for hooks that are called outside a prepared request."""
        self._states = states

    def use_server(self, server_iface: Any) -> None:
        """Take ``getEnv``, from which QGIS makes addresses in documents, and where QGIS caches them."""
        self._documents.use_environment(server_iface.getEnv)
        self._shared_cache = SharedCache(server_iface)

    def use_hooks(self, hooks: Any) -> None:
        """Take the filter that QGIS asks, to tell it the permissions of a request beforehand."""
        self._hooks = hooks

    # Project load

    def compile(self, state: Any) -> AccessState:
        """Return the bound policy of a project generation; report every problem at once."""
        operator = self._operator.parsed()
        parsed = merge(
            parse_project(
                state.variables,
                state.files.text,
                lower_case_users=self._settings.lower_case_users,
            ),
            operator,
        )
        if not parsed.is_on:
            status = 403 if self._settings.require_rules else 0
            return AccessState(denied_status=status, operator=operator)
        # Rules that were read are looked up even beside ones that were not: all is told at once.
        bound = bind(parsed.policy, read_catalogue(state.project), self._engine)
        problems = parsed.problems + bound.problems
        access = None if parsed.errors or bound.errors else ProjectAccess(bound)
        _report(state.path, problems)
        return AccessState(
            access=access,
            is_on=True,
            denied_status=0 if access else 503,
            problems=problems,
            operator=operator,
            sets_variables=uses_variables(state),
        )

    # The request

    def request_ready(self, context: RequestContext, handler: Any) -> None:
        """Decide, let the admission wall judge the request, and prepare the hooks."""
        self.forget()
        self._is_forgotten = False
        if context.answered or context.request.service == ACCESS:
            return
        if context.request.service == LANDING_PAGE:
            landing = admit_list(
                context.request, context.subject, self._settings, self._states, self.name
            )
            if landing.refused is not None:
                self._refuse(context, landing, handler)
                return
        if context.project is None:
            return
        state = self._current_part(context.project)
        if state.denied_status:
            self._deny_project(context, handler, state.denied_status)
        else:
            self._admit(context, handler, state)

    def _current_part(self, project: Any) -> AccessState:
        """Return what was compiled, again when the operator's rules have changed since."""
        part: AccessState = project.parts[self.name]
        if part.operator is not self._operator.parsed():
            part = project.parts[self.name] = self.compile(project)
        return part

    def _admit(self, context: RequestContext, handler: Any, part: AccessState) -> None:
        request = context.request
        project, access = part.access, None
        if project is not None:
            access = project.access(context.subject, request.service, request.operation)
            context.access = access
        if context.read_whole is not None:
            if access is None or not is_judged(request, access):
                context.request, context.read_whole = context.read_whole(), None
                self._admit(context, handler, part)
                return
            context.decision = record_of(access, ())
            self._refuse(context, TOO_LARGE, handler)
            return
        if project is not None and access is not None:
            if self._documents.answer(context, access, project, handler):
                context.decision = record_of(access, ())
                context.answered = True
                return
            context.decision = record_of_request(access, request)
        verdict = admit(request, access, context.project, self._settings)
        context.notes["verdict"] = verdict
        if verdict.refused is not None:
            self._refuse(context, verdict, handler)
            return
        apply(verdict, handler)
        self._project = context.project.project
        self._layers = context.project.layers
        if access is None:
            self._is_open = True
            self._answers = self._open_answers(context.project)
            self._tell(context.project.parts, _OPEN_TOLD, context.project)
            return
        self._is_changed = True
        self._mutations.apply(context, access, context.project, verdict)
        if part.sets_variables:
            self._variables.set(context.project.project, access.expression_variables())
        self._answers = self._answers_of(access)
        self._access = access
        self._tell(access.shared, f"told {access.service} {access.operation}", context.project)
        self._spare_copy(request)
        if may_stream(request):
            self._documents.keep_private(handler)

    def _spare_copy(self, request: OwsRequest) -> None:
        """Keep QGIS from copying a document of this caller into its own cache."""
        cache = self._shared_cache
        # Another plugin's cache filter would be handed one caller's document by an empty key.
        if cache is None or not is_copied(request) or others_are_registered():
            return
        cache.expect()
        self._hooks.watch(cache.permissions_asked)

    def _tell(self, kept: dict[str, Any], key: str, project: Any) -> None:
        """Find answers by a layer's wrapper, kept where their reason is; tell QGIS's filter, too.

        To ask a layer for its id takes QGIS and PyQt longer than all the rest of a hook.
        """
        told = kept.get(key)
        if not isinstance(told, _Told):
            by_layer = {
                layer: self._answers[layer_id]
                for layer_id, layer in project.layers.items()
                if layer_id in self._answers
            }
            permissions = {layer: found.permissions for layer, found in by_layer.items()}
            known = KnownPermissions(permissions, self._hooks.ask_permissions)
            told = kept[key] = _Told(by_layer, known)
        self._by_layer = told.answers
        self._hooks.know(told.permissions)

    @staticmethod
    def _refuse(context: RequestContext, verdict: Verdict, handler: Any) -> None:
        context.decision = record = context.decision.copy()  # other requests have it, too
        record.effect = "deny"
        record.refused = verdict.refused
        context.answered = True
        answer_refusal(context.request, verdict, handler)

    @staticmethod
    def _answers_of(access: OperationAccess) -> dict[str, LayerAnswers]:
        key = f"answers {access.service} {access.operation}"
        known = access.shared.get(key)
        if not isinstance(known, dict):
            layers = access.catalogue.layers.values()
            known = access.shared[key] = {info.id: answers(access, info) for info in layers}
        return known

    @staticmethod
    def _open_answers(project: Any) -> dict[str, LayerAnswers]:
        """Return "everything" for every layer of a project without rules."""
        known: Optional[dict[str, LayerAnswers]] = project.parts.get(_OPEN_PART)
        if known is None:
            everything = LayerAnswers(_open_permissions(), "", None, None)
            known = project.parts[_OPEN_PART] = dict.fromkeys(project.layers, everything)
        return known

    @staticmethod
    def _deny_project(context: RequestContext, handler: Any, status: int) -> None:
        sentence = DENIED_SENTENCES[status]
        context.decision = DecisionRecord(effect="deny", refused=sentence)
        context.answered = True
        write_answer(handler, status, "text/plain; charset=utf-8", sentence.encode())

    def response_complete(self, context: RequestContext, handler: Any) -> None:
        """Take out of the answer what the hooks could not keep out."""
        self._put_back()
        if self._access is not None and not context.answered:
            if context.request.operation in WRITING:
                forget_counts(context.project)
            redact(context, self._access, handler)
            if not handler.headersSent():
                self._documents.keep_private(handler)
                self._documents.keep(context, handler)

    def forget(self) -> None:
        """Forget the request; hooks that come now find nothing prepared."""
        if self._is_forgotten:
            return
        if self._hooks is not None:
            self._hooks.forget()
        if self._shared_cache is not None:
            self._shared_cache.forget()
        self._put_back()
        self._access = None
        self._project = None
        self._answers = {}
        self._layers = {}
        self._by_layer = {}
        self._is_open = False
        self._is_forgotten = True

    def _put_back(self) -> None:
        if self._is_changed:
            self._variables.reset()
            self._mutations.reset()
            self._is_changed = False

    # The hooks

    def _opens(self, layer: Any) -> bool:
        """Return whether access control is off for a layer that has no prepared answers."""
        if self._is_open:
            return not _PROJECT_MAY_DIFFER or self._serves(layer)
        if self._access is not None or self._states is None:
            return False
        state = self._states.state(layer.project())
        if state is None:
            return False
        part = self._current_part(state)
        return not part.is_on and not part.denied_status

    def _serves(self, layer: Any) -> bool:
        project = layer.project()
        return project is None or project is self._project

    def _find(self, layer: Any) -> Optional[LayerAnswers]:
        found = self._by_layer.get(layer)
        return self._find_by_id(layer) if found is None else found

    def _find_by_id(self, layer: Any) -> Optional[LayerAnswers]:
        layer_id = layer.id()
        found = self._answers.get(layer_id)
        if found is None or not _PROJECT_MAY_DIFFER:
            return found
        # The wrapper that we keep is the layer of the project that was prepared; a copy is not.
        is_prepared = self._layers.get(layer_id) is layer or self._serves(layer)
        return found if is_prepared else None

    def layer_permissions(self, layer: Any) -> Any:
        """Answer ``layerPermissions``."""
        found = self._find(layer)
        if found is not None:
            return found.permissions
        return _open_permissions() if self._opens(layer) else denied_permissions()

    def layer_filter_expression(self, layer: Any) -> str:
        """Answer ``layerFilterExpression``."""
        found = self._find(layer)
        if found is not None:
            return found.expression
        return "" if self._opens(layer) else "FALSE"

    def layer_filter_subset_string(self, _layer: Any) -> str:
        """Answer ``layerFilterSubsetString``: never one, the expression does the same (facts C6)."""
        return ""

    def authorized_layer_attributes(self, layer: Any, attributes: list[str]) -> list[str]:
        """Answer ``authorizedLayerAttributes``: only takes away, never an empty list."""
        found = self._find(layer)
        if found is None:
            return attributes if self._opens(layer) else fewest_attributes(layer, attributes)
        visible = found.attributes
        if visible is None:
            return attributes
        kept = [name for name in attributes if name in visible]
        # Where only hidden ones were asked for, one that is visible: never one of those, never none.
        return kept or fewest_attributes(layer, sorted(visible))

    def allow_to_edit(self, layer: Any, feature: Any) -> bool:
        """Answer ``allowToEdit``."""
        found = self._find(layer)
        if found is None or found.decision is None:
            return self._opens(layer)
        return may_edit(layer, feature, found.decision)

    def cache_key(self) -> str:
        """Answer ``cacheKey``: empty only where every caller gets the same document."""
        if self._is_open:
            return ""
        return CACHE_OFF if self._shared_cache is None else self._shared_cache.key()


def _open_permissions() -> Any:
    permissions = denied_permissions()
    permissions.canRead = True
    permissions.canInsert = True
    permissions.canUpdate = True
    permissions.canDelete = True
    return permissions


def _report(path: str, problems: tuple[Problem, ...]) -> None:
    errors = problem_lines(problems, Severity.ERROR)
    warnings = problem_lines(problems, Severity.WARNING)
    if errors:
        qgis_log.critical(
            f"{path}: the project is closed, its access rules are not valid:\n{errors}"
        )
    if warnings:
        qgis_log.warning(f"{path}: warnings about the access rules:\n{warnings}")
