"""Commands that tidy and copy what is stored: compact and pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.commands.stored import stored_root
from robustness.console import BAD_INPUT, bar, err, out, place, takes_stored
from robustness.results import Store, child
from robustness.results import compact as merge
from robustness.results import pull as copy

if TYPE_CHECKING:
    import argparse

    from robustness.console import Add


def add_commands(add: Add) -> None:
    """Add compact and pull."""
    command = add(
        "compact", compact, "merge the many small files of stored studies into few, so that they open quickly"
    )
    takes_stored(command, several=True)

    command = add("pull", pull, "copy a stored study, such as one in a bucket, to this machine: what is missing here")
    takes_stored(command)
    command.add_argument(
        "--to", type=place, default="results", metavar="RESULTS", help="folder or URI to copy it to (default: results)"
    )


def compact(options: argparse.Namespace) -> int:
    """Merge the parts of each study."""
    for root in [stored_root(study, options.results) for study in options.study]:
        store = Store(root)
        with bar(f"compacting {store.name}") as on_progress:
            done = merge(store, on_progress)
        if done.merged:
            out.print(f"{store.name}: {done.before} parts became {done.after}")
        else:
            out.print(f"{store.name}: nothing to do, it has {_count(done.after, 'part')}")
        if done.rewritten:
            out.print(f"{_count(done.rewritten, 'part')} of an older version rewritten")
        if done.bare:
            out.print(f"{_count(done.bare, 'part')} left alone: the curves are missing or broken")
    return 0


def pull(options: argparse.Namespace) -> int:
    """Copy what is missing of a study; 2 where it would be copied onto itself."""
    source = Store(stored_root(options.study, options.results), read_only=True)
    target = Store(child(options.to, source.name))
    if source.root == target.root:
        err.print(f"{source.name} is in {options.to} already; say with --results where to pull it from")
        return BAD_INPUT
    with bar(f"pulling {source.name}") as on_progress:
        done = copy(source, target, on_progress)
    here = options.to
    if done.runs or done.failed:
        failed = f" and {_count(done.failed, 'failed one')}" if done.failed else ""
        out.print(f"{source.name}: {_count(done.runs, 'run')}{failed} pulled; {here} has {done.stored} now")
    else:
        out.print(f"{source.name}: nothing to pull; {here} has all of its {_count(done.stored, 'run')}")
    return 0


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
