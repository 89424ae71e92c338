"""A Ray for one sweep on this machine: in a folder of ours, on loopback alone, with a token that nobody else knows."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Any

from robustness.sweep.ray_folder import ray_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OBJECT_STORE_BYTES = 128 * 2**20

BEYOND_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Where it is 0 a Ray has the address 127.0.0.1 and listens there alone, whatever the system.

`ray.init` has nothing for that: it takes `_node_ip_address="127.0.0.1"` for the machine's outer address.
"""

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
            "object_store_memory": OBJECT_STORE_BYTES,
            "_temp_dir": str(folder),
        }


@contextlib.contextmanager
def _environment(ours: Mapping[str, str], without: tuple[str, ...]) -> Iterator[None]:
    """Set environment variables, and put back what was there; Ray reads its token anew both times."""
    before = {name: os.environ.get(name) for name in {*ours, *without}}
    for name in without:
        os.environ.pop(name, None)  # without a mode Ray asks for a token
    os.environ.update(ours)
    _read_token_anew()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _read_token_anew()


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
