"""A trial of Ray Tune, on a worker: one stack, one report at its end, and before from time to time how far it is."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from robustness.errors import ClusterError
from robustness.results.files.retrying import patiently
from robustness.sweep import ray_session
from robustness.worker.attempts import Marks, reason
from robustness.worker.checkpointing import CheckpointKeeper
from robustness.worker.parcel import work_in
from robustness.worker.report import Report, decode
from robustness.worker.work import work

if TYPE_CHECKING:
    from robustness.results import Store
    from robustness.worker.parcel import Parcel

RUNS = "runs"
"""Under which a trial is given its stack."""

REPORT = "report"
"""Under which it tells how the stack went."""

REPORT_SHARE = "share"
"""Under which it tells how much of the training it has behind it, 0 to 1."""

NOT_SHARED = (
    "{host} does not see the results folder {root}: it must be one that all nodes share, such as NFS or "
    "s3://bucket/results"
)


CANNOT_WORK = "a worker cannot work: {}"


def trial(config: dict[str, Any], parcel: Parcel, store: Store, sweep_id: str) -> None:
    """Train the stack of `config` as Ray Tune asks for it, and report; what goes wrong is in the report.

    Args:
        config: what the searcher suggested: the stack, under `RUNS`.
        parcel: the study.
        store: its results.
        sweep_id: the sweep that trains.
    """
    from ray import tune

    work_in(parcel.folder)
    try:
        report = _report(config, parcel, store, sweep_id)
    except ClusterError as error:
        report = Report(error=str(error))
    except FileNotFoundError as error:
        report = Report(error=str(parcel.missing(error)) if parcel.elsewhere else CANNOT_WORK.format(reason(error)))
    except Exception as error:  # noqa: BLE001 - what `work` does not answer for would fail every other stack too
        report = Report(error=CANNOT_WORK.format(reason(error)))
    tune.report({REPORT: report.to_json()})


def _report(config: dict[str, Any], parcel: Parcel, store: Store, sweep_id: str) -> Report:
    """Train a stack, unless the sweep has been asked to stop or this node does not see its results."""
    import ray
    from ray import tune

    if ray_session.flag(sweep_id):
        return Report(skipped=True)
    if not patiently(store.exists):
        return Report(error=NOT_SHARED.format(host=socket.gethostname(), root=store.root))
    study = parcel.open()
    return work(
        decode(study, config[RUNS]),
        store,
        sweep_id=sweep_id,
        # Ray's word on the device, not torch's: a stack that reserved no GPU must not use one.
        device="cuda" if ray.get_gpu_ids() else "cpu",
        sampler=study.search.sampler,
        retries=study.resources.retries,
        fit=study.resources.stack_size == "auto",
        elsewhere=parcel.elsewhere,
        marks=Marks.of(study, parcel.code),
        keeper=CheckpointKeeper(
            store,
            study.resources.checkpoint,
            sweep_id,
            tell=lambda share: tune.report({REPORT_SHARE: share}),
            stopping=lambda: ray_session.flag(sweep_id),
        ),
    )
