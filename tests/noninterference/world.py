"""One project in two variants that differ only in what the restricted callers may not see.

Every hidden thing carries a canary, ``CN`` and the variant's letter, in its name or value; what is
visible is the same in both. Hidden from everybody but the role ``root``: the layers ``forb`` and
``CN…named``, the raster ``rforb``, the group ``CN…group``, rows with ``"vis" = 0``, the rows of other
owners, the attributes ``secret`` and ``CN…column``, the styles and layouts ``hidden…``, and what is
made of these: joins, expression fields, a virtual layer, a group layer, labels, legends, map tips,
display names, dimensions, relations, themes, an annotation, extents and counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsField,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsRelation,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsTextAnnotation,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
    QgsVectorLayerServerProperties,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QPointF, QSizeF, QVariant
from qgis.PyQt.QtGui import QTextDocument

from tests.noninterference.world_data import write_data
from tests.noninterference.world_layouts import add_layouts
from tests.support.projects import publish, save

OPEN = ["pub", "pub two", "poly", "rpub", "attr", "attrdd", "joined", "virt", "related", "looked"]
RULES: list[dict[str, Any]] = [
    {"id": "open", "layers": [*OPEN, "stored", "grouped"]},
    {"id": "rows", "layers": ["feat", "nokey", "edit", "dated"], "filter": '"vis" = 1'},
    {"id": "own", "layers": "own", "filter": '"owner" = @access_user'},
    {"id": "labels", "layers": "labels", "actions": "lookup", "filter": '"vis" = 1'},
    {
        "id": "edit",
        "layers": "edit",
        "actions": ["insert", "update", "delete"],
        "filter": '"vis" = 1',
        "readonly": "vis",
    },
    {"id": "nokey", "layers": "nokey", "actions": ["update", "delete"], "filter": '"vis" = 1'},
    {
        "id": "columns",
        "effect": "deny",
        "roles": "!root",
        "layers": ["attr", "attrdd", "edit"],
        "attributes": ["secret", "CN*"],
    },
    {
        "id": "styles",
        "effect": "deny",
        "roles": "!root",
        "layers": ["attrdd", "poly"],
        "styles": "hidden*",
    },
    {
        "id": "root",
        "roles": "root",
        "layers": "*",
        "actions": ["read", "insert", "update", "delete"],
    },
    {"id": "layouts", "effect": "deny", "roles": "!root", "templates": "hidden*"},
]
MATRIX = "EPSG:3857,20037508.342789248,-20037508.342789248,559082264.0287179,1000"


def build(folder: Path, variant: str) -> Path:
    """Write one variant's project and data; return the project's path."""
    folder.mkdir(parents=True)
    write_data(folder, variant)
    project = QgsProject()
    project.setTitle("world")
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    layers = _add_layers(project, folder, variant)
    _derive(project, layers, variant)
    _arrange(project, layers, variant)
    _style(layers, variant)
    _describe(layers, variant)
    _annotate(project, layers, variant)
    add_layouts(project, layers, variant)
    _publish(project, variant)
    variables = {"access_rules": RULES, "CNsecret": f"CN{variant}variable"}
    return save(project, folder / "world.qgs", variables)


def _publish(project: QgsProject, v: str) -> None:
    publish(project, QgsRectangle(0, 0, 10, 10))
    project.writeEntry("WMSFeatureInfoUseAttributeFormSettings", "/", True)
    project.writeEntry("WMTSGrids", "Config", [MATRIX])
    for entry in ("WMTSLayers", "WMTSPngLayers"):
        project.writeEntry(entry, "Group", ["mixed", "open", f"CN{v}group"])


def _add_layers(project: QgsProject, folder: Path, v: str) -> dict[str, Any]:
    def vector(table: str, name: str) -> QgsVectorLayer:
        return QgsVectorLayer(f"{folder / 'data.gpkg'}|layername={table}", name, "ogr")

    tables = [
        "pub",
        "feat",
        "dated",
        "own",
        "attr",
        "attrdd",
        "edit",
        "poly",
        "related",
        "looked",
        "labels",
        "stored",
        "forb",
    ]
    layers: dict[str, Any] = {table: vector(table, table) for table in tables}
    layers["pub_two"] = vector("pub_two", "pub two")
    layers["joined"] = vector("pub", "joined")
    layers["named"] = vector("forb", f"CN{v}named")
    layers["nokey"] = QgsVectorLayer(str(folder / "nokey.geojson"), "nokey", "ogr")
    layers["rpub"] = QgsRasterLayer(str(folder / "rpub.tif"), "rpub")
    layers["rforb"] = QgsRasterLayer(str(folder / "rforb.tif"), "rforb")
    for layer in layers.values():
        if not layer.isValid():
            raise ValueError(f"{layer.name()} is not valid")
        project.addMapLayer(layer, False)
    return layers


def _arrange(project: QgsProject, layers: dict[str, Any], v: str) -> None:
    root = project.layerTreeRoot()
    single = "pub pub_two poly feat dated own attr attrdd edit nokey joined looked stored virt rpub"
    for name in single.split():
        root.addLayer(layers[name])
    members = {
        "open": ["related"],
        "mixed": ["related", "forb", "named"],
        f"CN{v}group": ["named", "rforb", "labels"],
        "closed": ["forb", "rforb"],
    }
    for name, names in members.items():
        group = root.addGroup(name)
        for member in names:
            group.addLayer(layers[member])
        if name not in ("open", "mixed"):
            group.setCustomProperty("wmsTitle", f"CN{v}grouptitle")
            group.setCustomProperty("wmsAbstract", f"CN{v}groupabstract")
    if Qgis.QGIS_VERSION_INT >= 32400:
        _group_layer(project, layers)


def _group_layer(project: QgsProject, layers: dict[str, Any]) -> None:
    """Add a group that QGIS draws as one layer: of a permitted and a hidden one."""
    from qgis.core import QgsGroupLayer

    options = QgsGroupLayer.LayerOptions(project.transformContext())
    merged = QgsGroupLayer("grouped", options)
    merged.setChildLayers([layers["pub_two"], layers["forb"]])
    project.addMapLayer(merged, False)
    group = project.layerTreeRoot().addGroup("grouped")
    group.addLayer(layers["pub_two"])
    group.addLayer(layers["forb"])
    group.setGroupLayer(merged)


def _marker(color: str) -> QgsMarkerSymbol:
    return QgsMarkerSymbol.createSimple({"color": color, "size": "4", "outline_style": "no"})


def _style(layers: dict[str, Any], v: str) -> None:
    """Give every layer plain symbols; attrdd is drawn by its secret, and has a plain style."""
    for name, layer in layers.items():
        if isinstance(layer, QgsVectorLayer) and layer.isValid():
            layer.renderer().setSymbol(_marker("black" if name == "forb" else "red"))
    layer = layers["attrdd"]
    layer.styleManager().addStyleFromLayer("plain")
    categories = [
        QgsRendererCategory(f"CN{v}one", _marker("blue"), f"CN{v}class"),
        QgsRendererCategory("CNBother", _marker("green"), "other"),
    ]
    layer.setRenderer(QgsCategorizedSymbolRenderer("secret", categories))
    settings = QgsPalLayerSettings()
    settings.fieldName = "secret"
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    _hidden_style(layer, v)
    rows = [QgsRendererCategory(n, _marker("red"), f"class {n}") for n in ("fone", "ftwo", "")]
    layers["feat"].setRenderer(QgsCategorizedSymbolRenderer("name", rows))
    _poly_styles(layers["poly"], v)


def _poly_styles(layer: QgsVectorLayer, v: str) -> None:
    """Give poly the styles default, second and one that is closed."""
    manager = layer.styleManager()
    for name, color in (("second", "green"), ("hiddenstyle", "blue" if v == "A" else "black")):
        manager.addStyleFromLayer(name)
        manager.setCurrentStyle(name)
        rule = QgsRuleBasedRenderer.Rule(_marker(color), 0, 0, "\"name\" = 'poly'", "rule")
        rule.setLabel(f"CN{v}rule" if name == "hiddenstyle" else "rule")
        root = QgsRuleBasedRenderer.Rule(None)
        root.appendChild(rule)
        layer.setRenderer(QgsRuleBasedRenderer(root))
    manager.setCurrentStyle("default")


def _hidden_style(layer: QgsVectorLayer, v: str) -> None:
    manager = layer.styleManager()
    manager.addStyleFromLayer(f"hiddenCN{v}")


def _describe(layers: dict[str, Any], v: str) -> None:
    """Add titles, aliases, map tips, display names, forms and dimensions."""
    for name in ("forb", "named", "rforb", "labels"):
        owner = layers[name].serverProperties()
        if Qgis.QGIS_VERSION_INT < 33800:
            owner = layers[name]  # where titles were until then
        owner.setTitle(f"CN{v}title")
        owner.setAbstract(f"CN{v}abstract")
    attr = layers["attr"]
    fields = attr.fields()
    attr.setFieldAlias(fields.lookupField("secret"), f"CN{v}alias")
    attr.setFieldAlias(fields.lookupField("num"), "secret")
    for layer in (attr, layers["attrdd"]):
        own, far = ("get_feature(@layer_id, 'code', 1)", "get_feature('forb_layer_id', 'code', 1)")
        layer.setMapTipTemplate(
            f'tip [% "name" %] [% "secret" %] [% attribute({own}, \'secret\') %]'
            f" [% attribute({far}, 'label') %]"
        )
        layer.setDisplayExpression(
            "\"secret\" || attribute(get_feature(@layer_id, 'code', 1), 'secret')"
        )
    layers["pub"].setMapTipTemplate('<b>[% "name" %]</b>')
    _form(attr)
    _dimension(attr, "SECDIM", "secret")
    _dimension(layers["feat"], "NUMDIM", "num")
    _dimension(layers["pub"], "CODEDIM", "code")


def _form(layer: QgsVectorLayer) -> None:
    """Put every field into a tab in a tab."""
    config = layer.editFormConfig()
    config.setLayout(QgsEditFormConfig.TabLayout)
    outer = QgsAttributeEditorContainer("outer", config.invisibleRootContainer())
    inner = QgsAttributeEditorContainer("inner", outer)
    for index, field in enumerate(layer.fields()):
        inner.addChildElement(QgsAttributeEditorField(field.name(), index, inner))
    outer.addChildElement(inner)
    config.addTab(outer)
    layer.setEditFormConfig(config)


def _dimension(layer: QgsVectorLayer, name: str, field: str) -> None:
    info = QgsVectorLayerServerProperties.WmsDimensionInfo(name, field)
    layer.serverProperties().addWmsDimension(info)


def _derive(project: QgsProject, layers: dict[str, Any], v: str) -> None:
    """Make things out of hidden ones: joins, labels, expression fields, relations, a virtual layer."""
    joined, forb, feat = layers["joined"], layers["forb"], layers["feat"]
    for source, prefix in ((forb, "j_"), (layers["attr"], "a_"), (feat, "f_")):
        join = QgsVectorLayerJoinInfo()
        join.setJoinLayer(source)
        join.setJoinFieldName("num" if source is feat else "code")
        join.setTargetFieldName("code")
        join.setPrefix(prefix)
        join.setUsingMemoryCache(True)
        joined.addJoin(join)
    for name, expression in (
        ("agg", f"aggregate('{forb.id()}', 'concatenate', \"label\")"),
        ("aggrows", f"aggregate('{feat.id()}', 'concatenate', \"name\")"),
        ("got", f"attribute(get_feature('{forb.id()}', 'code', \"code\"), 'label')"),
        ("plainexpr", 'upper("name")'),
    ):
        joined.addExpressionField(expression, QgsField(name, QVariant.String))
    layers["attr"].addExpressionField('lower("secret")', QgsField("derived", QVariant.String))
    for name, source in (("related", "forb"), ("looked", "labels")):
        config = {"Layer": layers[source].id(), "Key": "code", "Value": "label"}
        code = layers[name].fields().lookupField("code")
        layers[name].setEditorWidgetSetup(code, QgsEditorWidgetSetup("ValueRelation", config))
    relation = QgsRelation()
    relation.setId(f"CN{v}relation")
    relation.setName(f"CN{v}relation")
    relation.setReferencingLayer(forb.id())
    relation.setReferencedLayer(layers["pub"].id())
    relation.addFieldPair("code", "code")
    project.relationManager().addRelation(relation)
    query = f'?layer_ref={feat.id()}&query=select * from "{feat.id()}"&geometry=geometry:1:4326'
    layers["virt"] = QgsVectorLayer(query, "virt", "virtual")
    project.addMapLayer(layers["virt"], False)


def _annotate(project: QgsProject, layers: dict[str, Any], v: str) -> None:
    note = QgsTextAnnotation()
    note.setDocument(QTextDocument(f"CN{v}note" + ("x" * (4 if v == "A" else 30))))
    note.setMapPosition(QgsPointXY(40, 40))
    note.setMapPositionCrs(project.crs())
    note.setFrameSizeMm(QSizeF(30, 10))
    note.setFrameOffsetFromReferencePointMm(QPointF(2, 2))
    note.setMapLayer(layers["forb"])
    project.annotationManager().addAnnotation(note)
