"""``explain``: who may do what with a layer, rule by rule."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..access_service.explain import (
    ExplainError,
    explanation_object,
    pretended_subject,
    request_of_url,
    typical_request,
)
from ..strict_json import StrictJsonError
from .output import GREEN, RED, paint, write_json, write_line
from .project_file import ProjectFileError
from .with_qgis import NO_QGIS, with_qgis


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin explain",
        description="Say what would be decided for a caller, and which rules made it so.",
    )
    parser.add_argument("project", help="a .qgs or .qgz file")
    parser.add_argument("--user", default="", help="absent: anonymous")
    parser.add_argument("--role", action="append", default=[], help="may be repeated")
    parser.add_argument("--address", default="", help="the client's IP address")
    parser.add_argument("--layer", default="", help="absent: every layer")
    parser.add_argument("--service", default="WMS", help="WMS, WFS, WCS, WMTS or OAPIF")
    parser.add_argument("--request", default="", help="absent: the typical one of the service")
    parser.add_argument("--url", default="", help="an OWS URL instead of --service and --request")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(arguments: list[str]) -> int:
    """Explain and return the exit code: 0, or 2 when the question cannot be answered."""
    options = _parser().parse_args(arguments)
    try:
        body = _body(options)
    except ExplainError as error:
        sys.stderr.write(f"{_as_option(str(error))}\n")
        return 2
    except (ProjectFileError, StrictJsonError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ImportError as error:
        sys.stderr.write(f"{NO_QGIS}: {error}\n")
        return 2
    if options.json:
        write_json(body)
    else:
        _print(body)
    return 0


#: The service's parameters → the options that say the same here.
_OPTIONS = {
    "USER": "--user",
    "ROLES": "--role",
    "ADDRESS": "--address",
    "LAYER": "--layer",
    "FOR_SERVICE": "--service",
    "FOR_REQUEST": "--request",
    "URL": "--url",
}


def _as_option(sentence: str) -> str:
    """Return an error of ``SERVICE=ACCESS`` in the words of the command line."""
    name, colon, rest = sentence.partition(":")
    return f"{_OPTIONS.get(name, name)}{colon}{rest}"


def _body(options: argparse.Namespace) -> dict[str, Any]:
    session = with_qgis(".qgis_session")
    opened = session.open_project(options.project)
    rules = session.rules_of(opened)
    subject = pretended_subject(
        options.user,
        ",".join(options.role),
        options.address,
        lower_case=opened.settings.lower_case_users,
    )
    if not options.url:
        request = typical_request(options.service, options.request)
        return explanation_object(rules, subject, request, options.layer)
    request = request_of_url(options.url)
    walls = with_qgis("..access_service.qgis_walls")
    return {
        **explanation_object(rules, subject, request, options.layer),
        **walls.walls_object(rules, subject, request, options.layer, opened.state, opened.settings),
    }


def _print(body: dict[str, Any]) -> None:
    who = body["subject"]["user"] or "anonymous"
    write_line(
        f"{who} ({', '.join(body['subject']['roles'])}), {body['service']} {body['request']}"
    )
    for layer in body["layers"]:
        _print_layer(layer)
    write_line(f"\nprint layouts: {', '.join(body['templates']) or 'none'}")
    if "admission" in body:
        _print_walls(body)


def _print_walls(body: dict[str, Any]) -> None:
    admission = body["admission"]
    if not admission["admitted"]:
        write_line(paint(f"\nadmission: refused with {admission['status']}", RED))
        write_line(f"  {admission['refused']}")
        return
    write_line(paint("\nadmission: let in", GREEN))
    for name, value in sorted(admission["changes"].items()):
        write_line(f"  {name} = {value}" if value else f"  without {name}")
    for name in admission["asked_as_unknown"]:
        write_line(f"  {name} is asked for under a name that does not exist")
    for told in body["enforcement"]:
        word = "readable" if told["read"] else "closed"
        shown = "all" if told["attributes"] is None else ", ".join(told["attributes"]) or "none"
        rows = told["filter"] or "all"
        write_line(f"enforcement: {told['name']}: {word}; rows: {rows}; attributes: {shown}")
    write_line(f"redaction: {body['redaction'] or 'nothing'}")


def _print_layer(layer: dict[str, Any]) -> None:
    decision = layer["decision"]
    word = paint("readable", GREEN) if decision["read"] else paint("closed", RED)
    write_line(f"\n{layer['name']}: {word}")
    if decision["reason"]:
        write_line(f"  because {decision['reason']}")
    if decision["read"]:
        write_line(f"  rows: {decision['rows'] or 'all'}")
        write_line(f"  attributes: {', '.join(decision['attributes']) or 'none'}")
    if decision["hidden"]:
        write_line(f"  hidden: {', '.join(decision['hidden'])}")
    edits = [name for name in ("insert", "update", "delete") if decision[name]["allowed"]]
    write_line(f"  edits: {', '.join(edits) or 'none'}")
    for rule in layer["rules"]:
        mark = "+" if rule["matched"] else "-"
        write_line(f"  {mark} {rule['id']}: {rule['why']}")
