"""A Ray head with a dashboard and token authentication on this machine, and a proxy in front of it that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-tests-0123456789abcdef"
START_S = 90


@dataclass(frozen=True)
class Head:
    """A running head.

    Attributes:
        address: of its dashboard.
        folder: Ray's files, its logs among them.
    """

    address: str
    folder: Path


@contextlib.contextmanager
def head(*, cpus: int = 2, results: str | None = None) -> Iterator[Head]:
    """Start a head that only this machine's loopback reaches, and end it with all its processes.

    `results` is $ROBUSTNESS_RESULTS, as the files of a cluster set it.
    """
    # Not pytest's folder: Ray puts sockets there, whose paths have at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="robustness-ray-"))
    names = ("port", "dashboard-port", "dashboard-agent-listen-port", "ray-client-server-port")
    ports = dict(zip(names, free_ports(4), strict=True))
    options = [f"--{name}={value}" for name, value in ports.items()]
    options += ["--min-worker-port=0", "--max-worker-port=0"]  # any free one; by default two heads take the same
    with (folder / "start.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
                *(*options, f"--temp-dir={folder}", f"--num-cpus={cpus}", f"--object-store-memory={128 * 2**20}"),
                *("--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1"),
            ],
            env=_environment(results),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{ports['dashboard-port']}"
    try:
        _wait_for_job_server(address, process, folder)
        yield Head(address, folder)
    finally:
        _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(results: str | None) -> dict[str, str]:
    """Return the environment of `ray start` on a cluster's head: this Python first, and this package installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "ROBUSTNESS_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    ours = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    ours["ROBUSTNESS_PUBLISHED"] = ""  # tests count what is trained
    there = {"ROBUSTNESS_RESULTS": results} if results else {}
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | ours | there


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_for_job_server(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    request = urllib.request.Request(f"{address}/api/jobs/", headers={"Authorization": f"Bearer {TOKEN}"})

    def answers() -> bool:
        assert process.poll() is None, f"Ray does not start:\n{log.read_text()}"
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
            json.load(answer)
            return True
        return False

    log = folder / "start.log"
    wait_for(answers, START_S, why=log.read_text)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a head: first itself, which ends its own, then what is left of its processes."""
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()
    process.wait()
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(family, timeout=10)


class Proxy:
    """A port of this machine that passes bytes on to another, until it is cut."""

    def __init__(self, address: str) -> None:
        match = re.fullmatch(r"http://(.+):(\d+)", address)
        assert match
        self._target = match[1], int(match[2])
        self._up = True
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._up:
            writer.transport.abort()
            return
        self.connections += 1
        there, back = await asyncio.open_connection(*self._target)
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)

    def cut(self) -> None:
        """Break all connections and refuse new ones."""

        async def cut() -> None:
            self._up = False
            for writer in list(self._writers):
                writer.transport.abort()

        self._call(cut())

    def restore(self) -> None:
        """Let connections through again."""
        self._up = True

    def close(self) -> None:
        """End the proxy."""
        self.cut()
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
