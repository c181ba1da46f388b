"""Entry of ``python3 -m access_filter_plugin``."""

from __future__ import annotations

import sys

from .command_line import main

sys.exit(main())
