"""Connections that are not read from: what waits for them is bounded, and the slowest are dropped."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from waitress.buffers import ReadOnlyFileBasedBuffer  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]

from analysis.service.web.responses import Shared

if TYPE_CHECKING:
    import socket

UNREAD_S, LEAST_READ = 60.0, 16 * 1024
"""Seconds in which a visitor must have read so many bytes of what waits for them."""

MOST_UNREAD = 2**27
"""Bytes that wait for all connections together, in memory and in temporary files, about."""

SMALL = 64 * 1024
"""Bytes of an answer that needs no room made for it."""

LOOK_S = 5
"""How often the connections are looked at."""

ROOM_S = 2.0
"""What making room may take."""


class Connection(HTTPChannel):  # type: ignore[misc]
    """A visitor's connection; it knows how fast it is read from.

    Attributes:
        sent: Bytes, since it began.
        pace: Bytes that were sent between the last two looks; 0 before there were two.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        self.sent = self.pace = self._looked_at = 0
        self._begun = (time.monotonic(), 0)
        super().__init__(*given, **options)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send as much as the other side takes; return how many bytes that is."""
        count: int = super().send(data, do_close)
        self.sent += count
        return count

    def write_soon(self, data: Any) -> int:
        """Take a part of an answer once there is room for it; return its size in bytes."""
        if not _is_shared(data):
            self.server.wait_for_room(len(data))
        count: int = super().write_soon(data)
        return count

    def unread(self) -> int:
        """Return how many bytes wait that no other connection shares."""
        return int(self.total_outbufs_len) - sum(len(each) for each in list(self.outbufs) if _is_shared(each))

    def left(self) -> float:
        """Return how many looks it will take until all is read, at the pace of the last."""
        return self.unread() / max(self.pace, 1)

    def look(self, now: float) -> bool:
        """Note the pace, and return whether too little was read for too long, in seconds."""
        self.pace, self._looked_at = self.sent - self._looked_at, self.sent
        since, before = self._begun
        if not self.total_outbufs_len or self.sent - before >= LEAST_READ:
            self._begun = (now, self.sent)
            return False
        return now - since >= UNREAD_S


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Waitress with these bounds.

    By itself it ends an idle connection as soon as that can be written to: one that nobody reads from, never.
    """

    channel_class = Connection

    @classmethod
    def on(cls, listening: socket.socket, application: Any, **options: Any) -> Server:
        """Return a server of an application on a socket that listens; options are those of Waitress."""
        place = (listening.family, listening.type, listening.proto, listening.getsockname())
        return cls(
            application,
            _sock=listening,
            bind_socket=False,
            sockinfo=place,
            cleanup_interval=LOOK_S,
            outbuf_high_watermark=MOST_UNREAD,
            **options,
        )

    def maintenance(self, now: float) -> None:
        """End what is idle, and what is not read from."""
        super().maintenance(now)
        for each in self._connections():
            if each.look(time.monotonic()):
                each.handle_close()

    def unread(self) -> int:
        """Return how many bytes wait for all connections, without those that they share."""
        return sum(each.unread() for each in self._connections())

    def wait_for_room(self, size: int) -> None:
        """Wait until so many bytes more may wait: whoever would take longest to read theirs is dropped for it."""
        size = min(size, MOST_UNREAD // 2)  # one large answer must not drop all the others
        if size < SMALL or self.unread() + size <= MOST_UNREAD:
            return
        done = threading.Event()

        def make_room() -> None:  # by the thread that has all sockets
            for each in sorted(self._connections(), key=Connection.left, reverse=True):
                if self.unread() + size <= MOST_UNREAD:
                    break
                each.handle_close()
            done.set()

        self.trigger.pull_trigger(make_room)
        done.wait(ROOM_S)

    def _connections(self) -> list[Connection]:
        return list(self.active_channels.values())


def _is_shared(data: Any) -> bool:
    return isinstance(data, ReadOnlyFileBasedBuffer) and isinstance(data.file, Shared)
