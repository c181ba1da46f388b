"""Server processes that are told what to run, and the projects they serve."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from compileall import compile_dir
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")))
_BUILDERS = ("projects.py", "policies.py", "make.py")


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process of QGIS, without settings of ours from outside."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("ACCESS_FILTER", "QGIS_SERVER"))
    }
    return {**kept, "QT_QPA_PLATFORM": "offscreen", "QGIS_SERVER_LOG_LEVEL": "2", **more}


def projects(size: int, names: Sequence[str]) -> dict[str, Path]:
    """Return the projects of a size, built when they or what builds them is new."""
    text = b"".join((HERE / name).read_bytes() for name in _BUILDERS)
    folder = CACHE / "access_filter_plugin" / "bench" / sha256(text).hexdigest()[:8] / str(size)
    missing = [name for name in names if not (folder / f"{name}.qgs").exists()]
    if missing:
        print(f"Building {', '.join(missing)} with {size} layers in {folder}", file=sys.stderr)
        command = [sys.executable, str(HERE / "make.py"), str(folder), str(size), *missing]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the projects could not be built:\n{done.stderr[-3000:]}")
    return {name: folder / f"{name}.qgs" for name in names}


class Worker:
    """A server process."""

    def __init__(self, mode: str, log: Path, plugins: Path = HERE.parent) -> None:
        settings = {
            "ACCESS_FILTER_LOG": str(log) if mode == "log" else "off",
            "BENCH_PLUGINS": str(plugins),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.mode = mode
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(**settings),
        )
        self.load_ms: float = self.answer()["load_ms"]

    def answer(self) -> dict[str, Any]:
        """Return what the command told last has found."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"the {self.mode} server ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.mode}: {answer['error']}")
        return answer

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Run a command and return what it found."""
        self.tell(command)
        return self.answer()

    def tell(self, command: dict[str, Any]) -> None:
        """Let the server begin with a command."""
        if self._process.stdin is None:
            raise RuntimeError("a server process has no input")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def installed(folder: Path, *, compiled: bool) -> Path:
    """Return a folder with a copy of the plugin, compiled as docs/deployment.md has it, or not."""
    plugins = folder / ("compiled" if compiled else "source")
    if not plugins.exists():
        copy = plugins / "access_filter_plugin"
        pruned = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE.parent / copy.name, copy, ignore=pruned)
        if compiled and not compile_dir(copy, quiet=1):
            raise RuntimeError("the plugin cannot be compiled")
    return plugins


@contextmanager
def workers(
    modes: Sequence[str], folder: Path, plugins: Path = HERE.parent
) -> Iterator[dict[str, Worker]]:
    """Start a process for each mode, and end them all."""
    started: dict[str, Worker] = {}
    try:
        for mode in modes:
            started[mode] = Worker(mode, folder / f"{mode}.log", plugins)
        yield started
    finally:
        for worker in started.values():
            worker.stop()
