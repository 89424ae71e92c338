"""Ray itself: starting or joining it quietly, what it offers, and how a sweep on it is interrupted."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from robustness.errors import ClusterError
from robustness.sweep.ray_alone import ray_alone, ray_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # the searcher bounds them itself, by the slots there are
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # a worker is in the folder in which the command was given
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints its own header whatever the verbosity
}

NO_UTF_8 = (
    "Ray does not start: the path of the current folder, or another one, is not in UTF-8, which is all that Ray takes: "
    "set PYTHONUTF8=1, or LC_ALL to a locale such as C.UTF-8"
)

CONNECT_TIMEOUT_S = 10.0

STOP_S = 5.0
"""How long the thread that asks the workers to stop is waited for: its cluster may be away."""


@contextlib.contextmanager
def connect(address: str | None, *, verbose: bool, process_ends: bool = False) -> Iterator[bool]:
    """Start Ray on this machine, or join the cluster at `address`; leave it at the end. Yield whether it was started.

    Args:
        address: the cluster's; None starts Ray here.
        verbose: leave Ray's own messages on the screen.
        process_ends: at a KeyboardInterrupt leave Ray running, because the caller ends the process at once. Ray's
            threads and the actors in training are then not taken down one by one, in the middle of what they do, which
            takes seconds and can crash the process. What Ray started here ends with the process.

    Raises:
        ClusterError: no cluster answers at `address`, or Ray does not start, or has no place for its folder.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield False
        return
    if address:
        _check_that_it_answers(address)
    alone: AbstractContextManager[dict[str, Any]] = contextlib.nullcontext({}) if address else ray_alone()
    with alone as local:
        try:
            with ray_home(local.get("_temp_dir")):
                importlib.import_module("ray.tune")
                ray.init(
                    address=address or "local",
                    log_to_driver=verbose,
                    logging_level=logging.INFO if verbose else logging.ERROR,
                    **local,
                )
        except Exception as error:  # of any kind: a node that does not start in time is a bare Exception
            ray.shutdown()  # what of it did start
            if isinstance(error, UnicodeEncodeError):
                raise ClusterError(NO_UTF_8) from error
            place = f"no Ray cluster answers at {address!r}" if address else "Ray does not start"
            raise ClusterError(f"{place}: {error}") from error
        if not verbose:
            _hush()
        left = False
        try:
            yield not address
        except KeyboardInterrupt:
            left = process_ends
            raise
        finally:
            if not left:
                ray.shutdown()


def _hush() -> None:
    """Keep from the screen what Ray tells of each lost node and trial, in pages: the sweep says it in a line."""
    import ray._private.worker

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    if hasattr(ray._private.worker, "print_to_stdstream"):  # prints what raylets report, whatever `log_to_driver` is
        ray._private.worker.print_to_stdstream = lambda *_, **__: None


def _check_that_it_answers(address: str) -> None:
    """Refuse an address that nothing listens on: Ray itself would try for minutes, with a core dump at the end."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise ClusterError(f"no Ray cluster answers at {address!r}: {error.strerror or error}") from error


def set_flag(name: str) -> None:
    """Raise a flag that every worker of the cluster can see."""
    from ray.experimental.internal_kv import _internal_kv_put

    _internal_kv_put(f"robustness-{name}", b"1")


def flag(name: str) -> bool:
    """Return whether the flag is up."""
    from ray.experimental.internal_kv import _internal_kv_get

    return _internal_kv_get(f"robustness-{name}") is not None


@contextlib.contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """Call `stop` at the first SIGINT or SIGTERM, raise KeyboardInterrupt at the second.

    `stop` has a thread of its own, and has ended when this ends: Ray is not to be shut down under it.
    Outside the main thread, where Python allows no handlers, signals are left as they are.
    """
    asked, stopping = threading.Event(), threading.Thread(target=stop, daemon=True)

    def handle(_number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        # Not in the handler itself: it may have interrupted code that holds a lock which `stop` needs.
        stopping.start()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if asked.is_set():
            stopping.join(STOP_S)
