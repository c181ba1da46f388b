"""What is told of each layer, worked out once when the project is loaded.

Everything that can be known without data and without a caller is decided here; a request only picks
what its caller may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Optional

from ..value_class import mutable_class, value_class
from .fields import FieldFrame
from .qgis_expressions import AuthoredExpression
from .qgis_features import FeatureKeys
from .qgis_labels import FormatterLabeler
from .qgis_legend import Legend
from .qgis_stock_values import StockValues
from .settings import LayerSettings, RelatedSettings

VECTOR = "vector"
RASTER = "raster"
OTHER = "other"


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@value_class
class FieldPlan:
    """One attribute of a record."""

    index: int
    attribute: str
    """The field's name in the layer."""
    frame: FieldFrame
    labeler: FormatterLabeler
    """For callers who may see the labels."""
    is_text: bool = False
    """True when a text is its own label."""
    conditions: tuple[AuthoredExpression, ...] = ()
    """The form shows it only where these are true."""
    shares_entries: bool = False
    """True when a label depends on nothing but the value, and there are few values …"""
    entries: dict[tuple[type, Any], dict[str, Any]] = field(default_factory=dict, compare=False)
    """… whose entries are kept here: they are the same for everybody who may see the label."""


@value_class
class ComputedPlan:
    """One computed value."""

    expression: AuthoredExpression
    unit: str = ""


@value_class
class RecordPlan:
    """What is told of a record of a layer, be it asked for or related."""

    layer: Any
    keys: FeatureKeys
    wms_name: str
    fields: tuple[FieldPlan, ...] = ()
    title: Optional[AuthoredExpression] = None
    computed: Mapping[str, ComputedPlan] = field(default_factory=_nothing)

    @property
    def layer_id(self) -> str:
        """The id of the record's layer."""
        return str(self.layer.id())


@value_class
class ViaPlan:
    """The table between the two sides of an n:m relation."""

    layer: Any
    to_parent: tuple[int, ...]
    to_record: tuple[int, ...]


@value_class
class OrderPlan:
    """One expression that related records are ordered by."""

    expression: AuthoredExpression
    ascending: bool = True


@value_class
class RelationPlan:
    """The records that belong to a record."""

    settings: RelatedSettings
    record: RecordPlan
    parent_key: tuple[int, ...]
    """Columns of the parent that the relation compares …"""
    record_key: tuple[int, ...]
    """… with these columns of the records (n:m: of the records, with those of ``via``)."""
    via: Optional[ViaPlan] = None
    order: tuple[OrderPlan, ...] = ()
    related: Mapping[str, RelationPlan] = field(default_factory=_nothing)


@value_class
class LinkPlan:
    """One link: the parts of its template, and the expressions among them."""

    parts: tuple[tuple[bool, str], ...]
    expressions: tuple[AuthoredExpression, ...]


@value_class
class MaptipPlan:
    """The layer's map tip as it was when the project was loaded."""

    template: str
    expressions: tuple[AuthoredExpression, ...]


@value_class
class AttachmentPlan:
    """One field whose values are files."""

    index: int
    attribute: str
    name: str
    base_url: str
    folders: tuple[str, ...]


@mutable_class
class LayerPlan:
    """What is told of the features of one layer."""

    layer: Any
    layer_id: str
    names: tuple[str, ...]
    """Every name of the layer: id, short name, name."""
    wms_name: str
    title: str
    kind: str
    settings: LayerSettings
    record: Optional[RecordPlan] = None
    """For vector layers."""
    related: Mapping[str, RelationPlan] = field(default_factory=_nothing)
    links: Mapping[str, LinkPlan] = field(default_factory=_nothing)
    attachments: tuple[AttachmentPlan, ...] = ()
    maptip: Optional[MaptipPlan] = None
    style: str = ""
    """The style that was current when the project was loaded …"""
    legends: dict[str, Optional[Legend]] = field(default_factory=dict)
    """… and the legends of all styles asked for so far."""
    display_names: Mapping[str, int] = field(default_factory=_nothing)
    """What stock properties are called → field index."""
    stock_values: Optional[StockValues] = None
    """Which values can be read from the stock answer."""
    bands: tuple[int, ...] = ()
    """Of a raster: the bands that are told, in their order."""
    band_units: Optional[Mapping[int, str]] = None
    """Of a raster: band → the unit its file says; read when it is first asked for."""
    is_queryable: bool = True

    @cached_property
    def head(self) -> dict[str, str]:
        """The member ``layer`` of the answer."""
        return {"id": self.layer_id, "name": self.wms_name, "title": self.title}
