"""Processor time: of this process, and of the database backends that work for it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

ESTABLISHED = "01"
CPU_OF_PROCESS = 2
"""The clock of a process's processor time, in the lowest three bits of its clock id (Linux)."""


def core() -> int:
    """Return the core on which everything that is compared runs."""
    return max(os.sched_getaffinity(0))


def stay(pid: int = 0) -> None:
    """Keep a process with all its threads, and those that it starts from now on, on that core."""
    for thread in os.listdir(f"/proc/{pid or 'self'}/task"):
        os.sched_setaffinity(int(thread), {core()})


def used_ns(backends: Sequence[int] = ()) -> int:
    """Return the processor time of this process and of some backends until now."""
    return time.process_time_ns() + sum(map(time.clock_gettime_ns, backends))


def backends_of(port: int) -> list[int]:
    """Return the clocks of the PostgreSQL backends that serve this process on a port."""
    ours = [f"({number})" for number in _ports_to(port)]
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended
        if title.startswith("postgres: ") and any(text in title for text in ours):
            found.append((~int(path.parent.name) << 3) | CPU_OF_PROCESS)
    return found


def _ports_to(port: int) -> list[int]:
    """Return the ports from which this process is connected to one on this machine."""
    inodes = {os.stat(f"/proc/self/fd/{name}").st_ino for name in _descriptors()}
    lines = Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return [
        int(local.rpartition(":")[2], 16)
        for _, local, remote, state, *_, inode in (line[:10] for line in fields)
        if state == ESTABLISHED
        and int(remote.rpartition(":")[2], 16) == port
        and int(inode) in inodes
    ]


def _descriptors() -> list[str]:
    return [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
