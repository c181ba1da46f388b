"""Settings and project → the plans of all layers, and a warning for every name not there."""

from __future__ import annotations

from collections.abc import Mapping

from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.server import QgsServerProjectUtils

from .lint import Lint
from .qgis_compile_raster import compile_bands
from .qgis_compile_record import RecordCompiler
from .qgis_compile_related import compile_related
from .qgis_form import published_fields
from .qgis_legend import current_legend
from .qgis_names import names_of, title_of, wms_name
from .qgis_plan import OTHER, RASTER, VECTOR, LayerPlan
from .qgis_stock_values import StockValues
from .settings import FeatureInfoSettings, LayerSettings


def compile_layers(
    project: QgsProject, layers: Mapping[str, QgsMapLayer], settings: FeatureInfoSettings
) -> tuple[dict[str, LayerPlan], Lint]:
    """Return layer id → plan for every layer of a project, and what is wrong with the settings."""
    lint = Lint()
    use_ids = QgsServerProjectUtils.wmsUseLayerIds(project)
    names = {layer_id: names_of(layer) for layer_id, layer in layers.items()}
    plans = {}
    for layer_id, layer in layers.items():
        plans[layer_id] = _compile_layer(
            project, layer, settings.for_layer(names[layer_id]), lint, use_ids=use_ids
        )
    _add_stock_values(plans)
    for entry in settings.unused(list(names.values())):
        lint.warn(entry.path, "the project has no such layer")
    return plans, lint


def _add_stock_values(plans: Mapping[str, LayerPlan]) -> None:
    """Let values be read from the stock answer where a layer shares none of its names.

    Of layers that share one, QGIS writes the rows of one under the ids of the other.
    """
    owners: dict[str, int] = {}
    for plan in plans.values():
        for name in plan.names:
            owners[name] = owners.get(name, 0) + 1
    for plan in plans.values():
        if plan.kind == VECTOR and all(owners[name] == 1 for name in plan.names):
            plan.stock_values = StockValues(plan.layer, plan.display_names)


def _compile_layer(
    project: QgsProject,
    layer: QgsMapLayer,
    settings: LayerSettings,
    lint: Lint,
    *,
    use_ids: bool,
) -> LayerPlan:
    plan = LayerPlan(
        layer=layer,
        layer_id=layer.id(),
        names=names_of(layer),
        wms_name=wms_name(layer, use_ids=use_ids),
        title=title_of(layer),
        kind=_kind(layer),
        settings=settings,
        is_queryable=bool(layer.flags() & QgsMapLayer.LayerFlag.Identifiable),
    )
    if plan.kind == VECTOR:
        compiler = RecordCompiler(layer, plan.wms_name, settings, settings.path, lint)
        compiler.own = settings.own
        plan.record = compiler.record()
        plan.links = compiler.links(settings.links)
        plan.attachments = tuple(compiler.attachments(project, settings.attachments))
        plan.maptip = compiler.maptip(settings)
        plan.display_names = {
            layer.attributeDisplayName(index): index for index in published_fields(layer)
        }
        plan.style = layer.styleManager().currentStyle()
        plan.legends[plan.style] = current_legend(layer)
        plan.related = compile_related(
            project,
            layer,
            settings.related,
            path=settings.path,
            own=settings.own,
            lint=lint,
            use_ids=use_ids,
        )
    if plan.kind == RASTER:
        plan.bands = compile_bands(layer, settings, lint)
    return plan


def _kind(layer: QgsMapLayer) -> str:
    if isinstance(layer, QgsVectorLayer) and layer.isValid() and layer.dataProvider():
        return VECTOR
    is_raster = isinstance(layer, QgsRasterLayer) and layer.isValid()
    return RASTER if is_raster and layer.providerType() != "wms" else OTHER
