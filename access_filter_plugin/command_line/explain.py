"""``explain``: who may do what with a layer, rule by rule."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

from ..access_service.explain import (
    ExplainError,
    explanation_object,
    pretended_subject,
    request_of_url,
    typical_request,
)
from ..strict_json import StrictJsonError
from .check import NO_QGIS
from .output import GREEN, RED, paint, write_json, write_line
from .project_file import ProjectFileError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m access_filter_plugin explain",
        description="Say what would be decided for a caller, and which rules made it so.",
    )
    parser.add_argument("project")
    parser.add_argument("--user", default="", help="absent: anonymous")
    parser.add_argument("--role", action="append", default=[], help="may be repeated")
    parser.add_argument("--address", default="", help="the client's IP address")
    parser.add_argument("--layer", default="", help="absent: every layer")
    parser.add_argument("--service", default="WMS")
    parser.add_argument("--request", default="")
    parser.add_argument("--url", default="", help="an OWS URL instead of --service and --request")
    parser.add_argument("--json", action="store_true")
    return parser


def run(arguments: list[str]) -> int:
    """Explain and return the exit code: 0, or 2 when the question cannot be answered."""
    options = _parser().parse_args(arguments)
    try:
        body = _body(options)
    except (ProjectFileError, StrictJsonError, ExplainError) as error:
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


def _body(options: argparse.Namespace) -> dict[str, Any]:
    session = import_module(".qgis_session", __package__)
    opened = session.open_project(options.project)
    if opened.access.denied_status:
        problems = "\n".join(str(problem) for problem in opened.access.problems)
        raise ProjectFileError(f"{options.project}: denied to everybody\n{problems}".strip())
    if opened.access.access is None:
        raise ProjectFileError(f"{options.project}: has no access rules; it is open to everybody")
    subject = pretended_subject(
        options.user,
        ",".join(options.role),
        options.address,
        lower_case=opened.settings.lower_case_users,
    )
    if not options.url:
        request = typical_request(options.service, options.request)
        return explanation_object(opened.access.access, subject, request, options.layer)
    request = request_of_url(options.url)
    walls = import_module("..access_service.qgis_walls", __package__)
    return {
        **explanation_object(opened.access.access, subject, request, options.layer),
        **walls.walls_object(
            opened.access.access, subject, request, options.layer, opened.state, opened.settings
        ),
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
