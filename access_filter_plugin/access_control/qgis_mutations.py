"""What is set on the cached project for the time of one request, and always put back."""

from __future__ import annotations

from typing import Any, Callable

from qgis.PyQt import sip

from ..qgis_boundary import report_failure
from ..request_context import RequestContext
from .admission.verdict import Verdict
from .project_access import OperationAccess
from .qgis_layer_mutations import may_mutate_layers, mutate_layers
from .qgis_wms_mutations import may_mutate_wms, mutate_wms

Undo = Callable[[], None]

_NEVER = "never_mutates"
"""Stands with the decisions, which belong to one generation, where these never set anything."""


class Mutations:
    """Applies the mutations of a request and undoes them in reverse order."""

    def __init__(self) -> None:
        self._undo: list[Undo] = []
        self._project: Any = None

    def apply(
        self, context: RequestContext, access: OperationAccess, state: Any, verdict: Verdict
    ) -> None:
        """Set what the hooks cannot close; every change registers its undo before it is made."""
        self.reset()
        if not access.is_restricted or _NEVER in access.cache:
            return
        self._project = state.project
        mutate_layers(context, access, state, verdict, self._undo.append)
        mutate_wms(context, access, state, verdict, self._undo.append)
        if not (may_mutate_layers(access) or may_mutate_wms(access, state)):
            access.cache[_NEVER] = True

    def reset(self) -> None:
        """Put everything back; one undo that fails does not keep the others from running."""
        undo, self._undo = self._undo, []
        project, self._project = self._project, None
        if project is not None and sip.isdeleted(project):
            return  # QGIS dropped the project meanwhile, and its layers: nothing to put back
        for function in reversed(undo):
            try:
                function()
            except BaseException as error:  # the others must still be put back
                report_failure("undoing a change of the project", error)
