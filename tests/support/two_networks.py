"""Two machines side by side, as far as the network goes: a sweep in one of them, and a neighbour that tries its ports.

Each is a Linux network namespace, with an address of IPv4 and one of IPv6; nothing else is in them, so that all
that listens in the first belongs to what was started there. They end with the processes that hold them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

HERE, NEIGHBOUR = ("10.78.0.1", "fd78::1"), ("10.78.0.2", "fd78::2")
PROGRAMS = ("ip", "nsenter", "ss", "unshare")

TRY = """
import json, socket, sys

def answer(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return type(error).__name__
    return "open"

addresses, ports = json.loads(sys.argv[1])
print(json.dumps({f"{host} {port}": answer(host, port) for host in addresses for port in ports}))
"""


LISTEN = """
import socket, sys
with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def missing() -> str | None:
    """Return why there can be no networks on this machine; None if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if absent := [program for program in PROGRAMS if shutil.which(program) is None]:
        return f"network namespaces need {', '.join(absent)} (Debian: iproute2, util-linux)"
    trial = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return f"this machine allows no network namespaces: {trial.stderr.strip()}" if trial.returncode else None


class TwoNetworks:
    """A machine and its neighbour on one cable, while the `with` block lasts; it needs root."""

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            self._here, self._neighbour = ends.enter_context(_namespace()), ends.enter_context(_namespace())
            ends_at = ("peer", "name", "cable", "netns", str(self._neighbour.pid))
            _ip(self._here, "link", "add", "cable", "type", "veth", *ends_at)
            for machine, addresses in ((self._here, HERE), (self._neighbour, NEIGHBOUR)):
                _ip(machine, "addr", "add", f"{addresses[0]}/24", "dev", "cable")
                _ip(machine, "addr", "add", f"{addresses[1]}/64", "dev", "cable", "nodad")
                _ip(machine, "link", "set", "lo", "up")
                _ip(machine, "link", "set", "cable", "up")
                _ip(machine, "route", "add", "default", "dev", "cable")
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command on the machine."""
        return subprocess.Popen([*_in(self._here), *command], text=True, **options)

    @contextmanager
    def listener(self) -> Iterator[int]:
        """Listen on all addresses of the machine; yield the port."""
        line = (sys.executable, "-c", LISTEN)
        with self.start(*line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield int(process.stdout.readline())
            process.communicate()

    def listening(self) -> dict[int, str]:
        """Return who listens on the machine, in `ss`'s words, by port."""
        said = subprocess.run([*_in(self._here), "ss", "-Hltunp"], capture_output=True, text=True, check=True).stdout
        return {int(line.split()[4].rpartition(":")[2]): line for line in said.splitlines()}

    def tried(self, ports: list[int]) -> dict[str, str]:
        """Return what the neighbour meets at each address and port: `open`, or the name of the error."""
        command = [*_in(self._neighbour), sys.executable, "-c", TRY, json.dumps([HERE, ports])]
        found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return found


@contextmanager
def _namespace() -> Iterator[subprocess.Popen[str]]:
    line = ["unshare", "--net", "sh", "-c", "echo up; exec cat"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:  # ends with its pipe
        assert held.stdout is not None
        assert held.stdout.readline() == "up\n"
        yield held


def _in(machine: subprocess.Popen[str]) -> list[str]:
    return ["nsenter", "--target", str(machine.pid), "--net"]


def _ip(machine: subprocess.Popen[str], *command: str) -> None:
    subprocess.run([*_in(machine), "ip", *command], check=True)
