"""Edits by WFS-T and OGC API Features: refused ones must leave the data as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tests.noninterference.table import Request, api, ows, post
from tests.support.wfs import NAMESPACES, by_id, delete, equals, insert, point, update


@dataclass(frozen=True)
class Edit:
    """A request that writes, and the table in which a permitted one shows."""

    request: Request
    permitted: bool = False
    writes_unguarded: bool = True
    """Without the plugin it would change the data."""


def _transaction(
    name: str, *actions: str, version: str = "1.1.0", facts: str = "", near: str = ""
) -> Request:
    body = (
        f'<wfs:Transaction service="WFS" version="{version}" {NAMESPACES}>'
        f"{''.join(actions)}</wfs:Transaction>"
    )
    empty = ows(f"{name} {version}", "WFS", "Transaction", facts=facts, near=near, VERSION=version)
    return post(replace(empty, query=(("SERVICE", "WFS"),)), body)


def _feature(xy: tuple[float, float] = (1.0, 1.0), **values: Any) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": list(xy)}
    return {"type": "Feature", "properties": values, "geometry": geometry}


_ALL = by_id()
_NEW = point(1, 1)
#: name → (actions, facts)
_REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "hidden column": ((update("edit", by_id("edit.1"), secret="x"),), "A15"),
    "hidden column of a new row": ((insert("edit", _NEW, name="x", vis=1, secret="x"),), "A15"),
    "column that is read-only": ((update("edit", by_id("edit.1"), vis=2),), ""),
    "out of the rule": ((update("edit", by_id("edit.1"), vis=0),), ""),
    "new row outside the rule": ((insert("edit", _NEW, name="x", vis=0),), ""),
    "hidden row": ((update("edit", by_id("edit.21"), name="x"),), "F1"),
    "hidden row deleted": ((delete("edit", by_id("edit.21")),), "F1"),
    "by a hidden column": ((update("edit", equals("secret", "CNAsec1"), name="x"),), "A1"),
    "deleted by a hidden column": ((delete("edit", equals("secret", "CNAsec1")),), ""),
    "rows without key": ((update("nokey", by_id("nokey.0"), name="x"),), "F6"),
    "hidden row without key": ((update("nokey", by_id("nokey.1"), name="x"),), "F6"),
    "deleted without key": ((delete("nokey", by_id("nokey.0")),), "F6"),
    "hidden layer": ((update("forb", by_id("forb.1"), label="x"),), "L13"),
    "new row of a hidden layer": ((insert("forb", _NEW, label="x"),), "L13"),
    "layer without a rule for it": ((insert("pub", _NEW, name="x"),), ""),
    "deleted without a rule for it": ((delete("pub", by_id("pub.1")),), ""),
    "one refused of two": (
        (update("edit", by_id("edit.1"), name="x"), delete("pub", by_id("pub.1"))),
        "",
    ),
    "planted template": ((update("edit", by_id("edit.1"), name="[% env('HOME') %]"),), "A12 X5"),
    "new template": ((insert("edit", _NEW, name="[%@CNsecret%]", vis=1),), "A12 X5"),
    "joined column": ((update("joined", by_id("joined.1"), j_label="x"),), ""),
}
#: Of these QGIS itself writes nothing.
_NOTHING_WRITTEN = ("joined column", "deleted by a hidden column")
_ITEM = "/collections/{}/items/{}"
_API_REFUSED: list[tuple[str, Request]] = [
    ("hidden column", api(_ITEM.format("edit", 1), "A15", method="PATCH", body={"modify": {"secret": "x"}})),
    ("read-only", api(_ITEM.format("edit", 1), method="PATCH", body={"modify": {"vis": 0}})),
    ("hidden row", api(_ITEM.format("edit", 21), "F1", method="PATCH", body={"modify": {"name": "x"}})),
    ("hidden row replaced", api(_ITEM.format("edit", 21), "F1 A14", method="PUT", body=_feature(name="x"))),
    ("hidden row deleted", api(_ITEM.format("edit", 21), "F1", method="DELETE")),
    ("replaced with a hidden column", api(
        _ITEM.format("edit", 1), "A14 A15", method="PUT", body=_feature(name="x", vis=1, secret="x"))),
    ("new with a hidden column", api(
        "/collections/edit/items", "A15", method="POST", body=_feature(name="x", vis=1, secret="x"))),
    ("new outside the rule", api("/collections/edit/items", method="POST", body=_feature(name="x", vis=0))),
    ("planted template", api(
        _ITEM.format("edit", 1), "A12 X5", method="PATCH", body={"modify": {"name": "[% env('X') %]"}})),
    ("without key", api(_ITEM.format("nokey", 0), "F6", method="DELETE")),
    ("hidden row without key", api(_ITEM.format("nokey", 1), "F6", method="DELETE")),
    ("layer without a rule for it", api("/collections/pub/items", method="POST", body=_feature(name="x"))),
    ("deleted without a rule for it", api(_ITEM.format("pub", 1), method="DELETE")),
    ("hidden layer", api("/collections/forb/items", "L13", method="POST", body=_feature(label="x"))),
    ("row of a hidden layer", api(_ITEM.format("forb", 1), "L13", method="DELETE")),
]  # fmt: skip
REFUSED: list[Edit] = [
    Edit(
        _transaction(f"refused: {name}", *actions, version=version, facts=facts),
        writes_unguarded=name not in _NOTHING_WRITTEN,
    )
    for name, (actions, facts) in _REFUSED.items()
    for version in ("1.0.0", "1.1.0")
]
REFUSED += [
    Edit(replace(request, name=f"{request.name} refused: {name}")) for name, request in _API_REFUSED
]
PERMITTED: list[Edit] = [
    Edit(
        _transaction(f"permitted: {name}", *actions, version=version, near=near),
        permitted=True,
    )
    for name, actions, near in (
        ("changed", (update("edit", by_id("edit.1"), name="new"),), "A15 X5"),
        ("changed by a visible column", (update("edit", equals("name", "e2"), name="new"),), "A1"),
        ("deleted", (delete("edit", by_id("edit.3")),), "F1"),
        ("inserted", (insert("edit", _NEW, name="new", vis=1),), "A15 A12"),
        (
            "both",
            (update("edit", by_id("edit.4"), name="new"), delete("edit", by_id("edit.5"))),
            "",
        ),
    )
    for version in ("1.0.0", "1.1.0")
]
PERMITTED += [
    Edit(replace(request, name=f"{request.name} permitted"), permitted=True)
    for request in (
        api(_ITEM.format("edit", 1), near="A15", method="PATCH", body={"modify": {"name": "new"}}),
        api(_ITEM.format("edit", 2), near="A14", method="DELETE"),
        api("/collections/edit/items", near="A15", method="POST", body=_feature(name="new", vis=1)),
    )
]
