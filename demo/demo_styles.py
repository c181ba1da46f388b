"""How the demo looks: named styles of the countries (one depends on the role), and the rest."""

from __future__ import annotations

from qgis.core import (
    QgsColorRampShader,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRendererRange,
    QgsRuleBasedRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor, QFont

EDITOR = "array_contains(@access_roles, 'editor')"
VIEWER = "array_contains(@access_roles, 'viewer')"
REGION_COLOURS = {
    2: "#e0a458",
    10: "#dfe7ee",
    19: "#8ab17d",
    142: "#c97b84",
    150: "#7a9cc6",
    9: "#b39bc8",
}
AREA_CLASSES = (
    (0, 50_000, "#f1eef6"),
    (50_000, 500_000, "#bdc9e1"),
    (500_000, 2_000_000, "#74a9cf"),
    (2_000_000, 20_000_000, "#0570b0"),
)
# (highest value of the class, colour, label)
DAYLIGHT_CLASSES = (
    (0.0, "#1d2b53", "polar night"),
    (10.0, "#4a6fa5", "under 10 hours"),
    (14.0, "#9fc5b8", "10 to 14 hours"),
    (23.99, "#f2d388", "over 14 hours"),
    (24.0, "#f7f0d4", "midnight sun"),
)


def style_countries(layer: QgsVectorLayer, region_names: dict[int, str]) -> None:
    """Gives the countries three named styles; by_role is the default of the layer."""
    _label(layer)
    styles = layer.styleManager()
    layer.setRenderer(by_role(region_names))
    styles.renameStyle(styles.currentStyle(), "by_role")
    for name, renderer in (
        ("plain", QgsSingleSymbolRenderer(_fill("#d9d4c5"))),
        ("by_area", by_area()),
    ):
        styles.addStyleFromLayer(name)
        styles.setCurrentStyle(name)
        layer.setRenderer(renderer)
    styles.setCurrentStyle("by_role")


def by_role(region_names: dict[int, str]) -> QgsRuleBasedRenderer:
    """Regions in colour for editors, dependencies told apart for viewers, one grey for others."""
    root = QgsRuleBasedRenderer.Rule(None)
    editors = QgsRuleBasedRenderer.Rule(None, filterExp=EDITOR, label="Editor: regions")
    for code, name in region_names.items():
        symbol = _fill(REGION_COLOURS[code])
        editors.appendChild(QgsRuleBasedRenderer.Rule(symbol, 0, 0, f'"region" = {code}', name))
    editors.appendChild(_otherwise("#cccccc", "no region"))
    viewers = QgsRuleBasedRenderer.Rule(
        None, filterExp=f"{VIEWER} AND NOT {EDITOR}", label="Viewer: status"
    )
    viewers.appendChild(
        QgsRuleBasedRenderer.Rule(_fill("#a3c4a8"), 0, 0, '"status" = 1', "country")
    )
    viewers.appendChild(_otherwise("#e3b7a0", "dependency or other"))
    for rule in (editors, viewers, _otherwise("#c8c8c8", "Everybody else")):
        root.appendChild(rule)
    return QgsRuleBasedRenderer(root)


def _otherwise(colour: str, label: str) -> QgsRuleBasedRenderer.Rule:
    rule = QgsRuleBasedRenderer.Rule(_fill(colour), label=label)
    rule.setIsElse(True)
    return rule


def by_area() -> QgsGraduatedSymbolRenderer:
    """Classes of area; it reads a field that the public does not see."""
    ranges = [
        QgsRendererRange(low, high, _fill(colour), f"{low:,} to {high:,} km²")
        for low, high, colour in AREA_CLASSES
    ]
    return QgsGraduatedSymbolRenderer("area_km2", ranges)


def style_others(layers: dict[str, QgsVectorLayer]) -> None:
    """Single symbols for provinces, disputed borders and notes."""
    outline = QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": "#7d7a70", "outline_width": "0.1"}
    )
    dashes = QgsLineSymbol.createSimple(
        {"line_color": "#c81e1e", "line_width": "0.5", "line_style": "dash"}
    )
    dot = QgsMarkerSymbol.createSimple(
        {"color": "#f4c20d", "outline_color": "#5f4b00", "size": "3"}
    )
    layers["provinces"].setRenderer(QgsSingleSymbolRenderer(outline))
    layers["disputed_borders"].setRenderer(QgsSingleSymbolRenderer(dashes))
    layers["notes"].setRenderer(QgsSingleSymbolRenderer(dot))


def style_daylight(layer: QgsRasterLayer) -> None:
    """Discrete classes with labels: GetFeatureInfo can tell the class beside the number."""
    ramp = QgsColorRampShader(0.0, 24.0)
    ramp.setColorRampType(QgsColorRampShader.Type.Discrete)
    ramp.setColorRampItemList(
        [
            QgsColorRampShader.ColorRampItem(value, QColor(colour), label)
            for value, colour, label in DAYLIGHT_CLASSES
        ]
    )
    shader = QgsRasterShader(0.0, 24.0)
    shader.setRasterShaderFunction(ramp)
    layer.setRenderer(QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader))


def _fill(colour: str) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple(
        {"color": colour, "outline_color": "#ffffff", "outline_width": "0.15"}
    )


def _label(layer: QgsVectorLayer) -> None:
    """Names at the scale of a continent; on a map of the world they would only be in the way."""
    text = QgsTextFormat()
    text.setFont(QFont("DejaVu Sans"))
    text.setSize(7)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.6)
    text.setBuffer(halo)
    settings = QgsPalLayerSettings()
    settings.fieldName = "NAME"
    settings.setFormat(text)
    settings.scaleVisibility = True
    settings.minimumScale = 60_000_000
    settings.maximumScale = 1
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
