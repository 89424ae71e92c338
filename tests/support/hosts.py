"""Separate hosts on one Linux machine, to see what a cluster of several does to a sweep.

A host has namespaces of its own (network, processes, mounts, host name, IPC): an address, a /tmp, a home, a /dev/shm,
files of the machine that it may change for itself alone, and an sshd. A bridge joins the hosts, in a network namespace
where nothing else is: no route leads out, and test runs side by side do not meet. Nothing has a name that would have to
be removed. A host lives as long as a pipe to it is open, so it ends with the process that made it, however that ends.

It needs root, and Debian's openssh-server, openssh-client, iproute2, rsync and procps.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Self

PROJECT = Path(__file__).resolve().parents[2]
CLIENT, HEAD, WORKERS = "client", "head", ("worker1", "worker2")
ADDRESSES = {CLIENT: "10.77.0.2", HEAD: "10.77.0.10", WORKERS[0]: "10.77.0.11", WORKERS[1]: "10.77.0.12"}
PROGRAMS = ("sshd", "ssh", "ssh-keygen", "ssh-keyscan", "ip", "rsync", "pkill", "unshare", "nsenter", "setpriv")
NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--ipc")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_S = 30.0

TRIAL = """
mount -t tmpfs trial /tmp && mkdir /tmp/upper /tmp/work /tmp/root &&
mount -t overlay -o lowerdir=/usr,upperdir=/tmp/upper,workdir=/tmp/work overlay /tmp/root &&
ip link add switch type bridge && ip link add one type veth peer name two
"""


def missing() -> str | None:
    """Return why there can be no hosts on this machine; None if there can."""
    if sys.platform != "linux":
        return "separate hosts need Linux's namespaces"
    if os.geteuid() != 0:
        return "separate hosts need root"
    if absent := [program for program in PROGRAMS if shutil.which(program, path=SYSTEM_PATH) is None]:
        return f"separate hosts need {', '.join(absent)} (Debian: openssh-server, iproute2, rsync, procps, util-linux)"
    trial = subprocess.run(
        ["unshare", *NAMESPACES, "--fork", "sh", "-c", TRIAL], capture_output=True, text=True, check=False
    )
    if trial.returncode:
        return f"this machine's kernel or container allows no separate hosts: {' '.join(trial.stderr.split())}"
    return None


@dataclass(frozen=True)
class _Booted:
    """A running host: the process that holds its pipe, and the host's process 1 as the machine numbers it."""

    process: subprocess.Popen[bytes]
    init: int


class Hosts:
    """A client, a head and two workers on a bridge, while the `with` block lasts.

    No host sees the project's folder, so that it runs only what was carried to it; all see the Python environment that
    runs the tests, read-only and at the same path. The client may log in to every host as root by ssh.

    Args:
        folder: an empty folder for keys and logs; the hosts' own files are in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._booted: dict[str, _Booted] = {}
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as ends:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._folder / "key"], check=True)
            # The bridge is gone with the last process in its namespace.
            self._switch = _start(["unshare", "--net", "sh", "-c", "ip link add switch type bridge && exec cat"])
            ends.callback(_end, self._switch)
            wait_for(lambda: self._in_switch("link", "set", "switch", "up", check=False), BOOT_S, why="the bridge")
            for name in ADDRESSES:
                ends.callback(self.power_off, name)
                self.boot(name)
            for name in ADDRESSES:
                self.wait_for_sshd(name)
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for name in ADDRESSES:
            self.power_off(name)
        self._ends.close()

    def boot(self, name: str) -> None:
        """Start a host, with the files that the machine has and none of an earlier life."""
        with (self._folder / f"{name}.log").open("ab") as log:
            process = _start(
                ["unshare", *NAMESPACES, "--fork", "--kill-child", "bash", PROJECT / "tests/support/hosts_boot.sh"],
                env=self._settings(name),
                log=log,
            )
        with self._with_log(name):
            wait_for(psutil.Process(process.pid).children, BOOT_S, why=f"the first process of {name}")
            init = psutil.Process(process.pid).children()[0].pid
            self._booted[name] = _Booted(process, init)
            self._connect(name, init)

    def _connect(self, name: str, init: int) -> None:
        """Lay a host's cable to the bridge, and give it its address."""
        self._in_switch("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(init))
        self._in_switch("link", "set", f"to-{name}", "master", "switch", "up")
        number = int(ADDRESSES[name].rpartition(".")[2])
        for command in (
            # The same in every life, or the others would look for the host where it was for half a minute.
            ("link", "set", "eth0", "address", f"02:00:00:00:00:{number:02x}"),
            ("addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0"),
            ("link", "set", "lo", "up"),
            ("link", "set", "eth0", "up"),
        ):
            subprocess.run(["nsenter", "--target", str(init), "--net", "ip", *command], check=True)

    def wait_for_sshd(self, name: str) -> None:
        """Wait until a host lets the client in."""
        scan = ("ssh-keyscan", "-t", "ed25519", "-T", "1", ADDRESSES[name])
        with self._with_log(name):
            wait_for(lambda: self.run(CLIENT, *scan, check=False).stdout != "", BOOT_S, why=f"sshd on {name}")

    def power_off(self, name: str) -> None:
        """End a host at once: its processes, its files and its end of the cable."""
        if booted := self._booted.pop(name, None):
            _end(booted.process)
            # The kernel takes its time to clear a network namespace away, and the cable's name with it.
            self._in_switch("link", "delete", f"to-{name}", check=False)

    def link(self, name: str, *, up: bool) -> None:
        """Pull a host's cable out of the bridge, or put it back; the host itself notices nothing."""
        self._in_switch("link", "set", f"to-{name}", "up" if up else "down")

    def command(
        self, name: str, *command: str | Path, cwd: str = "/root", env: Mapping[str, str] | None = None
    ) -> list[str]:
        """Return the command line that runs `command` on a host, as root; it dies with whoever waits for it."""
        variables = {"PATH": f"{sys.prefix}/bin:{SYSTEM_PATH}", "HOME": "/root", "USER": "root", "LANG": "C.UTF-8"}
        settings = [f"{key}={value}" for key, value in (variables | dict(env or {})).items()]
        entered = ["nsenter", "--target", str(self._booted[name].init), "--all", "--root"]
        # Without it a command would outlive nsenter, which only waits for it.
        bound = ["setpriv", "--pdeathsig", "KILL"]
        return [*entered, *bound, "env", "--ignore-environment", f"--chdir={cwd}", *settings, *map(str, command)]

    def run(
        self, name: str, *command: str | Path, timeout: float = 120, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host and return what it said; `timeout` in seconds.

        Raises:
            AssertionError: it failed, unless `check` is False.
        """
        line = self.command(name, *command, **options)
        done = subprocess.run(line, capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == 0 or not check, f"{name}: {command}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, name: str, *command: str | Path, log: Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command on a host, its output in the file `log`; it ends with the hosts."""
        line = self.command(name, *command, **options)
        with log.open("ab") as output:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._ends.callback(process.wait)  # after its host's end, which is its own
        return process

    def path(self, name: str, path: str) -> Path:
        """Return where this machine finds a file of a host, as long as the host runs."""
        return Path(f"/proc/{self._booted[name].init}/root") / path.lstrip("/")

    def _settings(self, name: str) -> dict[str, str]:
        """Return what hosts_boot.sh asks for."""
        place = self._folder / name
        place.mkdir(exist_ok=True)
        return {
            "PATH": SYSTEM_PATH,
            "NAME": name,
            "FOLDER": str(place),
            "HIDDEN": str(PROJECT),
            "VISIBLE": "\n".join(sorted({sys.prefix, sys.base_prefix})),
            "ADDRESSES": "\n".join(["127.0.0.1 localhost", *(f"{ip} {host}" for host, ip in ADDRESSES.items())]),
            "LOGIN": (self._folder / "key.pub").read_text().strip(),
            "IDENTITY": str(self._folder / "key") if name == CLIENT else "",
        }

    @contextmanager
    def _with_log(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            error.add_note((self._folder / f"{name}.log").read_text())
            raise

    def _in_switch(self, *command: str, check: bool = True) -> bool:
        line = ["nsenter", "--target", str(self._switch.pid), "--net", "ip", *command]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, f"{command}: {done.stderr}"
        return done.returncode == 0


def _start(command: Sequence[str | Path], env: Mapping[str, str] | None = None, log: Any = None) -> Any:
    """Start a process that ends when this one closes the pipe, or dies."""
    return subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
