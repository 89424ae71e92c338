"""A study being executed: Ray Tune spreads its stacks over a machine or a cluster, one trial a stack."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.private_files import temporary_folder
from robustness.sweep import ray_session
from robustness.sweep.capacity import measure
from robustness.sweep.progress import WAITING, Progress
from robustness.sweep.start import begin
from robustness.sweep.transfer import Transfer
from robustness.sweep.trial import trial
from robustness.sweep.tried import tried
from robustness.worker.parcel import pack

if TYPE_CHECKING:
    from pathlib import Path

    from robustness.results.files.place import Place
    from robustness.study import Study
    from robustness.sweep.start import Start


@dataclass(frozen=True)
class Sweep:
    """How a sweep ended.

    Attributes:
        root: folder or URI of the study's results.
        trained: runs that this sweep trained, diverged ones included.
        failed: runs that could not be trained.
        interrupted: whether it was asked to stop before all was done.
        taken: runs that were copied from published results.

    Example:
        >>> from robustness import Place, Sweep
        >>> Sweep(Place("results/mine"), trained=36, failed=0, interrupted=False).taken
        0
    """

    root: Place
    trained: int
    failed: int
    interrupted: bool
    taken: int = 0


class SweepError(Exception):
    """A sweep had to end early; what was stored stays, and the next one goes on from there."""


def run(
    study: Study,
    results: str | Path | Place = "results",
    *,
    address: str | None = None,
    verbose: bool = False,
    quiet: bool = False,
    use_published: bool = True,
    process_ends: bool = False,
    try_first: bool = True,
) -> Sweep:
    """Train what is missing of `study` and store it below `results`.

    Ctrl-C (or SIGTERM) lets the running stacks finish and stores them, or suspends what takes long; a second one stops
    at once.

    Args:
        study: what to train.
        results: folder or pyarrow filesystem URI; the study gets a folder of its name in it.
        address: a Ray cluster's address, `auto` for the one this machine belongs to; None starts Ray here.
        verbose: leave Ray's own messages on the screen.
        quiet: show no progress.
        use_published: take what is published of the study rather than train it.
        process_ends: leave Ray running where a second Ctrl-C raises KeyboardInterrupt: the caller then ends the process
            at once, by `os._exit`.
        try_first: try what of the study is one's own on a small batch, before anything is trained.

    Returns:
        How it ended: how many runs were trained, failed or taken from published results.

    Raises:
        DryRunError: something of one's own would not be trained as a plain loop of torch would train it.
        KeyboardInterrupt: Ctrl-C, or SIGTERM, came a second time.
        SweepError: results could not be written, or another sweep of the study took over.
        ClusterError: Ray could not be started or reached, or has no room for a stack.
        StorageError: the results folder cannot be read or written from the start.
        StudyError: stored runs are of another class of `__main__` that has the same name.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from robustness import Study, run
        >>> with TemporaryDirectory() as results:  # all of it is published: nothing is left to train
        ...     sweep = run(Study.load("cifar10"), results, quiet=True)
        >>> sweep.trained, sweep.taken
        (0, 504)
    """
    ready = tried(study, try_first=try_first, quiet=quiet)
    study = ready.study
    with begin(study, results, use_published=use_published) as start:
        start.warn()
        source = start.source
        if source.total == source.done:
            start.tidy()
            return Sweep(start.store.root, 0, 0, interrupted=False, taken=start.taken)
        start.store.write_provenance(ready.record())
        with Progress(study, total=source.total, done=source.done, stored=start.stored, quiet=quiet) as progress:
            start.announce(progress)
            progress.say(f"joining Ray at {address}" if address else "starting Ray")
            with ray_session.connect(address, verbose=verbose, process_ends=process_ends) as alone:
                interrupted = _tune(start, progress, alone=alone)
            if not interrupted:
                start.tidy()
            return Sweep(start.store.root, progress.trained, progress.failed, interrupted, start.taken)


def _tune(start: Start, progress: Progress, *, alone: bool) -> bool:
    """Run Ray Tune, on this machine `alone` or not, until the source is empty; return whether it was interrupted."""
    from ray import tune
    from ray.exceptions import RayError

    from robustness.sweep.lost_nodes import LostNodes
    from robustness.sweep.searcher import StackSearcher

    study, store, sweep_id = start.study, start.store, start.sweep_id
    room = measure(study.resources)
    progress.say(WAITING if room.now else f"waiting for nodes: none has room for a stack, which asks for {room.need}")
    searcher = StackSearcher(
        study=study,
        source=start.source,
        store=store,
        progress=progress,
        room=lambda: measure(study.resources),
        run_time=start.run_time,
        sweep_id=sweep_id,
        checkpoints=start.checkpoints,
    )
    scratch = temporary_folder("robustness-")

    def stop() -> None:
        searcher.stop()
        ray_session.set_flag(sweep_id)
        progress.stopping(searcher.running)

    parcel = pack(study, start.code, alone=alone, say=progress.note)
    trainable = tune.with_parameters(Transfer(trial), parcel=parcel, store=store, sweep_id=sweep_id)
    tuner = tune.Tuner(
        tune.with_resources(trainable, dict(room.need)),
        tune_config=tune.TuneConfig(
            search_alg=searcher, scheduler=LostNodes(searcher), num_samples=-1, reuse_actors=True
        ),
        # What dies comes again by the searcher, which tells a lost node from a run that kills its worker.
        run_config=tune.RunConfig(name="sweep", storage_path=str(scratch), verbose=0),
    )
    try:
        with ray_session.interruptible(stop) as interrupted:
            tuner.fit()
    except (RayError, tune.TuneError) as error:
        raise SweepError(f"Ray ended the sweep: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if searcher.error:
        raise SweepError(searcher.error)
    return interrupted.is_set()
