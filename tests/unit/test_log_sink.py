"""Where lines go: whole lines, through rotation and failure, and never a request broken."""

from __future__ import annotations

import itertools
import json
import os
import resource
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from access_filter_plugin.request_log.client_connection import ClientConnection
from access_filter_plugin.request_log.descriptor import (
    MAX_FILE_LINE,
    MAX_PIPE_LINE,
    Descriptor,
    FailureReporter,
)
from access_filter_plugin.request_log.shorten import shorten
from access_filter_plugin.request_log.sink import (
    LOOK_EVERY_SECONDS,
    FileSink,
    NoSink,
    StderrSink,
    make_sink,
)
from access_filter_plugin.request_log.syslog_sink import SyslogSink


@pytest.fixture
def told() -> list[str]:
    """What the sink reported."""
    return []


def line_of(size: int, **more: object) -> bytes:
    entry = {"status": 200, "user": "alice", "decision": {"effect": "allow"}, **more, "path": ""}
    entry["path"] = "x" * (size - len(json.dumps(entry)) - 1)
    return json.dumps(entry).encode() + b"\n"


def eager_sink(path: Path, told: list[str]) -> FileSink:
    """A file's sink for which a second passes between any two looks at the clock."""
    clock = itertools.count()
    return FileSink(str(path), FailureReporter(str(path), told.append), lambda: next(clock))


def test_lines_are_appended_to_a_file(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.log"
    path.write_bytes(b"before\n")
    sink = make_sink(str(path), told.append)
    sink.write(b"one\n", "info")
    sink.write(b"two\n", "info")
    assert (path.read_bytes(), told) == (b"before\none\ntwo\n", [])


def test_a_new_log_is_not_readable_by_everybody(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.log"
    make_sink(str(path), told.append).write(b"one\n", "info")
    assert path.stat().st_mode & 0o137 == 0


def test_a_file_renamed_by_logrotate_is_opened_again(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.log"
    sink = eager_sink(path, told)
    sink.write(b"one\n", "info")
    path.rename(tmp_path / "requests.log.1")
    sink.write(b"two\n", "info")
    path.unlink()
    sink.write(b"three\n", "info")
    assert (tmp_path / "requests.log.1").read_bytes() == b"one\n"
    assert (path.read_bytes(), told) == (b"three\n", [])


def test_a_busy_worker_notices_a_renamed_file_after_a_moment(
    tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "requests.log"
    now = 0.0
    sink = FileSink(str(path), FailureReporter(str(path), told.append), lambda: now)
    sink.write(b"one\n", "info")
    path.rename(tmp_path / "requests.log.1")
    sink.write(b"two\n", "info")
    now = LOOK_EVERY_SECONDS
    sink.write(b"three\n", "info")
    assert (tmp_path / "requests.log.1").read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"three\n"


def test_a_file_emptied_by_copytruncate_goes_on_at_its_start(
    tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "requests.log"
    sink = make_sink(str(path), told.append)
    sink.write(b"one\n", "info")
    shutil.copy(path, tmp_path / "requests.log.1")
    os.truncate(path, 0)
    sink.write(b"two\n", "info")
    assert path.read_bytes() == b"two\n"


def test_rotation_leaves_no_descriptor_behind(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.log"
    sink = eager_sink(path, told)
    sink.write(b"one\n", "info")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        path.rename(tmp_path / f"requests.log.{number}")
        sink.write(b"more\n", "info")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_sink_that_fails_is_told_once_and_raises_nothing(tmp_path: Path, told: list[str]) -> None:
    sink = make_sink(str(tmp_path / "missing" / "requests.log"), told.append)
    for _ in range(5):
        sink.write(b"one\n", "info")
    assert len(told) == 1
    assert "No such file or directory" in told[0]
    (tmp_path / "missing").mkdir()
    sink.write(b"two\n", "info")
    assert (tmp_path / "missing" / "requests.log").read_bytes() == b"two\n"


def test_a_folder_is_no_log(tmp_path: Path, told: list[str]) -> None:
    make_sink(str(tmp_path), told.append).write(b"one\n", "info")
    assert "Is a directory" in told[0]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_after_a_line_that_was_cut_off_the_next_one_begins_anew(
    tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "requests.log"
    sink = make_sink(str(path), told.append)
    with largest_file(6):
        sink.write(b"one\n", "info")
        sink.write(b"two\n", "info")
    sink.write(b"three\n", "info")
    assert path.read_bytes() == b"one\ntw\nthree\n"
    assert len(told) == 1


def test_a_file_that_is_looked_at_again_remembers_the_line_that_was_cut_off(
    tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "requests.log"
    sink = eager_sink(path, told)
    with largest_file(6):
        sink.write(b"one\n", "info")
        sink.write(b"two\n", "info")
    sink.write(b"three\n", "info")
    assert path.read_bytes() == b"one\ntw\nthree\n"


def test_a_named_pipe_gets_short_lines(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    long = json.dumps({"path": "x" * 5000, "status": 200}).encode() + b"\n"
    make_sink(str(path), told.append).write(long, "info")
    assert json.loads(os.read(reader, 65536)) == {"shortened": ["path"], "status": 200}
    os.close(reader)


def test_a_full_device_is_told_once(told: list[str]) -> None:
    sink = make_sink("/dev/full", told.append)
    sink.write(b"one\n", "info")
    sink.write(b"two\n", "info")
    assert len(told) == 1
    assert "No space left" in told[0]


def test_off_writes_nothing(told: list[str]) -> None:
    sink = make_sink("off", told.append)
    assert isinstance(sink, NoSink)
    sink.write(b"one\n", "info")


def test_stderr_is_the_stream_that_was_there_when_the_plugin_loaded(
    tmp_path: Path, told: list[str]
) -> None:
    path = tmp_path / "stderr"
    kept = os.dup(2)
    stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(stream, 2)
    try:
        sink = StderrSink(FailureReporter("stderr", told.append))
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(stream)
    sink.write(b"one\n", "info")
    assert (path.read_bytes(), told) == (b"one\n", [])


def test_a_line_for_a_pipe_is_shortened_and_says_what_is_gone() -> None:
    read, write = os.pipe()
    long = line_of(10_000, layers=["a"] * 100, request_id="id", layer_ms={"a": 1.0})
    Descriptor(write).write(long)
    got = os.read(read, 100_000)
    os.close(read)
    os.close(write)
    entry = json.loads(got)
    assert len(got) <= MAX_PIPE_LINE
    assert entry["shortened"] == ["layer_ms", "path"]
    assert (entry["status"], entry["user"]) == (200, "alice")
    assert entry["layers"] == ["a"] * 100


def test_a_long_decision_is_shortened_to_its_effect_and_reason() -> None:
    decision = {
        "effect": "deny",
        "rules": ["r" * 100] * 50,
        "denied": ["d" * 100] * 50,
        "refused": "because",
    }
    short = json.loads(shorten(json.dumps({"status": 403, "decision": decision}).encode(), 4096))
    assert short["decision"] == {"effect": "deny", "refused": "because"}
    assert short["shortened"] == ["decision.denied", "decision.rules"]


@pytest.mark.parametrize("size", [100, MAX_PIPE_LINE, MAX_FILE_LINE])
def test_a_line_that_fits_stays_as_it_is(size: int) -> None:
    assert shorten(line_of(size), size) == line_of(size)


def test_a_line_for_a_file_may_have_64_kilobytes(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "requests.log"
    sink = make_sink(str(path), told.append)
    sink.write(line_of(MAX_FILE_LINE), "info")
    sink.write(line_of(MAX_FILE_LINE + 1), "info")
    lines = path.read_bytes().splitlines(keepends=True)
    assert [len(line) <= MAX_FILE_LINE for line in lines] == [True, True]
    assert "shortened" in json.loads(lines[1])


def test_a_pipe_that_nobody_reads_stops_no_request(told: list[str]) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    descriptor = Descriptor(write)
    failures = 0
    started = time.perf_counter()
    for _ in range(200):
        try:
            descriptor.write(line_of(1000))
        except OSError:
            failures += 1
    assert time.perf_counter() - started < 20  # a tenth of a second for each
    assert failures > 100
    os.read(read, 1_000_000)
    descriptor.write(b"{}\n")
    assert os.read(read, 100).endswith(b"{}\n")
    os.close(read)
    os.close(write)


def test_a_named_pipe_without_a_reader_stops_no_request(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    make_sink(str(path), told.append).write(b"one\n", "info")
    assert len(told) == 1


def write_many(path: Path, worker: int, count: int) -> None:
    sink = FileSink(str(path), FailureReporter("x", lambda _: os._exit(3)))
    for number in range(count):
        size = 200 if number % 2 else MAX_FILE_LINE
        sink.write(line_of(size, worker=worker, number=number), "info")


def test_eight_workers_tear_no_line(tmp_path: Path) -> None:
    path = tmp_path / "requests.log"
    children = []
    for worker in range(8):
        child = os.fork()
        if child == 0:
            write_many(path, worker, 50)
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 8
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    seen = {(entry["worker"], entry["number"]) for entry in entries}
    assert len(entries) == len(seen) == 400


def test_eight_workers_tear_no_line_while_the_file_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "requests.log"
    path.touch()
    children = []
    for worker in range(8):
        child = os.fork()
        if child == 0:
            write_many(path, worker, 50)
            os._exit(0)
        children.append(child)
    for number in range(10):
        time.sleep(0.005)
        if path.exists():
            path.rename(tmp_path / f"requests.log.{number}")
    for child in children:
        os.waitpid(child, 0)
    lines = [line for file in tmp_path.iterdir() for line in file.read_bytes().splitlines()]
    assert len(lines) == 400
    assert all(json.loads(line)["status"] == 200 for line in lines)


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[socket.socket]:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    daemon.settimeout(5)
    daemon.bind(str(tmp_path / "log"))
    yield daemon
    daemon.close()


@pytest.fixture
def syslog_sink(tmp_path: Path, told: list[str]) -> Iterator[SyslogSink]:
    sink = SyslogSink(FailureReporter("syslog", told.append), str(tmp_path / "log"))
    yield sink
    sink.close()


@pytest.mark.parametrize(("level", "priority"), [("info", 30), ("warning", 28), ("error", 27)])
def test_syslog_gets_a_datagram_with_the_level(
    syslog: socket.socket, syslog_sink: SyslogSink, level: str, priority: int
) -> None:
    syslog_sink.write(b'{"a":1}\n', level)
    got = syslog.recv(10_000).decode()
    assert got.startswith(f"<{priority}>")
    assert got.endswith(f' access_filter[{os.getpid()}]: {{"a":1}}')


def test_syslog_gets_long_lines_shortened(syslog: socket.socket, syslog_sink: SyslogSink) -> None:
    syslog_sink.write(line_of(60_000), "info")
    text = syslog.recv(100_000).decode().partition("]: ")[2]
    assert json.loads(text)["shortened"] == ["path"]


def test_a_syslog_daemon_that_restarts_is_found_again(
    tmp_path: Path, told: list[str], syslog_sink: SyslogSink
) -> None:
    sink = syslog_sink
    sink.write(b"one\n", "info")
    assert len(told) == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        sink.write(b"two\n", "info")
        assert daemon.recv(1000).endswith(b"two")
    (tmp_path / "log").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        sink.write(b"lost\n", "info")
        sink.write(b"three\n", "info")
        assert daemon.recv(1000).endswith(b"three")


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_closed_connection_is_noticed(tmp_path: Path, kind: str) -> None:
    listening = socket.socket(socket.AF_UNIX) if kind == "unix" else socket.socket(socket.AF_INET)
    listening.bind(str(tmp_path / "fcgi") if kind == "unix" else ("127.0.0.1", 0))
    listening.listen()
    web_server = socket.socket(listening.family)
    web_server.connect(listening.getsockname())
    connection, _ = listening.accept()
    client = ClientConnection(listening.fileno())
    assert not client.is_gone()
    web_server.close()
    limit = time.monotonic() + 60
    while not client.is_gone():
        assert time.monotonic() < limit
    connection.close()
    assert not client.is_gone()
    listening.close()


def test_without_a_listening_socket_nobody_is_gone() -> None:
    with open(os.devnull, "rb") as stream:
        assert not ClientConnection(stream.fileno()).is_gone()
    assert not ClientConnection(9999).is_gone()
