"""What is set on the cached project for the time of one request, and always put back."""

from __future__ import annotations

from typing import Any, Callable

from qgis.PyQt import sip

from ..qgis_boundary import report_failure
from ..request_context import RequestContext
from .admission.verdict import Verdict
from .project_access import OperationAccess
from .qgis_layer_mutations import mutate_layers
from .qgis_wms_mutations import mutate_wms

Undo = Callable[[], None]


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
        self._project = state.project
        if access.is_restricted:
            mutate_layers(context, access, state, verdict, self._undo.append)
            mutate_wms(context, access, state, verdict, self._undo.append)

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
