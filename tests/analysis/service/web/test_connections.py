"""Who does not read what they asked for costs the service little, and not for long."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from waitress import wasyncore  # type: ignore[import-untyped]

from analysis.service.web import connections
from analysis.service.web.connections import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 4 * 2**20
THREADS = 4


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with 4 MB, or with a word."""
    body = b"ok" if environ["PATH_INFO"] == "/small" else bytes(SIZE)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(connections, "MOST_UNREAD", 5 * SIZE)
    monkeypatch.setattr(connections, "UNREAD_S", 0.5)
    monkeypatch.setattr(connections, "LOOK_S", 0.1)
    listening = socket.create_server(("127.0.0.1", 0))
    made = Server.on(listening, answer, threads=THREADS)
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.05, use_poll=True, map=made._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield made
    ended.set()
    thread.join()
    made.task_dispatcher.shutdown()
    for each in list(made.active_channels.values()):
        each.handle_close()
    made.close()


@contextlib.contextmanager
def asked(server: Server, path: str, buffer: int | None = 4096) -> Iterator[socket.socket]:
    connection = socket.socket()
    if buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    with connection:
        connection.settimeout(10)
        connection.connect(("127.0.0.1", int(server.effective_port)))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        yield connection


def read(connection: socket.socket) -> int:
    total = 0
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            total += len(chunk)
    return total


def until(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_readers_that_never_read_are_bounded_together_and_ended(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(asked(server, "/large"))
        until(lambda: server.unread() > 2 * SIZE)
        most = 0
        for _ in range(50):
            most = max(most, server.unread())
            time.sleep(0.01)
        assert most <= (5 + THREADS) * SIZE, "an answer more for each thread that has just looked"
        with asked(server, "/small", None) as connection:
            assert read(connection) > 0, "the others are answered"
        until(lambda: server.unread() == 0)
        until(lambda: not [each for each in server.active_channels.values() if each.total_outbufs_len])


def test_who_reads_gets_all_of_it_beside_those_who_do_not(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(asked(server, "/large"))
        with asked(server, "/large", None) as connection:
            assert read(connection) > SIZE
