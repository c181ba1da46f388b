"""``matrix``: role by layer by action, as a table, CSV, HTML or JSON."""

from __future__ import annotations

import argparse
import csv
import html
import io
import sys

from ..access_control.lint import sample_subjects
from ..access_control.project_access import ProjectAccess
from ..access_service.permissions import permissions_object
from ..strict_json import StrictJsonError
from .output import table, write_json, write_line
from .project_file import ProjectFileError
from .with_qgis import NO_QGIS, with_qgis

LETTERS = {"read": "r", "insert": "i", "update": "u", "delete": "d"}
LEGEND = "r read, r* some rows, i insert, u update, d delete, l labels only, - nothing"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin matrix",
        description=f"Print who may do what with each layer. {LEGEND}.",
    )
    parser.add_argument("project", help="a .qgs or .qgz file")
    parser.add_argument("--format", choices=("text", "csv", "html", "json"), default="text")
    return parser


def run(arguments: list[str]) -> int:
    """Print the matrix and return the exit code: 0, or 2 when the project cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        session = with_qgis(".qgis_session")
        rows = matrix_rows(session.rules_of(session.open_project(options.project)))
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ImportError as error:
        sys.stderr.write(f"{NO_QGIS}: {error}\n")
        return 2
    _print(options.format, rows)
    return 0


def matrix_rows(project: ProjectAccess) -> list[list[str]]:
    """Return a heading and one row per layer, with a cell for each kind of caller."""
    subjects = sample_subjects(project.bound.policy)
    cells = {who: _cells(project, who) for who in subjects}
    layers = project.bound.catalogue.layers
    rows = [["layer", *subjects]]
    for layer_id, layer in layers.items():
        rows.append([layer.name, *(cells[who].get(layer_id, "-") for who in subjects)])
    return rows


def _cells(project: ProjectAccess, who: str) -> dict[str, str]:
    subject = sample_subjects(project.bound.policy)[who]
    found = {
        layer["id"]: _letters(layer["actions"], filtered=layer["rows_filtered"])
        for layer in permissions_object(project, subject)["layers"]
    }
    access = project.access(subject, "WMS", "GetMap")
    for layer_id in project.bound.catalogue.layers:
        if layer_id not in found and access.decision(layer_id).lookup:
            found[layer_id] = "l"
    return found


def _letters(actions: list[str], *, filtered: bool) -> str:
    letters = "".join(LETTERS[action] for action in actions)
    return letters.replace("r", "r*", 1) if filtered and "r" in letters else letters


def _print(style: str, rows: list[list[str]]) -> None:
    if style == "json":
        heading = rows[0]
        write_json([dict(zip(heading, row)) for row in rows[1:]])
    elif style == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        sys.stdout.write(text.getvalue())
    elif style == "html":
        write_line(_html(rows))
    else:
        for line in table(rows):
            write_line(line)
        write_line()
        write_line(LEGEND)


def _html(rows: list[list[str]]) -> str:
    def line(row: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows[1:])
    return (
        f"<table>\n<caption>{html.escape(LEGEND)}</caption>\n"
        f"<thead>{line(rows[0], 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )
