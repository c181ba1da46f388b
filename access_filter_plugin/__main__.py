"""Entry of ``python3 -m access_filter_plugin``."""

from __future__ import annotations

import sys

from .command_line.program import main_program

sys.exit(main_program())
