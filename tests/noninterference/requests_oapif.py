"""OGC API Features: documents, collections, items, filters; and the landing page."""

from __future__ import annotations

from dataclasses import replace

from tests.noninterference.table import (
    ALWAYS,
    Request,
    api,
)

LAYERS = (
    *("pub", "pub two", "feat", "dated", "own", "edit", "nokey", "virt", "joined", "related"),
    *("looked", "stored", "attr", "attrdd", "forb", "labels", "CNAnamed", "nope", "poly"),
)
_FACTS = {
    "virt": "L6",
    "joined": "L7",
    "attr": "A10",
    "CNAnamed": "L13",
    "related": "A10",
    "feat": "F12",
}
_WORKS = {"pub": "ptwo", "feat": "ftwo", "dated": "tone", "edit": "e3", "nokey": "ntwo", "joined": "PONE",
          "attr": "aone", "attrdd": "atwo", "looked": "pone", "poly": "poly"}  # fmt: skip
BREAK_OUT = "x' OR '1'='1"

REQUESTS: list[Request] = [
    api("", label="landing page"),
    api(".json", works="links"),
    api("/conformance.json", works="conformsTo"),
    api("/api.json", facts="F12"),
    api("/api.openapi3", facts="F12"),
    *(
        api(f"{path}.html")
        for path in (
            "/api",
            "/collections/feat",
            "/collections/feat/items",
            "/collections/joined/items",
            "/collections/feat/items/1",
        )
    ),
    api("/collections.json", facts="F11"),
    api("/collections", facts="F11"),
    api("/collections.html"),
    api("/collections.json", near="L15 L8", works="feat", label="everyday"),
    api("/api.json", near="F12", works="paths", label="everyday"),
]
REQUESTS += [
    api(
        f"/collections/{layer}{end}",
        facts={"feat": "F11", "CNAnamed": "L13"}.get(layer, ""),
        works="extent" if layer in ("pub", "feat", "attr", "nokey") and end == ".json" else None,
    )
    for layer in LAYERS
    for end in ("", ".json")
]
REQUESTS += [
    api(
        f"/collections/{layer}/items{end}",
        facts=_FACTS.get(layer, ""),
        works=_WORKS.get(layer),
    )
    for layer in LAYERS
    for end in ("", ".json")
]
REQUESTS += [
    api(f"/collections/{layer}/items/{row}{end}")
    for layer in ("pub", "feat", "own", "attr", "forb", "nope", "joined", "virt", "related")
    for row in (1, 11, 3)
    for end in ("", ".json")
]
_ROWS_BY_TIME = {"datetime": "1900-01-01/2100-01-01"}
REQUESTS += [
    api("/collections/dated/items.json", facts="F4", **_ROWS_BY_TIME),
    api("/collections/dated/items.json", facts="F4", datetime="1900-01-01/.."),
    api("/collections/feat/items.json", **_ROWS_BY_TIME),
    api("/collections/pub/items.json", near="F4", works="pone", limit=3),
    api("/collections/feat/items.json", facts="F5 X4", name=BREAK_OUT),
    api("/collections/own/items.json", facts="F5", owner=BREAK_OUT),
    api("/collections/feat/items.json", name="x%27 OR %271%27=%271"),
    api("/collections/feat/items.json", name="x\\' OR 1=1 --"),
    api("/collections/feat/items.json", near="F5 X4", works="fone", name="fone"),
    api("/collections/feat/items.json", near="F5", works="fone", name="f*"),
    api(
        "/collections/pub/items.json",
        facts="X4 F14",
        name="x' OR get_feature('forb_layer_id','code',3) IS NOT NULL OR 'a'='b",
    ),
    api("/collections/pub/items.json", facts="X4", name="x' OR env('CN_ENV_SECRET') = 'CNAenv"),
    api("/collections/nokey/items/1.json", facts="F6"),
    api("/collections/nokey/items/1", facts="F6"),
    api("/collections/nokey/items.json", near="F6", works="none", limit=9),
    api("/collections/feat/items/1.json", near="F7", works="fone", label="everyday"),
    api("/collections/feat/items/2", works="ftwo"),
    api("/collections/feat/items.json", near="F7 F12", works="ftwo", limit=5),
    api("/collections/feat/items.json", works="fone", limit=1),
    api("/collections/feat/items.json", works="ftwo", limit=1, offset=1),
    api("/collections/feat/items.json", limit=1, offset=2),
    api("/collections/feat/items.json", limit=1, offset=3),
    api("/collections/feat/items.json", limit=1, offset=4),
    api("/collections/feat/items.json", facts="F12", offset=-1),
    api("/static/collections/feat/items.json", facts="F12"),
    api("/static/collections/dated/items.json", facts="F4", **_ROWS_BY_TIME),
    api("/static/collections/feat/items.json", facts="F5 X4", name=BREAK_OUT),
    api("/static/collections/nokey/items/1.json", facts="F6"),
    api("/static/jsonFormatter/api.openapi3"),
    api("/collections/feat/items.json", works="fone", bbox="1,1,3,3"),
    api("/collections/feat/items.json", bbox="8,8,10,10"),
    api("/collections/feat/items.json", works="ftwo", sortby="num", sortdesc="true"),
    api("/collections/attr/items.json", near="A10 A14", works="aone", sortby="num"),
    api("/collections/attr/items.json", sortby="secret"),
    api("/collections/attr/items.json", secret="CNAone"),
    api("/collections/attr/items.json", secret="5"),
    api("/collections/attr/items.json", derived="cnaone"),
    api("/collections/attr/items.json", properties="name,secret"),
    api("/collections/attr/items.json", works="aone", properties="name"),
    api("/collections/joined/items.json", j_label="CNAlabel1"),
    api("/collections/joined/items.json", near="L7", works="pone", name="pone"),
    api(
        "/collections/feat/items.json",
        crs="http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        works="fone",
    ),
    api("/collections/feat/items.json", resultType="hits"),
]
REQUESTS += [
    api(f"{path}", label="another path")
    for path in (
        "/collections/feat/queryables",
        "/collections/feat/schema",
        "/collections/feat/items/1/../11",
        "/collections/forb/items/../../feat/items",
        "//collections/forb/items",
        "/collections//forb/items",
        "/collections/%66orb/items",
        "/COLLECTIONS/forb/items",
        "/collections/forb_layer_id/items",
        "/collections/feat,forb/items",
    )
]


def _landing(path: str, facts: str = "", leaks: tuple[int, int] = ALWAYS) -> Request:
    found = api("", facts=facts, leaks=leaks)
    return replace(found, name=f"landing page {path}", path=path, landing=True)


LANDING: list[Request] = [
    _landing("/index.json", "L1"),
    _landing("/map/HASH", "L1"),
    _landing("/project/HASH/?SERVICE=WMS&REQUEST=GetCapabilities"),
    *(_landing(path) for path in ("/", "/index.html", "/map/0", "/static/x.js", "/catalog")),
    *(
        _landing(path)
        for path in ("/wfs3/../index.json", "/project/0/", "/INDEX.JSON", "/map/HASH.json")
    ),
]
REQUESTS += LANDING
REQUESTS += [
    api("/static/style.css", label="file"),
    api("/conformance", near="L1", works="conformsTo"),
]
