"""What a request of the tables is, and how the tables write one down."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Optional, Union

ALWAYS = (0, 99999)
"""QGIS versions (from, before) in which an unguarded server answers differently."""
SINCE_324 = (32400, 99999)
"""Formats and group layers that QGIS 3.22 does not have."""
BEFORE_324 = (0, 32400)
NEVER = (0, 0)
"""A further shape of a fact that another request of the tables shows to leak."""
FULL = "0,0,10,10"
EVERYWHERE = "POLYGON((0 0, 0 10, 10 10, 10 0, 0 0))"

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request, the facts that it is about, and what must become of it."""

    name: str
    query: Query = ()
    facts: tuple[str, ...] = ()
    """Ids of part A of the facts page: without the plugin the answers of the variants differ."""
    leaks: tuple[int, int] = ALWAYS
    near: tuple[str, ...] = ()
    """Ids of the facts that this request is the neighbour of, which must go on working."""
    works: Optional[str] = None
    """What the restricted caller's answer holds; the empty text means: any content."""
    method: str = "GET"
    path: str = "/"
    body: bytes = b""
    content_type: str = "text/xml"
    landing: bool = False
    """Sent without a project, to a server whose landing page lists the variant's."""
    then: Optional[Request] = None
    """A second request, of which the answer is compared too: the first may leave something."""

    @property
    def is_named(self) -> str:
        """Everything that the request says, to tell an echo from a leak."""
        said = " ".join([self.path, *(f"{n}={v}" for n, v in self.query)])
        return said + self.body.decode() + (self.then.is_named if self.then else "")

    def renamed(self, names: dict[str, str]) -> Request:
        """Return the request with other names in it."""

        def change(text: str) -> str:
            for old, new in names.items():
                text = text.replace(old, new)
            return text

        return replace(
            self,
            path=change(self.path),
            query=tuple((n, change(v)) for n, v in self.query),
            body=change(self.body.decode()).encode(),
            then=self.then and self.then.renamed(names),
        )


def _ids(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _query(service: str, request: str, parameters: dict[str, Any]) -> Query:
    given = {"SERVICE": service, "REQUEST": request, **parameters}
    return tuple((name.replace("__", ":"), str(value)) for name, value in given.items())


def ows(
    name: str,
    service: str,
    request: str,
    facts: str = "",
    near: str = "",
    works: Optional[str] = None,
    leaks: tuple[int, int] = ALWAYS,
    then: Optional[Request] = None,
    **parameters: Any,
) -> Request:
    """Return an OWS request by GET; ``__`` in a parameter's name stands for a colon."""
    return Request(
        name=f"{service} {request}: {name}",
        query=_query(service, request, parameters),
        facts=_ids(facts),
        leaks=leaks,
        near=_ids(near),
        works="" if near and works is None else works,
        then=then,
    )


def post(request: Request, body: str, content_type: str = "text/xml") -> Request:
    """Return the request with a body."""
    return replace(request, method="POST", body=body.encode(), content_type=content_type)


def api(
    path: str,
    facts: str = "",
    near: str = "",
    works: Optional[str] = None,
    leaks: tuple[int, int] = ALWAYS,
    method: str = "GET",
    body: Union[str, dict[str, Any], None] = None,
    label: str = "",
    **parameters: Any,
) -> Request:
    """Return an OGC API Features request."""
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    query = tuple((n.replace("__", "-"), str(v)) for n, v in parameters.items())
    shown = "&".join(f"{n}={v}" for n, v in query)
    return Request(
        name=f"OAPIF {method} {path}?{shown} {label or text}".strip(),
        query=query,
        facts=_ids(facts),
        leaks=leaks,
        near=_ids(near),
        works="" if near and works is None else works,
        method=method,
        path=f"/wfs3{path}",
        body=text.encode(),
        content_type="application/json",
    )


def get_map(name: str, **more: Any) -> Request:
    """Return a GetMap of the whole extent, 100 pixels wide."""
    given = {
        "VERSION": "1.3.0",
        "CRS": "EPSG:4326",
        "BBOX": FULL,
        "WIDTH": 100,
        "HEIGHT": 100,
        "FORMAT": "image/png",
        **more,
    }
    return ows(name, "WMS", "GetMap", **given)


def get_info(name: str, layers: str, **more: Any) -> Request:
    """Return a GetFeatureInfo about everything within the extent."""
    given = {
        "VERSION": "1.3.0",
        "CRS": "EPSG:4326",
        "BBOX": FULL,
        "WIDTH": 100,
        "HEIGHT": 100,
        "LAYERS": layers,
        "QUERY_LAYERS": layers,
        "INFO_FORMAT": "text/xml",
        "FEATURE_COUNT": 50,
        "FILTER_GEOM": EVERYWHERE,
        **more,
    }
    return ows(name, "WMS", "GetFeatureInfo", **given)


def get_print(name: str, **more: Any) -> Request:
    """Return a GetPrint at a low resolution."""
    given = {"CRS": "EPSG:4326", "FORMAT": "png", "DPI": 40, "map0__EXTENT": FULL, **more}
    return ows(name, "WMS", "GetPrint", **given)


def get_feature(name: str, **more: Any) -> Request:
    """Return a WFS GetFeature."""
    return ows(name, "WFS", "GetFeature", **{"VERSION": "1.1.0", **more})
