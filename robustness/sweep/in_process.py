"""A sweep in this process, without Ray: for a study so small that Ray's start would take longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.sweep.progress import Progress
from robustness.sweep.stacks import by_checkpoint, cut
from robustness.sweep.start import begin
from robustness.sweep.tried import tried
from robustness.sweep.tune import Sweep, SweepError
from robustness.worker.attempts import Marks
from robustness.worker.checkpointing import CheckpointKeeper
from robustness.worker.work import work

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.results.files.place import Place
    from robustness.study import Run, Study
    from robustness.sweep.start import Start


def run_here(
    study: Study,
    results: str | Path | Place = "results",
    *,
    quiet: bool = False,
    use_published: bool = True,
    try_first: bool = True,
) -> Sweep:
    """Train what is missing of `study`, stack by stack, on this machine's GPU if it has one.

    Ctrl-C stops at once; what was stored or checkpointed stays, and the next call goes on from there.

    Args:
        study: what to train.
        results: folder or pyarrow filesystem URI; the study gets a folder of its name in it.
        quiet: show no progress.
        use_published: take what is published of the study rather than train it.
        try_first: try what of the study is one's own on a small batch, before anything is trained.

    Raises:
        DryRunError: something of one's own would not be trained as a plain loop of torch would train it.
        SweepError: results could not be written, or another sweep of the study took over.
        StorageError: the results folder cannot be read or written from the start.
        StudyError: stored runs are of another class of `__main__` that has the same name.
    """
    size = study.resources.stack_size
    ready = tried(study, try_first=try_first, quiet=quiet)
    study = ready.study
    with begin(study, results, use_published=use_published) as start:
        start.warn()
        source = start.source
        if source.total > source.done:
            start.store.write_provenance(ready.record())
        with Progress(study, total=source.total, done=source.done, stored=start.stored, quiet=quiet) as progress:
            start.announce(progress)
            while runs := source.next():
                begun, new = by_checkpoint(runs, start.checkpoints)
                for stack in [*begun, *cut(new, slots=1, size=None if size == "auto" else int(size))]:
                    _train(start, stack, progress)
            progress.running = 0
            start.tidy()
            return Sweep(start.store.root, progress.trained, progress.failed, interrupted=False, taken=start.taken)


def _train(start: Start, stack: list[Run], progress: Progress) -> None:
    from robustness.training import default_device

    progress.running = len(stack)
    keeper = CheckpointKeeper(
        start.store,
        start.study.resources.checkpoint,
        start.sweep_id,
        tell=lambda share: progress.part("stack", stack, share),
    )
    report = work(
        stack,
        start.store,
        sweep_id=start.sweep_id,
        device=default_device(),
        sampler=start.study.search.sampler,
        retries=start.study.resources.retries,
        fit=start.study.resources.stack_size == "auto",
        keeper=keeper,
        marks=Marks.of(start.study, start.code),
    )
    progress.part("stack", stack, 0.0)
    if report.error:
        raise SweepError(report.error)
    start.source.tell(report.outcomes)
    progress.add(report, stack)
