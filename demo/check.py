"""Asks the running demo as three users: check.py BASE_URL WORK_FOLDER. Ends with 0 or 1."""

from __future__ import annotations

import re
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo_client import Answer, DemoClient

NOBODY, BOB, ANNA = "", "bob", "anna"
USERS = (NOBODY, BOB, ANNA)
WMS = {"SERVICE": "WMS", "VERSION": "1.3.0"}
WFS = {"SERVICE": "WFS", "VERSION": "1.1.0"}
# Without Antarctica, and too small for labels, whose places depend on the order of the rows.
WORLD = {"CRS": "EPSG:4326", "BBOX": "-55,-180,80,180", "WIDTH": "400", "HEIGHT": "150"}
GERMANY = {
    "CRS": "EPSG:4326",
    "BBOX": "50,9,52,11",
    "WIDTH": "9",
    "HEIGHT": "9",
    "I": "4",
    "J": "4",
}
NOTE = """<Transaction xmlns="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml"
  xmlns:qgs="http://www.qgis.org/gml" service="WFS" version="1.0.0"><Insert><qgs:notes>
  <qgs:title>Test</qgs:title><qgs:author>{author}</qgs:author><qgs:published>0</qgs:published>
  <qgs:geometry><gml:Point srsName="EPSG:4326"><gml:coordinates>5,50</gml:coordinates></gml:Point>
  </qgs:geometry></qgs:notes></Insert></Transaction>"""
LAYERS = {
    NOBODY: {"countries", "daylight", "notes"},
    BOB: {"countries", "daylight", "notes", "provinces", "regions"},
    ANNA: {"countries", "daylight", "notes", "provinces", "regions", "disputed_borders"},
}


@dataclass
class Report:
    """What passed and what failed, one printed line each."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def equal(self, what: str, found: object, expected: object) -> None:
        """One check; both values are shown when they differ."""
        if found == expected:
            self.passed += 1
            print(f"ok    {what}")
        else:
            self.failures.append(what)
            print(f"FAIL  {what}\n      expected {expected!r:.300}\n      found    {found!r:.300}")


def name(user: str) -> str:
    """How a line of the report calls the user."""
    return user or "anybody"


def count_rows(folder: Path, table: str, condition: str = "1") -> int:
    """Rows in the data itself, without any server."""
    data = folder / "project" / "world.gpkg"
    with sqlite3.connect(f"{data.as_uri()}?mode=ro", uri=True) as connection:
        return int(
            connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
        )


def features(answer: Answer) -> list[dict[str, Any]]:
    """The features of a GeoJSON answer; none if it is something else."""
    found: list[dict[str, Any]] = answer.json().get("features", [])
    return found


def check_health(demo: DemoClient, report: Report) -> None:
    """The plugin is there and open; without it nothing below means anything."""
    answer = demo.ask(NOBODY, SERVICE="ACCESS", REQUEST="Health")
    # The body too: QGIS Server without the plugin answers 200 and speaks of an unknown service.
    found = (answer.status, answer.json().get("plugin"), answer.json().get("status"))
    report.equal("Health answers 200 and ok", found, (200, "access_filter", "ok"))
    stranger = demo.ask("mallory", **WMS, REQUEST="GetCapabilities").status
    report.equal("an unknown user is turned away", stranger, 401)


def check_capabilities(demo: DemoClient, report: Report) -> None:
    """Who sees which layers."""
    for user in USERS:
        text = demo.ask(user, **WMS, REQUEST="GetCapabilities").body.decode()
        found = set(re.findall("<Name>([^<]+)", text)) & LAYERS[ANNA]
        report.equal(f"WMS capabilities list the layers of {name(user)}", found, LAYERS[user])


def check_rows(demo: DemoClient, report: Report, folder: Path) -> None:
    """Who gets how many rows."""
    europe = count_rows(folder, "provinces", "region = 150")
    everything = count_rows(folder, "provinces")
    query = {**WFS, "REQUEST": "GetFeature", "TYPENAME": "provinces", "RESULTTYPE": "hits"}
    for user, expected in ((NOBODY, None), (BOB, europe), (ANNA, everything)):
        found = re.search(r'numberOfFeatures="(\d+)"', demo.ask(user, **query).body.decode())
        rows = int(found.group(1)) if found else None
        report.equal(f"WFS gives {name(user)} {expected or 'no'} provinces", rows, expected)
    query = {
        **WFS,
        "REQUEST": "GetFeature",
        "TYPENAME": "disputed_borders",
        "OUTPUTFORMAT": "GeoJSON",
    }
    for user, expected in ((NOBODY, 0), (BOB, 0), (ANNA, count_rows(folder, "disputed_borders"))):
        rows = len(features(demo.ask(user, **query)))
        report.equal(f"WFS gives {name(user)} {expected} disputed borders", rows, expected)


def check_attributes(demo: DemoClient, report: Report) -> None:
    """Who gets which attributes; Antarctica is for editors."""
    query = {**WFS, "REQUEST": "GetFeature", "TYPENAME": "countries", "OUTPUTFORMAT": "GeoJSON"}
    query["EXP_FILTER"] = "\"iso_a2\" IN ('AQ', 'DE')"
    for user, names in (
        (NOBODY, ["Germany"]),
        (BOB, ["Germany"]),
        (ANNA, ["Antarctica", "Germany"]),
    ):
        found = [feature["properties"] for feature in features(demo.ask(user, **query))]
        report.equal(
            f"WFS gives {name(user)} {' and '.join(names)}",
            sorted(row["NAME"] for row in found),
            names,
        )
        with_area = bool(found) and "area_km2" in found[0]
        report.equal(
            f"the area is {'shown to' if user else 'hidden from'} {name(user)}",
            with_area,
            user != "",
        )


def check_feature_info(demo: DemoClient, report: Report, folder: Path) -> None:
    """GetFeatureInfo tells labels and related rows, and only what the user may see."""
    for user in USERS:
        entries = feature_info(demo, user, "countries").get("fields", [])
        fields = {entry["name"]: (entry["alias"], entry["label"]) for entry in entries}
        found = (fields.get("region"), fields.get("status"), "area_km2" in fields)
        expected = (("Region", "Europe"), ("Status", "country"), user != NOBODY)
        report.equal(f"GetFeatureInfo labels what {name(user)} may see", found, expected)
    states = count_rows(folder, "provinces", "iso_a2 = 'DE'")
    for user, expected in ((NOBODY, None), (BOB, states), (ANNA, states)):
        related = feature_info(demo, user, "countries").get("related", {}).get("provinces", {})
        report.equal(
            f"... and counts {expected or 'no'} provinces of Germany for {name(user)}",
            related.get("count"),
            expected,
        )
    (pixel,) = feature_info(demo, NOBODY, "daylight").get("fields") or [{}]
    found = (type(pixel.get("value")), pixel.get("label"))
    report.equal("... and the raster's number and class", found, (float, "over 14 hours"))


def feature_info(demo: DemoClient, user: str, layer: str) -> dict[str, Any]:
    """The member info of the one feature in the middle of Germany."""
    query = {**WMS, **GERMANY, "REQUEST": "GetFeatureInfo", "INFO_FORMAT": "application/json"}
    found = features(demo.ask(user, **query, LAYERS=layer, QUERY_LAYERS=layer))
    return found[0].get("info", {}) if found else {}


def check_maps(demo: DemoClient, report: Report) -> None:
    """One style changes with the role; one uses a hidden attribute and is closed to the public."""
    query = {**WMS, **WORLD, "REQUEST": "GetMap", "LAYERS": "countries", "FORMAT": "image/png"}
    by_role = {demo.ask(user, **query, STYLES="by_role").body for user in USERS}
    report.equal("three users see three different maps in the style by_role", len(by_role), 3)
    report.equal("all of them are pictures", all(body[:4] == b"\x89PNG" for body in by_role), True)
    # Not anna: no row is filtered for her, and rows drawn in another order differ at their edges.
    plain = {demo.ask(user, **query, STYLES="plain").body for user in (NOBODY, BOB)}
    report.equal("the style plain shows anybody and bob the same map", len(plain), 1)
    for user in USERS:
        drawn = demo.ask(user, **query, STYLES="by_area").body[:4] == b"\x89PNG"
        report.equal(
            f"the style by_area is {'open' if user else 'closed'} to {name(user)}",
            drawn,
            user != "",
        )


def check_edits(demo: DemoClient, report: Report, folder: Path) -> None:
    """Everybody with a login writes notes, in no other name than his own."""
    query = {"SERVICE": "WFS", "VERSION": "1.0.0", "REQUEST": "Transaction"}
    for user, author, written in ((NOBODY, "", 0), (BOB, ANNA, 0), (BOB, BOB, 1), (ANNA, ANNA, 1)):
        before = count_rows(folder, "notes")
        demo.ask(user, NOTE.format(author=author), **query)
        report.equal(
            f"{name(user)} {'may' if written else 'may not'} write a note by {name(author)}",
            count_rows(folder, "notes") - before,
            written,
        )


def check_log(demo: DemoClient, report: Report, folder: Path) -> None:
    """One line for each request that nginx handed on, with user and decision."""
    lines = demo.log_lines(folder / "log" / "requests.jsonl")
    per_request = {len(lines.get(asked.request_id, [])) for asked in demo.asked}
    report.equal(f"one log line for each of {len(demo.asked)} requests", per_request, {1})
    found = [line for entries in lines.values() for line in entries]
    undecided = [
        line
        for line in found
        if line.get("service") != "ACCESS"
        and line.get("decision", {}).get("effect") not in ("allow", "deny")
    ]
    report.equal("every line about the project has a decision", undecided, [])
    users = {asked.user or None: None for asked in demo.asked}
    report.equal(
        "the lines name the users", {line.get("user") or None for line in found}, set(users)
    )


def main(arguments: list[str]) -> int:
    """All checks, and the closing line."""
    demo, folder, report = DemoClient(arguments[0]), Path(arguments[1]), Report()
    check_health(demo, report)
    check_capabilities(demo, report)
    check_rows(demo, report, folder)
    check_attributes(demo, report)
    check_feature_info(demo, report, folder)
    check_maps(demo, report)
    check_edits(demo, report, folder)
    check_log(demo, report, folder)
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
