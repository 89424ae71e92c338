"""A Ray for one sweep on this machine: in a folder of ours, on loopback alone, with a token that nobody else knows."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.machine import cores
from robustness.machine.home import can_be_written, home
from robustness.sweep.ray_folder import ray_folder
from robustness.workloads.places import VARIABLE as DATA
from robustness.workloads.places import data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OBJECT_STORE_BYTES = 128 * 2**20

BEYOND_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Where it is 0 a Ray has the address 127.0.0.1 and listens there alone, whatever the system.

`ray.init` has nothing for that: it takes `_node_ip_address="127.0.0.1"` for the machine's outer address.
"""

HOME = "home"
"""In the folder of a Ray that is started here, beside Ray's own."""

AUTH = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")


@contextlib.contextmanager
def ray_alone() -> Iterator[dict[str, Any]]:
    """Set up what keeps others out of a Ray that is started within the block; yield `ray.init`'s arguments for it.

    It asks for a token, which its processes have from their environment: loopback is open to every user of the
    machine. The user's own token, in the environment or in ~/.ray, is not used, nor made.

    Raises:
        ClusterError: there is no place for its folder.
    """
    ours = {BEYOND_LOOPBACK: "0", AUTH[1]: secrets.token_hex(32)}
    with ray_folder() as folder, _environment(ours, without=AUTH), _loopback():
        yield {
            "include_dashboard": False,
            "num_cpus": cores.usable(),
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": str(folder),
        }


@contextlib.contextmanager
def ray_home(temp_dir: str | None) -> Iterator[None]:
    """Have processes that start within the block work in a home where they can write, should the user have none.

    A container may have any user id, without a line in /etc/passwd, and HOME=/. A home that is the user's own is kept
    even where it is read-only, for what lies in it.

    Args:
        temp_dir: That of a Ray that is started here, in a folder of ours; None starts no process.
    """
    own = home()
    if temp_dir is None:
        ours = {} if own else {"HOME": os.devnull}  # Ray Tune, when it is imported, asks where the home is
    elif own and (can_be_written(own) or _is_theirs(own)):
        ours = {}
    else:
        made = Path(temp_dir).parent / HOME
        made.mkdir(mode=0o700)
        ours = {"HOME": str(made), DATA: str(data_folder())}
    with _variables(ours):
        yield


def _is_theirs(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid() and folder != Path("/")
    except OSError:
        return False


@contextlib.contextmanager
def _environment(ours: Mapping[str, str], without: tuple[str, ...]) -> Iterator[None]:
    """Set environment variables, and put back what was there; Ray reads its token anew both times."""
    try:
        with _variables({**dict.fromkeys(without), **ours}):  # without a mode Ray asks for a token
            _read_token_anew()
            yield
    finally:
        _read_token_anew()


@contextlib.contextmanager
def _variables(ours: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, None for none, and put back what was there."""
    before = {name: os.environ.get(name) for name in ours}
    _set(ours)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _read_token_anew() -> None:
    import ray
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    if ray.is_initialized():  # it was left running, and reads them
        return
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def _loopback() -> Iterator[None]:
    """Have Ray in this process, which read the variable when it was imported, see it too."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
