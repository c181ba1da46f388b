"""A small HTTP client on a kept connection, cheap enough to keep fast servers busy."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FAILURES = (b"ServiceException", b"ExceptionReport", b"<ServerException")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    head: bytes
    body: bytes


class Connection:
    """One connection; requests go one after the other."""

    def __init__(self, port: int, timeout: float = 120) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        self._socket.sendall(request)
        head = self._until(b"\r\n\r\n")
        lowered = head.lower()
        place = lowered.find(b"content-length:")
        if place >= 0:
            body = self._exactly(int(lowered[place + 15 :].split(b"\r\n", 1)[0]))
        elif b"transfer-encoding: chunked" in lowered:
            body = self._chunks()
        else:
            body = b""
        return Answer(int(head[9:12]), head, body)

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            part = self._exactly(size + 2)[:-2]
            if not size:
                return b"".join(parts)
            parts.append(part)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < size:
            part = self._socket.recv(1 << 16)
            if not part:
                raise ConnectionError("the server hung up")
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def _more(self) -> None:
        part = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server hung up")
        self._rest += part

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def request_bytes(target: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def hammer(port: int, requests: Sequence[bytes], seconds: float, clients: int) -> float:
    """Send the requests in a circle from some processes; return the answers per second."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    processes = [
        context.Process(target=_client, args=(port, requests, seconds, number, results))
        for number in range(clients)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    wrong = [text for _, _, text in found if text]
    if wrong:
        raise RuntimeError(f"a wrong answer under load: {wrong[0]}")
    # Each by its own time: at the end they wait for nobody.
    return float(sum(count / taken for count, taken, _ in found))


def _client(
    port: int, requests: Sequence[bytes], seconds: float, number: int, results: Any
) -> None:
    done, wrong = 0, ""
    began = time.perf_counter()
    try:
        connection = Connection(port)
        while time.perf_counter() - began < seconds and not wrong:
            answer = connection.ask(requests[(done + number) % len(requests)])
            if answer.status != 200 or any(f in answer.body[:2000] for f in FAILURES):
                wrong = f"{answer.status} {answer.body[:300]!r}"
            done += 1
        connection.close()
    except OSError as error:
        wrong = str(error)
    results.put((done, time.perf_counter() - began, wrong))
