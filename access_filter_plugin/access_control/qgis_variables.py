"""``@access_user``, ``@access_roles`` and ``@access_is_anonymous`` for the time of a request.

They are set as project variables, which symbology, labels, map tips, layouts and default values all
see (facts E4), and always taken away again. The project's dirty flag is put back as well.

One by one, by QGIS's own functions: taking all variables into Python and back would copy the rules,
12 ms for a megabyte of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from qgis.core import QgsExpressionContextUtils, QgsProject
from qgis.PyQt import sip

_SET = QgsExpressionContextUtils.setProjectVariable
_REMOVE = QgsExpressionContextUtils.removeProjectVariable


class ExpressionVariables:
    """Sets the request's variables on a project, and resets them."""

    def __init__(self) -> None:
        self._project: Optional[QgsProject] = None
        self._names: tuple[str, ...] = ()
        self._was_dirty = False

    def set(self, project: QgsProject, values: Mapping[str, Optional[object]]) -> None:
        """Add the values to the project's variables until :meth:`reset`.

        A project that has variables of these names of its own never comes here: they begin with
        ``access_``, so its rules are invalid and it is closed.
        """
        self.reset()
        self._was_dirty = project.isDirty()
        self._names = tuple(values)
        self._project = project
        for name, value in values.items():
            _SET(project, name, value)

    def reset(self) -> None:
        """Take the variables away; does nothing the second time, or when the project is gone.

        QGIS may drop a project that changed on the disk while it still makes its answer (3.22).
        """
        project, self._project = self._project, None
        if project is not None and not sip.isdeleted(project):
            for name in self._names:
                _REMOVE(project, name)
            project.setDirty(self._was_dirty)
