"""What is kept of a project as long as QGIS keeps it: wrappers, variables, compiled features.

QGIS reloads a project that changed on disk as a new object, perhaps at the address of the old
one. So each generation carries a token as the object name of the QgsProject itself (a tenth of what
reading a dynamic property costs), which the next generation does not have, and the wrappers of
project and layers stay alive (a wrapper costs 5 microseconds to make, facts C4).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Optional

from qgis.core import QgsProject
from qgis.PyQt import sip

from .feature import Feature
from .value_class import mutable_class
from .variable_file import FileStamp, VariableFiles


@mutable_class
class ProjectState:
    """One generation of one project."""

    project: Any
    path: str
    token: str
    layers: Mapping[str, Any] = field(default_factory=dict)
    """Layer id → QgsMapLayer, kept alive."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The project's variables as texts, values as typed (``file:`` not yet followed)."""
    files: VariableFiles = field(default_factory=lambda: VariableFiles(""))
    not_before: float = 0.0
    """The Unix time, in seconds, before which QGIS did not load it; 0 where that is not known."""
    parts: dict[str, Any] = field(default_factory=dict)
    """Feature name → what that feature compiled."""

    def is_current(self, project: Any) -> bool:
        """Return whether this is still the project that QGIS serves, with unchanged files."""
        return (
            project is self.project
            and project.objectName() == self.token
            and self.files.are_unchanged()
        )


class ProjectStates:
    """The compiled states of all projects of this process, made at first sight."""

    def __init__(self, features: Sequence[Feature], limit: int = 200) -> None:
        self._features = tuple(features)
        self._states: dict[int, ProjectState] = {}
        self._count = 0
        self._limit = limit

    def state(self, project: Optional[Any], not_before: float = 0.0) -> Optional[ProjectState]:
        """Return the state of a project, compiled once per generation; None without a project.

        ``not_before`` is when QGIS was asked for the project: one that is new to us was loaded then.
        """
        if project is None:
            return None
        known = self._states.get(id(project))
        if known is not None and known.is_current(project):
            return known
        return self._compile(project, not_before)

    def _compile(self, project: Any, not_before: float) -> ProjectState:
        self._count += 1
        token = f"access_filter generation {os.getpid()}-{self._count}"
        project.setObjectName(token)
        path = project.fileName()
        state = ProjectState(
            project=project,
            path=path,
            token=token,
            layers=dict(project.mapLayers()),
            variables=read_variables(project),
            files=VariableFiles(os.path.dirname(os.path.abspath(path)) if path else ""),
            not_before=not_before,
        )
        # Landing pages compile projects beside the one that is served.
        served = QgsProject.instance()
        QgsProject.setInstance(project)
        try:
            for feature in self._features:
                state.parts[feature.name] = feature.compile(state)
        finally:
            QgsProject.setInstance(served)
        self._drop_generations_before(project, path)
        if len(self._states) >= self._limit:
            self._states.pop(next(iter(self._states)))
        self._states[id(project)] = state
        return state

    def _drop_generations_before(self, project: Any, path: str) -> None:
        """Forget projects that QGIS has dropped: decisions and documents of megabytes hang on them."""
        for key, known in list(self._states.items()):
            is_older = known.path == path and known.project is not project
            if sip.isdeleted(known.project) or (path and is_older):
                del self._states[key]


def read_variables(project: QgsProject) -> dict[str, str]:
    """Return the project's variables; values that are not text become their text."""
    return {
        str(name): value if isinstance(value, str) else str(value)
        for name, value in project.customVariables().items()
    }


__all__ = ["FileStamp", "ProjectState", "ProjectStates", "read_variables"]
