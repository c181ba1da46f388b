"""What ``check`` finds with the project loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from qgis.core import QgsLayoutItemLabel, QgsVectorLayer

from ..access_control.lint import lint
from ..access_control.project_access import ProjectAccess, utc_now
from ..access_service.qgis_warnings import forgotten_copies, identity_warnings
from ..strict_json import Problem, Severity, shown
from .qgis_hidden_uses import hidden_uses, published_services
from .qgis_session import OpenedProject, open_project


def project_problems(path: str) -> list[Problem]:
    """Return every problem and warning of a project; raise ProjectFileError when it cannot load."""
    opened = open_project(path)
    problems = list(opened.access.problems)
    if opened.access.access is not None:
        problems += lint(opened.access.access, utc_now())
        problems += _policy_and_project(opened, opened.access.access)
    problems += _project_warnings(opened)
    problems += _identity_warnings(opened)
    return problems + list(opened.info_problems)


def _warning(path: str, message: str) -> Problem:
    return Problem(path, message, Severity.WARNING)


def _policy_and_project(opened: OpenedProject, access: ProjectAccess) -> Iterator[Problem]:
    """Warn of what the rules close and the project uses, and of layers no rule speaks of."""
    for path, message in hidden_uses(access, opened.state):
        yield _warning(path, message)
    for layer_id, services in published_services(opened.project).items():
        if services and not access.bound.layer_rules.get(layer_id):
            name = access.bound.catalogue.layers[layer_id].name
            yield _warning(
                f"layer {shown(name)}",
                f"is published by {', '.join(services)}, and no rule speaks of it",
            )


def _project_warnings(opened: OpenedProject) -> Iterator[Problem]:
    for layer in opened.project.mapLayers().values():
        path = f"layer {shown(layer.name())}"
        if not layer.isValid():
            yield _warning(path, "is not valid: its data cannot be read")
        if isinstance(layer, QgsVectorLayer):
            aliases = Counter(field.alias() for field in layer.fields() if field.alias())
            for alias in sorted(name for name, count in aliases.items() if count > 1):
                yield _warning(path, f"the alias {shown(alias)} stands on several attributes")
    for layout in opened.project.layoutManager().printLayouts():
        labels = [i.id() for i in layout.items() if isinstance(i, QgsLayoutItemLabel) and i.id()]
        if labels:
            names = ", ".join(sorted(labels))
            yield _warning(
                f"layout {shown(layout.name())}",
                f"labels with an id can be replaced by clients of GetPrint: {names}",
            )
    for name in forgotten_copies(opened.path):
        yield _warning(name, "lies beside the project; a copy may have no rules")


def _identity_warnings(opened: OpenedProject) -> Iterator[Problem]:
    for sentence in identity_warnings(opened.settings):
        yield _warning("ACCESS_FILTER_IDENTITY", sentence)
