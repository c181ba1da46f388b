"""A project with groups, styles, layouts, map tips, forms and annotations, for WMS and WMTS."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Optional

from qgis.core import (
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsEditFormConfig,
    QgsLayerTreeModel,
    QgsLayoutItemLabel,
    QgsLayoutItemMap,
    QgsMapThemeCollection,
    QgsMarkerSymbol,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsRendererCategory,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF

from tests.support.projects import (
    publish,
    save,
    vector_layer,
    write_geopackage,
    write_raster,
)

MATRIX = "EPSG:3857,20037508.342789248,-20037508.342789248,559082264.0287179,1000"


Edit = Callable[[QgsProject, dict[str, QgsVectorLayer]], None]


def wms_project(
    folder: Path,
    edit: Optional[Edit] = None,
    tables: Optional[dict[str, Any]] = None,
    **variables: Any,
) -> Path:
    """Write the project with these variables, edited before it is saved; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_geopackage(folder / "data.gpkg", tables)
    write_raster(folder / "ortho.tif")
    project = QgsProject()
    project.setTitle("Town")
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    names = ("parcels", "salaries", "reports", "owners")
    layers = {name: vector_layer(folder, name) for name in names}
    ortho = QgsRasterLayer(str(folder / "ortho.tif"), "ortho")
    project.addMapLayers([*layers.values(), ortho], False)
    _tree(project, layers, ortho)
    for name, color in (("salaries", "yellow"), ("reports", "purple")):
        layers[name].renderer().setSymbol(_marker(color))  # QGIS would draw lots
    _styles(layers["parcels"])
    layers["parcels"].setMapTipTemplate('tip [% "owner_name" %]')
    layers["reports"].setMapTipTemplate('tip [% "title" %]')
    _form(layers["parcels"])
    _layouts(project, layers)
    publish(project)
    project.writeEntry("WMTSGrids", "Config", [MATRIX])
    if edit is not None:
        edit(project, layers)
    for entry in ("WMTSLayers", "WMTSPngLayers"):
        project.writeEntry(entry, "Group", ["mixed", "secrets"])
    return save(project, folder / "project.qgs", variables)


def _tree(project: QgsProject, layers: dict[str, QgsVectorLayer], ortho: QgsRasterLayer) -> None:
    root = project.layerTreeRoot()
    mixed = root.addGroup("mixed")
    mixed.addLayer(layers["parcels"])
    mixed.addLayer(layers["salaries"])
    secrets = root.addGroup("secrets")
    secrets.setCustomProperty("wmsTitle", "Title of secrets")
    secrets.setCustomProperty("wmsAbstract", "Abstract of secrets")
    secrets.addLayer(layers["salaries"])
    for layer in (layers["reports"], layers["owners"], ortho):
        root.addLayer(layer)
    theme = QgsMapThemeCollection.createThemeFromCurrentState(root, QgsLayerTreeModel(root))
    project.mapThemeCollection().insert("everything", theme)


def _styles(parcels: QgsVectorLayer) -> None:
    """Give parcels the styles default, blue, and owners, which draws by a name."""
    parcels.renderer().setSymbol(_marker("red"))
    manager = parcels.styleManager()
    manager.addStyleFromLayer("blue")
    manager.setCurrentStyle("blue")
    parcels.renderer().setSymbol(_marker("blue"))
    manager.addStyleFromLayer("owners")
    manager.setCurrentStyle("owners")
    categories = [
        QgsRendererCategory(name, _marker(color), f"Owner {name}")
        for name, color in (("Alice A.", "green"), ("Carl C.", "black"))
    ]
    parcels.setRenderer(QgsCategorizedSymbolRenderer("owner_name", categories))
    manager.setCurrentStyle("default")


def _marker(color: str) -> QgsMarkerSymbol:
    return QgsMarkerSymbol.createSimple({"color": color, "size": "6"})


def _form(parcels: QgsVectorLayer) -> None:
    """Put the owner's name into a tab, and give another field an alias that equals a field."""
    fields = parcels.fields()
    config = parcels.editFormConfig()
    config.setLayout(QgsEditFormConfig.TabLayout)
    tab = QgsAttributeEditorContainer("details", config.invisibleRootContainer())
    for name in ("name", "owner_name", "zone"):
        tab.addChildElement(QgsAttributeEditorField(name, fields.indexOf(name), tab))
    config.addTab(tab)
    parcels.setEditFormConfig(config)
    parcels.setFieldAlias(fields.indexOf("status"), "owner")


def _layouts(project: QgsProject, layers: dict[str, QgsVectorLayer]) -> None:
    _layout(project, "simple")
    _layout(project, "Official plan")
    _layout(project, "locked").setLayers([layers["salaries"]])
    themed = _layout(project, "themed")
    themed.setFollowVisibilityPreset(True)
    themed.setFollowVisibilityPresetName("everything")
    _layout(project, "locked parcels").setLayers([layers["parcels"]])
    for name in ("locked", "locked parcels"):
        _map(project, name).setKeepLayerSet(True)


def _layout(project: QgsProject, name: str) -> QgsLayoutItemMap:
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(name)
    item = QgsLayoutItemMap(layout)
    item.attemptSetSceneRect(QRectF(10, 10, 100, 100))
    item.setExtent(QgsRectangle(0, 0, 5, 5))
    layout.addLayoutItem(item)
    label = QgsLayoutItemLabel(layout)
    label.setId("heading")
    label.setText("heading")
    label.attemptSetSceneRect(QRectF(120, 10, 100, 20))
    layout.addLayoutItem(label)
    project.layoutManager().addLayout(layout)
    return item


def _map(project: QgsProject, name: str) -> QgsLayoutItemMap:
    items = project.layoutManager().layoutByName(name).items()
    return next(item for item in items if isinstance(item, QgsLayoutItemMap))
