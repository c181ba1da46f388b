"""``python3 -m access_filter_plugin``: check, explain, matrix, test, set and log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Optional, cast

#: Command → the module whose ``run(arguments) -> exit code`` does it, and one line of help.
COMMANDS = {
    "check": ("check", "find problems in the rules and settings of a project"),
    "explain": ("explain", "say who may do what with a layer, and why"),
    "matrix": ("matrix", "print role by layer by action"),
    "test": ("test", "run the assertions of access_tests"),
    "set": ("set_variables", "write rules and settings into a .qgs or .qgz"),
    "log": ("log_analysis", "analyse request logs"),
}

EXIT_ERROR = 2


NO_LXML = "this needs lxml (python3-lxml); only log works without it"


def usage() -> str:
    """Return the help of the command line."""
    lines = [f"  {name:8} {words}" for name, (_module, words) in COMMANDS.items()]
    return (
        "Usage: python3 -m access_filter_plugin COMMAND …\n\n"
        + "\n".join(lines)
        + "\n\nCOMMAND --help says more. check --syntax, set and log need no QGIS."
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command and return its exit code: 0, 1 for findings, 2 for errors."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage() + "\n")
        return 0 if words else EXIT_ERROR
    if words[0] not in COMMANDS:
        sys.stderr.write(f"{words[0]}: no such command\n\n{usage()}\n")
        return EXIT_ERROR
    try:
        module = import_module(f".{COMMANDS[words[0]][0]}", __package__)
    except ImportError as error:
        sys.stderr.write(f"{NO_LXML}: {error}\n")
        return EXIT_ERROR
    run = cast("Callable[[list[str]], int]", module.run)
    return run(words[1:])
