"""A sweep in this process, without Ray: for a study so small that Ray's start would take longer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from robustness.provenance import collect
from robustness.sweep.execute import Sweep, SweepError, begin
from robustness.sweep.progress import Progress
from robustness.sweep.stacks import cut
from robustness.sweep.worker import work

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Study


def run_here(study: Study, results: str | Path = "results", *, quiet: bool = False) -> Sweep:
    """Train what is missing of `study`, stack by stack, on this machine's GPU if it has one.

    Ctrl-C stops at once; what was stored stays, and the next call goes on from there.

    Args:
        study: what to train.
        results: folder or pyarrow filesystem URI; the study gets a folder of its name in it.
        quiet: show no progress.

    Raises:
        SweepError: results could not be written, or another sweep of the study took over.
        StorageError: the results folder cannot be read or written from the start.
    """
    from robustness.training import default_device

    store, sweep_id, source = begin(study, results)
    store.write_provenance(collect(sys.argv))
    with Progress(study, total=source.total, done=source.done, quiet=quiet) as progress:
        while runs := source.next():
            for stack in cut(runs, slots=1):
                progress.running = len(stack)
                report = work(
                    stack, store, sweep_id=sweep_id, device=default_device(), sampler=study.search.sampler, retries=0
                )
                if report.error:
                    raise SweepError(report.error)
                source.tell(report.outcomes)
                progress.add(report, stack)
        progress.running = 0
        return Sweep(store.root, progress.trained, progress.failed, interrupted=False)
