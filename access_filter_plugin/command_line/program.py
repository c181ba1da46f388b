"""The command line as a program of its own: its streams, and readers that hang up."""

from __future__ import annotations

import io
import os
import sys

from . import EXIT_ERROR, main


def main_program() -> int:
    """Run the command of ``sys.argv`` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names in a project may not fit the terminal's encoding; that is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_ERROR
    return code
