"""The print layout of the demo."""

from __future__ import annotations

from qgis.core import (
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)


def add_layout(project: QgsProject, countries: QgsVectorLayer, extent: QgsRectangle) -> None:
    """A map without layers of its own (the request names them), a title, and a legend."""
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("A4 landscape")
    page_map = QgsLayoutItemMap(layout)
    page_map.setId("map")
    page_map.attemptMove(QgsLayoutPoint(10, 25))
    page_map.attemptResize(QgsLayoutSize(277, 138.5))
    page_map.setExtent(extent)
    label = QgsLayoutItemLabel(layout)
    # No id: with one, a client of GetPrint could replace the text.
    label.setText("The world as [% coalesce(@access_user, 'anybody') %] sees it")
    label.attemptMove(QgsLayoutPoint(10, 10))
    label.attemptResize(QgsLayoutSize(200, 10))
    # Only the layer that everybody may see: a legend of all layers would close the layout.
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(page_map)
    legend.setAutoUpdateModel(False)
    legend.model().rootGroup().removeAllChildren()
    legend.model().rootGroup().addLayer(countries)
    legend.attemptMove(QgsLayoutPoint(10, 167))
    for item in (page_map, label, legend):
        layout.addLayoutItem(item)
    project.layoutManager().addLayout(layout)
