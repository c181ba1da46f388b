"""nginx before some qgis_mapserv.fcgi on one socket, in a folder of their own, on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Optional

ROOT = Path(__file__).resolve().parents[1]
MAPSERV = "/usr/lib/cgi-bin/qgis_mapserv.fcgi"
PARAMETERS = (
    "QUERY_STRING $query_string",
    "REQUEST_METHOD $request_method",
    "CONTENT_TYPE $content_type",
    "CONTENT_LENGTH $content_length",
    "SCRIPT_NAME $fastcgi_script_name",
    "REQUEST_URI $request_uri",
    "SERVER_PROTOCOL $server_protocol",
    "GATEWAY_INTERFACE CGI/1.1",
    "REMOTE_ADDR $remote_addr",
    "SERVER_ADDR $server_addr",
    "SERVER_PORT $server_port",
    "SERVER_NAME $server_name",
    # Who a caller is, a measurement says itself; a real server must never do this.
    "REMOTE_USER $http_x_test_user",
    "REMOTE_ROLES $http_x_test_roles",
)
NGINX = """\
pid {home}/nginx.pid;
error_log {home}/nginx-error.log;
daemon off;
{user}
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    log_format short '$status $request_time $http_x_request_id';
    access_log {access_log};
    client_body_temp_path {home}/body;
    fastcgi_temp_path {home}/fastcgi;
    proxy_temp_path {home}/proxy;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    keepalive_requests 10000000;
    fastcgi_buffers 64 64k;
    fastcgi_read_timeout 120;
    server {{
        listen 127.0.0.1:{port};
        location / {{
{parameters}
            fastcgi_pass unix:{home}/qgis.sock;
        }}
    }}
}}
"""


class Farm:
    """Workers that can be killed and started again one by one."""

    def __init__(
        self, count: int, *, with_plugin: bool, access_log: bool = False, **settings: str
    ) -> None:
        # A socket's path must be short.
        self.home = Path(tempfile.mkdtemp(prefix="farm-"))
        self.log = self.home / "requests.log"
        self.access_log = self.home / "access.log"
        self._settings = {"ACCESS_FILTER_LOG": str(self.log), **settings}
        self._with_plugin = with_plugin
        self.port = _free_port()
        self._listening = socket.socket(socket.AF_UNIX)
        self._nginx: Optional[subprocess.Popen[bytes]] = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._count = count
        self._writes_access_log = access_log

    def __enter__(self) -> Farm:  # noqa: PYI034 (Self is not in Python 3.9)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def _start(self) -> None:
        (self.home / "plugins").mkdir()
        if self._with_plugin:
            (self.home / "plugins" / "access_filter_plugin").symlink_to(
                ROOT / "access_filter_plugin"
            )
        self._listening.bind(str(self.home / "qgis.sock"))
        self._listening.listen(256)
        self.workers = [self.new_worker() for _ in range(self._count)]
        (self.home / "nginx.conf").write_text(self._configuration(), encoding="utf-8")
        with (self.home / "nginx.out").open("wb") as output:
            self._nginx = subprocess.Popen(
                ["nginx", "-c", f"{self.home}/nginx.conf"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        limit = time.monotonic() + 30
        while not self._is_listening():
            if self._nginx.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"nginx did not start: {self.home}/nginx.out")
            time.sleep(0.02)

    def _configuration(self) -> str:
        lines = "\n".join(f"            fastcgi_param {line};" for line in PARAMETERS)
        return NGINX.format(
            home=self.home,
            port=self.port,
            user="user root;" if os.geteuid() == 0 else "",
            parameters=lines,
            access_log=f"{self.access_log} short" if self._writes_access_log else "off",
        )

    def new_worker(self) -> subprocess.Popen[bytes]:
        """Start one more process on the socket."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "QT_QPA_PLATFORM": "offscreen",
            "QGIS_PREFIX_PATH": os.environ.get("QGIS_PREFIX_PATH", "/usr"),
            "QGIS_PLUGINPATH": str(self.home / "plugins"),
            "QGIS_SERVER_LOG_STDERR": "1",
            "QGIS_SERVER_LOG_LEVEL": "2",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._settings,
        }
        with (self.home / "qgis.log").open("ab") as output:
            return subprocess.Popen(
                [MAPSERV],
                cwd=self.home,
                env=environment,
                stdin=self._listening.fileno(),
                stdout=output,
                stderr=output,
            )

    def kill_worker(self, number: int) -> int:
        """Kill one worker at once, start another in its place, and return the pid of the killed."""
        process = self.workers[number]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.workers[number] = self.new_worker()
        return process.pid

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def qgis_log(self) -> str:
        """Return what the workers wrote to their standard error."""
        return (self.home / "qgis.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End all processes, nginx first, and remove the folder."""
        started = [self._nginx] if self._nginx is not None else []
        for process in [*started, *self.workers]:
            process.terminate()
        for process in [*started, *self.workers]:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._listening.close()
        shutil.rmtree(self.home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
