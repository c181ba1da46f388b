"""Which relation of the project an entry of ``related`` means, and what is told of its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from qgis.core import QgsProject, QgsRelation, QgsVectorLayer

from ..value_class import value_class
from .lint import Lint, unknown_relation
from .qgis_compile_record import Path, RecordCompiler
from .qgis_names import names_of, wms_name
from .qgis_plan import OrderPlan, RelationPlan, ViaPlan
from .settings import RelatedSettings


@value_class
class _Found:
    """A relation that an entry means; ``far`` is the second one of an n:m pair."""

    near: QgsRelation
    far: Optional[QgsRelation] = None

    @property
    def record_layer(self) -> QgsVectorLayer:
        return self.far.referencedLayer() if self.far else self.near.referencingLayer()


def compile_related(
    project: QgsProject,
    layer: QgsVectorLayer,
    related: Mapping[str, RelatedSettings],
    *,
    path: Path,
    own: frozenset[str],
    lint: Lint,
    use_ids: bool,
) -> dict[str, RelationPlan]:
    """Return the plans of the entries whose relation is there and valid."""
    plans: dict[str, RelationPlan] = {}
    for name, settings in related.items():
        found = _find(project, layer, name)
        entry_path = path("related", name)
        if found is None:
            message = unknown_relation(layer.name(), name, _known_names(project, layer))
            lint.misses(entry_path, message, own="related" in own)
            continue
        lint.fits(entry_path)
        plans[name] = _plan(project, layer, found, settings, lint, use_ids=use_ids)
    return plans


def _plan(
    project: QgsProject,
    layer: QgsVectorLayer,
    found: _Found,
    settings: RelatedSettings,
    lint: Lint,
    *,
    use_ids: bool,
) -> RelationPlan:
    target = found.record_layer

    def path(key: str, name: str = "") -> str:
        return ".".join(part for part in (settings.path, key, name) if part)

    own = frozenset({"fields", "rename", "computed", "units", "order_by", "related"})
    compiler = RecordCompiler(target, wms_name(target, use_ids=use_ids), settings, path, lint)
    compiler.own = own
    near_parent, near_record = _pairs(found.near)
    if found.far is None:
        via, record_key = None, near_record
    else:
        via_far, record_key = _pairs(found.far, reverse=True)
        via = ViaPlan(found.near.referencingLayer(), near_record, via_far)
    return RelationPlan(
        settings=settings,
        record=compiler.record(),
        parent_key=near_parent,
        record_key=record_key,
        via=via,
        order=tuple(_order(compiler, settings)),
        related=compile_related(
            project,
            target,
            settings.related,
            path=path,
            own=own,
            lint=lint,
            use_ids=use_ids,
        ),
    )


def _order(compiler: RecordCompiler, settings: RelatedSettings) -> Iterator[OrderPlan]:
    for number, text in enumerate(settings.order_by):
        descending = text.startswith("-")
        body = text[1:].strip() if descending else text
        expression = compiler.expression("order_by", str(number), body)
        if expression is not None:
            yield OrderPlan(expression, ascending=not descending)


def _pairs(
    relation: QgsRelation, *, reverse: bool = False
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the columns of the referenced and the referencing layer, in one order.

    Reversed: of the referencing and the referenced layer.
    """
    pairs = sorted(relation.fieldPairs().items())
    referencing = relation.referencingLayer().fields()
    referenced = relation.referencedLayer().fields()
    children = tuple(referencing.lookupField(child) for child, _ in pairs)
    parents = tuple(referenced.lookupField(parent) for _, parent in pairs)
    return (children, parents) if reverse else (parents, children)


def _find(project: QgsProject, layer: QgsVectorLayer, name: str) -> Optional[_Found]:
    """Return what a name means: a relation, a child layer, or the far side of an n:m relation.

    A relation that the form shows as n:m is one here too, unless its own table is named.
    """
    nearest = _valid_relations(project, layer)
    for relation in nearest:
        if name in (relation.id(), relation.name()):
            return _Found(relation, _far_of_form(project, layer, relation))
    for relation in nearest:
        if name in names_of(relation.referencingLayer()):
            return _Found(relation)
    for relation in nearest:
        for far in _relations_of_child(project, relation):
            if name in names_of(far.referencedLayer()):
                return _Found(relation, far)
    return None


def _valid_relations(project: QgsProject, layer: QgsVectorLayer) -> list[QgsRelation]:
    relations = project.relationManager().relations().values()
    return [
        relation
        for relation in relations
        if relation.isValid()
        and relation.referencedLayerId() == layer.id()
        and relation.referencingLayer().isValid()
    ]


def _relations_of_child(project: QgsProject, near: QgsRelation) -> list[QgsRelation]:
    relations = project.relationManager().relations().values()
    return [
        relation
        for relation in relations
        if relation.isValid()
        and relation.id() != near.id()
        and relation.referencingLayerId() == near.referencingLayerId()
        and relation.referencedLayer().isValid()
    ]


def _far_of_form(
    project: QgsProject, layer: QgsVectorLayer, relation: QgsRelation
) -> Optional[QgsRelation]:
    config = layer.editFormConfig()
    wanted = str(config.widgetConfig(relation.id()).get("nm-rel") or "")
    wanted = wanted or _nm_relation_in(config.invisibleRootContainer(), relation.id())
    for far in _relations_of_child(project, relation):
        if wanted and far.id() == wanted:
            return far
    return None


def _nm_relation_in(container: Any, relation_id: str) -> str:
    for child in container.children() if container is not None else ():
        if hasattr(child, "nmRelationId") and child.relation().id() == relation_id:
            return str(child.nmRelationId() or "")
        if hasattr(child, "children"):
            found = _nm_relation_in(child, relation_id)
            if found:
                return found
    return ""


def _known_names(project: QgsProject, layer: QgsVectorLayer) -> Iterator[str]:
    for relation in _valid_relations(project, layer):
        yield from (relation.id(), relation.name(), relation.referencingLayer().name())
