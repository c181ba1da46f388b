"""WFS requests of the tests: transactions, filters, and what came back."""

from __future__ import annotations

from typing import Any, Optional

from tests.support.server import Answer, Client

NAMESPACES = (
    'xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc" '
    'xmlns:gml="http://www.opengis.net/gml" xmlns:qgs="http://www.qgis.org/gml"'
)


def features(client: Client, layer: Optional[str] = "parcels", **parameters: Any) -> Answer:
    """Ask for features as GeoJSON."""
    named = {"TYPENAME": layer} if layer is not None else {}
    return client.get(
        SERVICE="WFS",
        VERSION="1.1.0",
        REQUEST="GetFeature",
        OUTPUTFORMAT="GeoJSON",
        **named,
        **parameters,
    )


def names(answer: Answer, attribute: str = "name") -> list[str]:
    """Return an attribute of the features of a GeoJSON answer."""
    assert answer.status == 200, answer.text
    return [feature["properties"].get(attribute) for feature in answer.json["features"]]


def equals(attribute: str, value: Any) -> str:
    """Return an OGC filter."""
    return (
        f"<ogc:Filter {NAMESPACES}><ogc:PropertyIsEqualTo><ogc:PropertyName>{attribute}"
        f"</ogc:PropertyName><ogc:Literal>{value}</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>"
    )


def by_id(*ids: str) -> str:
    """Return an OGC filter of feature ids."""
    inner = "".join(f'<ogc:FeatureId fid="{fid}"/>' for fid in ids)
    return f"<ogc:Filter {NAMESPACES}>{inner}</ogc:Filter>"


def point(x: float, y: float) -> str:
    """Return a GML point."""
    return f"<gml:Point><gml:coordinates>{x},{y}</gml:coordinates></gml:Point>"


def update(layer: str, where: str, **values: Any) -> str:
    """Return an Update action; a value of None is sent without Value."""
    properties = "".join(
        f"<wfs:Property><wfs:Name>{name}</wfs:Name>"
        + ("" if value is None else f"<wfs:Value>{value}</wfs:Value>")
        + "</wfs:Property>"
        for name, value in values.items()
    )
    return f'<wfs:Update typeName="qgs:{layer}">{properties}{where}</wfs:Update>'


def insert(layer: str, geometry: Optional[str] = None, **values: Any) -> str:
    """Return an Insert action."""
    parts = "".join(f"<qgs:{name}>{value}</qgs:{name}>" for name, value in values.items())
    parts += f"<qgs:geometry>{geometry}</qgs:geometry>" if geometry is not None else ""
    return f"<wfs:Insert><qgs:{layer}>{parts}</qgs:{layer}></wfs:Insert>"


def delete(layer: str, where: str) -> str:
    """Return a Delete action."""
    return f'<wfs:Delete typeName="qgs:{layer}">{where}</wfs:Delete>'


def transaction(client: Client, *actions: str, version: str = "1.1.0") -> Answer:
    """Send a transaction."""
    body = (
        f'<wfs:Transaction service="WFS" version="{version}" {NAMESPACES}>'
        f"{''.join(actions)}</wfs:Transaction>"
    )
    return client.post(body, SERVICE="WFS")


def query(layer: str, inner: str = "", **attributes: str) -> str:
    """Return the body of a GetFeature."""
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<wfs:GetFeature service="WFS" version="1.1.0" outputFormat="GeoJSON" {NAMESPACES}>'
        f'<wfs:Query typeName="{layer}"{extra}>{inner}</wfs:Query></wfs:GetFeature>'
    )
