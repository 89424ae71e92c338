"""The service on its port."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from waitress.server import create_server  # type: ignore[import-untyped]

from analysis.service.app import make
from analysis.service.web.guard import LOOPBACK, Guard

__all__ = ["LOOPBACK", "ServiceError", "serve"]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from robustness.results import Place

THREADS = 8
CONNECTIONS = 1000
"""Open at once: a browser holds some, and whoever sends slowly must not keep the others out."""
MOST_BYTES = 2**20
"""Of a request. A study file is smaller, and nothing else is sent."""

MOST_UNREAD = 2**28
"""Bytes that wait for one connection, on disk, before the thread that answers it waits too: it may wait for ever."""


class ServiceError(Exception):
    """The service cannot be started; the text says why and what to do."""


def serve(
    results: str | Place,
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    token: str | None = None,
    names: Sequence[str] = (),
    address: str | None = None,
    allow_submit: bool = False,
) -> None:
    """Answer until interrupted.

    Args:
        results: Folder or URI of all results.
        host: The address to listen on.
        port: 0 takes a free one.
        ready: Is told the address, when it answers.
        token: What a visitor must know; None asks nobody, which only a loopback address may.
        names: Further names of this machine under which browsers may ask.
        address: Of the dashboard of a Ray cluster whose jobs are shown; None asks no cluster.
        allow_submit: Let visitors start and stop studies on that cluster.

    Raises:
        ServiceError: Another than a loopback address without a token, submitting without one, or the port is taken.
    """
    if host not in LOOPBACK and token is None:
        raise ServiceError(f"--host {host}: whoever reaches it could look; give a token")
    if allow_submit and token is None:
        raise ServiceError("--allow-submit lets visitors run code on the cluster: it needs a token")
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    app = make(results, Guard(host, token, names), address=address, allow_submit=allow_submit)
    # Its word on requests that wait a moment helps nobody.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app.server,
        sockets=[listening],
        threads=THREADS,
        max_request_body_size=MOST_BYTES,
        channel_timeout=60,
        connection_limit=CONNECTIONS,
        outbuf_high_watermark=MOST_UNREAD,
        asyncore_use_poll=True,  # select() knows no more than 1024 files
        ident=None,
    )
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        server.run()
    finally:
        server.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise ServiceError(f"--host {host}: this machine has no such address ({error.strerror})") from error
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ServiceError(f"port {port} of {host} cannot be used ({error.strerror}): give another --port") from error
    return listening
