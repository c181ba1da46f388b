"""What an author sets in the layer properties: names, aliases, widgets, form, map tip."""

from __future__ import annotations

from qgis.core import (
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsEditFormConfig,
    QgsEditorWidgetSetup,
    QgsMapLayer,
    QgsProject,
    QgsRelation,
    QgsRelationContext,
    QgsVectorLayer,
)

ALIASES: dict[str, dict[str, str]] = {
    "countries": {
        "iso_a2": "ISO code",
        "NAME": "Country",
        "FIPS_10_": "FIPS code",
        "ISO_A3": "ISO code, 3 letters",
        "WB_A2": "World Bank code",
        "WB_A3": "World Bank code, 3 letters",
        "region": "Region",
        "status": "Status",
        "area_km2": "Area",
    },
    "provinces": {
        "iso_a2": "Country",
        "name": "Province",
        "fips": "FIPS code",
        "woe_label": "Full name",
        "gn_name": "Name in GeoNames",
        "admin": "Administered by",
        "region": "Region",
    },
    "disputed_borders": {"name": "Claim", "adm0_left": "Left of it", "adm0_right": "Right of it"},
    "regions": {"code": "Code", "name": "Region"},
    "notes": {
        "title": "Title",
        "text": "Text",
        "author": "Author",
        "published": "Published",
        "created": "Written",
    },
}
FORM: dict[str, tuple[str, ...]] = {
    "Country": ("NAME", "status", "region", "area_km2"),
    "Codes": ("iso_a2", "ISO_A3", "FIPS_10_", "WB_A2", "WB_A3"),
}
TITLES = {
    "countries": ("Countries", "Countries and dependencies of Natural Earth 4.1.0"),
    "provinces": ("Provinces", "First-level provinces and states"),
    "disputed_borders": ("Disputed borders", "Claims and ceasefire lines"),
    "regions": ("Regions", "Names of the regions"),
    "notes": ("Notes", "Remarks about the map; everybody edits his own"),
    "daylight": ("Daylight", "Hours between sunrise and sunset on 21 June"),
}
MAP_TIP = '<b>[% "NAME" %]</b><br>[% represent_value("status", \'status\') %]'


def publish_name(layer: QgsMapLayer) -> None:
    """Short name, title and abstract; the setters moved from the layer to an object of its own."""
    target = layer.serverProperties()
    if not hasattr(target, "setShortName"):
        target = layer
    title, abstract = TITLES[layer.name()]
    target.setShortName(layer.name())
    target.setTitle(title)
    target.setAbstract(abstract)


def set_aliases(layer: QgsVectorLayer) -> None:
    """The names that people read; fid is only there because GeoPackage needs a key."""
    for field, alias in ALIASES[layer.name()].items():
        layer.setFieldAlias(layer.fields().indexOf(field), alias)
    _widget(layer, "fid", "Hidden", {})


def set_widgets(layers: dict[str, QgsVectorLayer], relation: QgsRelation) -> None:
    """A value map, value relations, a relation reference, a check box and a date."""
    by_code = {"Layer": layers["regions"].id(), "Key": "code", "Value": "name", "AllowNull": True}
    countries, provinces, notes = layers["countries"], layers["provinces"], layers["notes"]
    _widget(countries, "region", "ValueRelation", by_code)
    _widget(provinces, "region", "ValueRelation", by_code)
    _widget(countries, "status", "ValueMap", {"map": [{"country": "1"}, {"dependency": "2"}]})
    reference = {"Relation": relation.id(), "AllowNULL": True, "ShowForm": False}
    _widget(provinces, "iso_a2", "RelationReference", reference)
    _widget(notes, "published", "CheckBox", {"CheckedState": "1", "UncheckedState": "0"})
    date = {"display_format": "d MMM yyyy HH:mm", "field_format": "yyyy-MM-dd HH:mm:ss"}
    _widget(notes, "created", "DateTime", date)


def set_form(layer: QgsVectorLayer) -> None:
    """The form of a country has two tabs."""
    form = layer.editFormConfig()
    form.clearTabs()
    form.setLayout(QgsEditFormConfig.EditorLayout.TabLayout)
    for name, fields in FORM.items():
        tab = QgsAttributeEditorContainer(name, form.invisibleRootContainer())
        for field in fields:
            index = layer.fields().indexOf(field)
            tab.addChildElement(QgsAttributeEditorField(field, index, tab))
        form.addTab(tab)
    layer.setEditFormConfig(form)


def set_display(layers: dict[str, QgsVectorLayer]) -> None:
    """What a feature is called, and the map tip of the countries."""
    for name, field in (("countries", "NAME"), ("provinces", "name"), ("notes", "title")):
        layers[name].setDisplayExpression(f'"{field}"')
    layers["countries"].setMapTipTemplate(MAP_TIP)


def add_relation(project: QgsProject, layers: dict[str, QgsVectorLayer]) -> QgsRelation:
    """Countries have provinces; both tables carry the ISO code."""
    # Without a context it would look for its layers in QgsProject.instance().
    relation = QgsRelation(QgsRelationContext(project))
    relation.setId("provinces_of_country")
    relation.setName("provinces")
    relation.setReferencedLayer(layers["countries"].id())
    relation.setReferencingLayer(layers["provinces"].id())
    relation.addFieldPair("iso_a2", "iso_a2")
    project.relationManager().addRelation(relation)
    return relation


def _widget(layer: QgsVectorLayer, field: str, kind: str, config: dict[str, object]) -> None:
    setup = QgsEditorWidgetSetup(kind, config)
    layer.setEditorWidgetSetup(layer.fields().indexOf(field), setup)
