"""Processes that work on a store until they are killed.

They are forks of one process that has imported what they need: a new one would spend most of its life importing.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from robustness.results import Store, compact
from tests.support.stored_rows import curve, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", __name__])


def start_writer(store: Store, first: int) -> BaseProcess:
    """Start a process that stores parts of ten runs, from the part number `first` on."""
    return _start(_write, store.root, first)


def start_compactions(store: Store) -> BaseProcess:
    """Start a process that compacts the store again and again."""
    return _start(_compact, store.root)


def _write(ready: Connection, root: str, first: int) -> None:
    store = Store(root)
    ready.send(None)
    for number in range(first, 10**9):
        runs = [row(10 * number + i) for i in range(10)]
        curves = [e for i in range(10) for e in curve(10 * number + i)]
        store.write(Store.part_name(r["run_id"] for r in runs), runs, curves)


def _compact(ready: Connection, root: str) -> None:
    ready.send(None)
    while True:
        compact(Store(root))


def _start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=target, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    here.recv()
    here.close()
    return process


def kill(process: BaseProcess) -> None:
    """End a process by SIGKILL."""
    process.kill()
    process.join()
    process.close()
