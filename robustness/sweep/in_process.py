"""A sweep in this process, without Ray: for a study so small that Ray's start would take longer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from robustness.provenance import collect
from robustness.sweep.progress import Progress
from robustness.sweep.stacks import cut, held_together
from robustness.sweep.start import begin
from robustness.sweep.tune import Sweep, SweepError
from robustness.worker.checkpointing import Keeping
from robustness.worker.own_modules import plugin_packages
from robustness.worker.work import work

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.study import Run, Study
    from robustness.sweep.start import Start


def run_here(
    study: Study, results: str | Path = "results", *, quiet: bool = False, use_published: bool = True
) -> Sweep:
    """Train what is missing of `study`, stack by stack, on this machine's GPU if it has one.

    Ctrl-C stops at once; what was stored or set down stays, and the next call goes on from there.

    Args:
        study: what to train.
        results: folder or pyarrow filesystem URI; the study gets a folder of its name in it.
        quiet: show no progress.
        use_published: take what is published of the study rather than train it.

    Raises:
        SweepError: results could not be written, or another sweep of the study took over.
        StorageError: the results folder cannot be read or written from the start.
    """
    with begin(study, results, use_published=use_published) as start:
        start.store.write_provenance(collect(sys.argv, plugin_packages(study)))
        with Progress(study, total=start.source.total, done=start.source.done, quiet=quiet) as progress:
            start.announce(progress)
            while runs := start.source.next():
                begun, new = held_together(runs, start.held)
                for stack in [*begun, *cut(new, slots=1)]:
                    _train(start, stack, progress)
            progress.running = 0
            start.tidy()
            return Sweep(start.store.root, progress.trained, progress.failed, interrupted=False, taken=start.taken)


def _train(start: Start, stack: list[Run], progress: Progress) -> None:
    from robustness.training import default_device

    progress.running = len(stack)
    policy = start.study.resources.checkpoint
    report = work(
        stack,
        start.store,
        sweep_id=start.sweep_id,
        device=default_device(),
        sampler=start.study.search.sampler,
        retries=0,
        fit=start.study.resources.stack_size == "auto",
        keeper=Keeping(start.store, policy, start.sweep_id, tell=lambda share: progress.part("stack", stack, share)),
    )
    progress.part("stack", stack, 0.0)
    if report.error:
        raise SweepError(report.error)
    start.source.tell(report.outcomes)
    progress.add(report, stack)
