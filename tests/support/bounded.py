"""What must end: measured in processor time, with so much room that no busy machine fails it.

The bounds here tell work that grows without limit from work that does not. How fast something is,
benchmarks/ measures.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 60.0


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Fail when what is done inside takes more than so many seconds of this process's time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds
