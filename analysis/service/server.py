"""The service on its port."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any

from analysis.service.app import make
from analysis.service.web.connections import Server
from analysis.service.web.guard import LOOPBACK, Guard

__all__ = ["LOOPBACK", "ServiceError", "serve"]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analysis.service.visitors.door import Door
    from analysis.service.visitors.visit_log import VisitLog
    from robustness.results import Place

THREADS = 8
CONNECTIONS = 1000
"""Open at once: a browser holds some, and whoever sends slowly must not keep the others out."""
MOST_BYTES = 2**20
"""Of a request. A study file is smaller, and nothing else is sent."""

SENT_S = 60
"""Seconds in which a visitor must send some of a request, or the next one."""


class ServiceError(Exception):
    """The service cannot be started; the text says why and what to do."""


def serve(
    results: str | Place,
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    door: Door | None = None,
    names: Sequence[str] = (),
    address: str | None = None,
    allow_submit: bool = False,
    proxy: str | None = None,
    log: VisitLog | None = None,
) -> None:
    """Answer until interrupted.

    Args:
        results: Folder or URI of all results.
        host: The address to listen on.
        port: 0 takes a free one.
        ready: Is told the address, when it answers.
        door: Knows who may come in; None lets anybody, which only a loopback address may.
        names: Further names of this machine under which browsers may ask.
        address: Of the dashboard of a Ray cluster whose jobs are shown; None asks no cluster.
        allow_submit: Let visitors start and stop studies on that cluster.
        proxy: Address of the one proxy that is believed when it says for whom it asks.
        log: Where it is set down who did what.

    Raises:
        ServiceError: Another than a loopback address without a token, submitting without one that allows it, or the
            port is taken.
    """
    if host not in LOOPBACK and door is None:
        raise ServiceError(f"--host {host}: whoever reaches it could look; give a token")
    if allow_submit and door is None:
        raise ServiceError("--allow-submit lets visitors run code on the cluster: it needs a token")
    if allow_submit and door is not None and not any(visitor.submits for visitor in door.visitors):
        raise ServiceError("--allow-submit: no token has the role submit, so nobody could")
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    app = make(results, Guard(host, door, names), address=address, allow_submit=allow_submit, log=log)
    # Its word on requests that wait a moment helps nobody.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = Server.on(
        listening,
        app.server,
        threads=THREADS,
        max_request_body_size=MOST_BYTES,
        channel_timeout=SENT_S,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,  # select() knows no more than 1024 files
        ident=None,
        **_believed(proxy),
    )
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        server.run()
    finally:
        server.close()


def _believed(proxy: str | None) -> dict[str, Any]:
    """Return the options of Waitress by which a proxy says who asks, and whether over TLS."""
    if proxy is None:
        return {}
    return {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"}}


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
