"""A study being executed: Ray Tune spreads its stacks over a machine or a cluster, one trial a stack."""

from __future__ import annotations

import shutil
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.provenance import collect
from robustness.results import Store, child
from robustness.search import make_source
from robustness.sweep import ray_session
from robustness.sweep.progress import WAITING, Progress
from robustness.sweep.shipping import Parcel, pack
from robustness.sweep.worker import Report, decode, reason, work

if TYPE_CHECKING:
    from robustness.search import Source
    from robustness.study import Study


@dataclass(frozen=True)
class Sweep:
    """How a sweep ended.

    Attributes:
        root: folder or URI of the study's results.
        trained: runs that this sweep trained, diverged ones included.
        failed: runs that could not be trained.
        interrupted: whether it was asked to stop before all was done.
    """

    root: str
    trained: int
    failed: int
    interrupted: bool


class SweepError(Exception):
    """A sweep had to end early; what was stored stays, and the next one goes on from there."""


def run(
    study: Study,
    results: str | Path = "results",
    *,
    address: str | None = None,
    verbose: bool = False,
    quiet: bool = False,
) -> Sweep:
    """Train what is missing of `study` and store it below `results`.

    Ctrl-C (or SIGTERM) lets the running stacks finish and stores them; a second one stops at once.

    Args:
        study: what to train.
        results: folder or pyarrow filesystem URI; the study gets a folder of its name in it.
        address: a Ray cluster's address, `auto` for the one this machine belongs to; None starts Ray here.
        verbose: leave Ray's own messages on the screen.
        quiet: show no progress.

    Raises:
        SweepError: results could not be written, or another sweep of the study took over.
        ClusterError: Ray could not be started or reached, or has no room for a stack.
        StorageError: the results folder cannot be read or written from the start.
    """
    store, sweep_id, source = begin(study, results)
    if source.total == source.done:
        return Sweep(store.root, 0, 0, interrupted=False)
    store.write_provenance(collect(sys.argv))
    with Progress(study, total=source.total, done=source.done, quiet=quiet) as progress:
        progress.say(f"joining Ray at {address}" if address else "starting Ray")
        with ray_session.connect(address, verbose=verbose):
            progress.say(WAITING)
            interrupted = _tune(study, source, store, progress, sweep_id)
        return Sweep(store.root, progress.trained, progress.failed, interrupted)


def begin(study: Study, results: str | Path) -> tuple[Store, str, Source]:
    """Claim `study` for a new sweep; return its store, the sweep's id and where the missing runs come from.

    Raises:
        StorageError: the results folder cannot be read or written.
    """
    store = Store(child(str(results), study.name))
    sweep_id = uuid.uuid4().hex
    store.claim(sweep_id)  # before anything is read: from here on no other sweep's worker adds to it
    store.write_study(study.text)
    store.clean()
    return store, sweep_id, make_source(study, store.runs())


def _tune(study: Study, source: Source, store: Store, progress: Progress, sweep_id: str) -> bool:
    """Run Ray Tune until the source is empty; return whether it was interrupted."""
    from ray import tune
    from ray.exceptions import RayError

    from robustness.sweep.searcher import StackSearcher

    resources, slots = ray_session.slots(study.resources)
    searcher = StackSearcher(study, source, store, slots, progress)
    scratch = Path(tempfile.mkdtemp(prefix="robustness-"))

    def stop() -> None:
        searcher.stop()
        ray_session.set_flag(sweep_id)
        progress.stopping(searcher.running)

    trainable = tune.with_parameters(_trial, parcel=pack(study), store=store, sweep_id=sweep_id)
    tuner = tune.Tuner(
        tune.with_resources(trainable, resources),
        tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=study.resources.retries),
        ),
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


def _trial(config: dict[str, Any], parcel: Parcel, store: Store, sweep_id: str) -> None:
    """What Ray Tune calls on a worker: one stack, one report."""
    import ray
    from ray import tune

    from robustness.sweep.searcher import REPORT, RUNS

    try:
        if ray_session.flag(sweep_id):
            report = Report(skipped=True)
        else:
            # Ray's word on the device, not torch's: a stack that reserved no GPU must not use one.
            device = "cuda" if ray.get_gpu_ids() else "cpu"
            study = parcel.open()
            runs = decode(study, config[RUNS])
            report = work(
                runs,
                store,
                sweep_id=sweep_id,
                device=device,
                sampler=study.search.sampler,
                retries=study.resources.retries,
            )
    except Exception as error:  # noqa: BLE001 - what `work` does not answer for would fail every other stack too
        report = Report(error=f"a worker cannot work: {reason(error)}")
    tune.report({REPORT: report.to_json()})
