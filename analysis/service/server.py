"""The service on its port, for this machine alone."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from analysis.service.app import make

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ServiceError(Exception):
    """The service cannot be started; the text says why and what to do."""


def serve(results: str, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer until interrupted.

    Args:
        results: Folder or URI of all results.
        host: One of `LOOPBACK`.
        port: 0 takes a free one.
        ready: Is told the address, when it answers.

    Raises:
        ServiceError: The host is not this machine alone, or the port is taken.
    """
    if host not in LOOPBACK:
        raise ServiceError(
            f"--host {host}: it serves this machine alone, as it asks nobody who they are. From elsewhere use an SSH "
            f"tunnel (ssh -L {port}:localhost:{port} HOST) or `ray attach -p {port} cluster.yaml`"
        )
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its line for every request helps nobody
    server = make_server(host, port, make(results, port).server, threaded=True, fd=listening.fileno())
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        server.serve_forever()
    finally:
        server.server_close()
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ServiceError(f"port {port} of {host} cannot be used ({error.strerror}): give another --port") from error
    return listening
