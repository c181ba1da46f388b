"""The real qgis_mapserv.fcgi under spawn-fcgi, behind nginx, as an administrator sets it up."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAPSERV = "/usr/lib/cgi-bin/qgis_mapserv.fcgi"
DEBIAN_PARAMS = "/etc/nginx/fastcgi_params"
START_SECONDS = 120.0

# Debian's pyproj, which OWSLib imports, looks for its data beside the virtual environment.
os.environ.setdefault("PROJ_DATA", "/usr/share/proj")

Pairs = Union[Mapping[str, Any], Iterable[tuple[str, Any]]]
"""Names and values; as pairs, a name may stand twice. A header's value may be bytes."""

NGINX = """\
pid {home}/nginx.pid;
error_log {home}/nginx.log;
daemon off;
{user}
master_process off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    fastcgi_temp_path {home}/fastcgi;
    proxy_temp_path {home}/proxy;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport;
        {directives}
        location / {{
            {first}
            include {params_file};
            {params}
            fastcgi_pass unix:{home}/qgis.sock;
        }}
    }}
}}
"""


def _pairs(values: Pairs) -> list[tuple[str, Any]]:
    return list(values.items() if isinstance(values, Mapping) else values)


def _lines(values: Pairs) -> str:
    return "\n            ".join(f'fastcgi_param {name} "{v}";' for name, v in _pairs(values))


@dataclass(frozen=True)
class Response:
    """One answer; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A server for requests; ``address`` is the one from which a client connects."""

    port: int
    home: Path
    project: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    reservation: Optional[socket.socket] = None
    """Keeps others from the port until nginx listens there, with ``reuseport``."""

    def get(
        self,
        query: Union[str, Mapping[str, Any]],
        headers: Pairs = (),
        *,
        address: str = "127.0.0.1",
        method: str = "GET",
        body: bytes = b"",
        path: str = "/",
    ) -> Response:
        """Send one request on a connection of its own, with these headers in this order."""
        text = query if isinstance(query, str) else urlencode(query)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=60, source_address=(address, 0)
        )
        try:
            connection.putrequest(method, f"{path}?{text}", skip_accept_encoding=True)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            for name, value in _pairs(headers):
                connection.putheader(name, value if isinstance(value, bytes) else value.encode())
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def ask(
        self, headers: Pairs = (), *, address: str = "127.0.0.1", **parameters: Any
    ) -> Response:
        """Send one OWS request to the server's project."""
        return self.get({"MAP": str(self.project), **parameters}, headers, address=address)

    @property
    def log(self) -> str:
        """What the server wrote to its standard error."""
        return (self.home / "qgis.log").read_text(errors="replace")

    def start(self, environment: Mapping[str, str], workers: int = 1) -> None:
        """Start qgis_mapserv.fcgi and nginx; QGIS answers when it has loaded."""
        if workers == 1:
            spawn = ["spawn-fcgi", "-n", "-s", f"{self.home}/qgis.sock", "--", MAPSERV]
            self._run(spawn, "qgis.log", environment)
            _wait_for((self.home / "qgis.sock").exists, self.processes)
        else:
            self._start_workers(environment, workers)
        self._run(["nginx", "-c", f"{self.home}/nginx.conf"], "nginx.out", None)
        _wait_for(self._is_listening, self.processes)

    def start_mapserver(self, environment: Mapping[str, str]) -> None:
        """Start qgis_mapserver, QGIS's own web server, alone; it shares its port with nobody."""
        self._give_up_the_port()
        self._run(["qgis_mapserver", f"127.0.0.1:{self.port}"], "qgis.log", environment)
        _wait_for(self._is_listening, self.processes)

    def _start_workers(self, environment: Mapping[str, str], workers: int) -> None:
        """Do what spawn-fcgi does, for several processes on one socket that stay our children."""
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.home / "qgis.sock"))
            listening.listen(128)
            for number in range(workers):
                self._run([MAPSERV], f"qgis-{number}.log", environment, listening.fileno())

    def _run(
        self,
        command: list[str],
        log: str,
        environment: Optional[Mapping[str, str]],
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        with (self.home / log).open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=environment,
                stdin=stdin,
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _give_up_the_port(self) -> None:
        if self.reservation is not None:
            self.reservation.close()

    def stop(self) -> None:
        """End both processes, nginx first, and remove their folder."""
        self._give_up_the_port()
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def _wait_for(condition: Callable[[], bool], processes: list[subprocess.Popen[bytes]]) -> None:
    limit = time.monotonic() + START_SECONDS
    while not condition():
        ended = [process.args for process in processes if process.poll() is not None]
        if ended or time.monotonic() > limit:
            pytest.fail(f"the server did not start; ended: {ended}")
        time.sleep(0.02)


def reserved_port() -> socket.socket:
    """A port of the kernel's choice, in a socket that does not listen but keeps it for us.

    Suites run side by side: between the choice and the start of a server, the port would be anybody's.
    """
    socket_ = socket.socket()
    socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    socket_.bind(("127.0.0.1", 0))
    return socket_


def qgis_environment(
    home: Path, more: Mapping[str, str], plugins: Optional[Path] = None
) -> dict[str, str]:
    """What the QGIS process finds at its start, and nothing of the test's own environment."""
    if plugins is None:
        plugins = home / "plugins"
        plugins.mkdir()
        (plugins / "access_filter_plugin").symlink_to(ROOT / "access_filter_plugin")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PREFIX_PATH": os.environ.get("QGIS_PREFIX_PATH", "/usr"),
        "QGIS_PLUGINPATH": str(plugins),
        "QGIS_SERVER_LOG_STDERR": "1",
        "QGIS_SERVER_LOG_LEVEL": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def new_server(project: Path) -> Server:
    """A server that is not started, in a folder of its own."""
    # A socket's path must be short, which pytest's folders are not.
    home = Path(tempfile.mkdtemp(prefix="qgis-"))
    reservation = reserved_port()
    port = int(reservation.getsockname()[1])
    return Server(port, home, project, reservation=reservation)


def start_server(
    project: Path,
    environment: Optional[Mapping[str, str]] = None,
    params: Pairs = (),
    *,
    first: Pairs = (),
    directives: str = "",
    plugins: Optional[Path] = None,
    workers: int = 1,
    beforehand: Optional[Callable[[Path], object]] = None,
) -> Server:
    """Start a server: ``environment`` is that of the QGIS process, ``params`` are ``fastcgi_param``
    lines after Debian's own and ``first`` before them, ``directives`` stand in nginx's ``server``.
    ``beforehand`` prepares the folder in which QGIS works.
    """
    server = new_server(project)
    if beforehand is not None:
        beforehand(server.home)
    configuration = NGINX.format(
        home=server.home,
        port=server.port,
        user="user root;" if os.geteuid() == 0 else "",
        params_file=DEBIAN_PARAMS,
        directives=directives,
        first=_lines(first),
        params=_lines(params),
    )
    (server.home / "nginx.conf").write_text(configuration)
    try:
        server.start(qgis_environment(server.home, environment or {}, plugins), workers)
    except BaseException:
        server.stop()
        raise
    return server


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Server]]:
    """``serve(project, environment, params, …)``: servers that live as long as the test module."""
    with ExitStack() as servers:

        def start(*arguments: Any, **options: Any) -> Server:
            server = start_server(*arguments, **options)
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def serve_alone() -> Iterator[Callable[..., Server]]:
    """``serve_alone(project, environment)``: a qgis_mapserver without a web server before it."""
    with ExitStack() as servers:

        def start(project: Path, environment: Mapping[str, str]) -> Server:
            server = new_server(project)
            servers.callback(server.stop)
            server.start_mapserver(qgis_environment(server.home, environment))
            return server

        yield start


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``make_project(access_rules=…)``: a project with the layers ``pub`` and ``staff``."""

    def make(**variables: str) -> Path:
        folder = tmp_path_factory.mktemp("project")
        script = Path(__file__).with_name("make_project.py")
        subprocess.run([sys.executable, script, folder, json.dumps(variables)], check=True)
        return folder / "project.qgs"

    return make
