"""The command that says what is wrong with stored studies: check."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from robustness.commands.stored import stored_root
from robustness.console import FAILED, bar, out, takes_stored
from robustness.results import Store

if TYPE_CHECKING:
    import argparse

    from robustness.checks.fault import Checked
    from robustness.console import Add

MOST_LINES = 20
"""Faults of one file that are printed."""


def add_commands(add: Add) -> None:
    """Add check."""
    command = add(
        "check",
        check,
        "say what is wrong with stored studies: schema, digests, ids, duplicates, values, curves; changes nothing",
    )
    takes_stored(command, several=True)


def check(options: argparse.Namespace) -> int:
    """Print a line a fault, and what was verified; 1 where there are faults."""
    from robustness.checks.check import check as look

    faults = 0
    for root in [stored_root(study, options.results) for study in options.study]:
        store = Store(root, read_only=True)
        with bar(f"checking {store.name}") as on_progress:
            done = look(store, on_progress)
        _print(store.name, done)
        faults += len(done.faults)
    return FAILED if faults else 0


def _print(name: str, done: Checked) -> None:
    printed: Counter[str] = Counter()
    for fault in done.faults:
        printed[fault.file] += 1
        if printed[fault.file] <= MOST_LINES:
            out.print(f"{name}: {fault}")
    for file, count in printed.items():
        if count > MOST_LINES:
            out.print(f"{name}: {file}: and {count - MOST_LINES} faults more")
    for note in done.notes:
        out.print(f"{name}: {note}")
    what = f"{name}: {done.runs} runs in {done.parts} parts"
    if done.faults:
        out.print(f"{what}: {len(done.faults)} fault{'' if len(done.faults) == 1 else 's'}")
    else:
        out.print(f"{what}: {', '.join(done.verified)} verified")
