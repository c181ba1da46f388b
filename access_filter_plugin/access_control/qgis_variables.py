"""``@access_user``, ``@access_roles`` and ``@access_is_anonymous`` for the time of a request.

They are set as project variables, which symbology, labels, map tips, layouts and default values all
see (facts E4), and always put back. The project's dirty flag is put back as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from qgis.core import QgsProject


class ExpressionVariables:
    """Sets the request's variables on a project, and resets them."""

    def __init__(self) -> None:
        self._project: Optional[QgsProject] = None
        self._before: dict[str, Any] = {}
        self._was_dirty = False

    def set(self, project: QgsProject, values: Mapping[str, Optional[object]]) -> None:
        """Add the values to the project's variables until :meth:`reset`."""
        self.reset()
        self._before = project.customVariables()
        self._was_dirty = project.isDirty()
        self._project = project
        project.setCustomVariables({**self._before, **values})

    def reset(self) -> None:
        """Put the project's own variables back; does nothing the second time."""
        project, self._project = self._project, None
        if project is not None:
            project.setCustomVariables(self._before)
            project.setDirty(self._was_dirty)
