"""Every column of stored results, a row each: both tables, what training records and what is shown come from it.

A row says what the column is in the table of runs, in that of curves, or in both. Another column is a row here, a
`migration`, and the number itself in `robustness.training`.
"""

from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa

from robustness.results.tables.column import Column, OfCell, OnMaps

TEXT, REAL, SHORT, LONG = pa.string(), pa.float64(), pa.int32(), pa.int64()
REALS = pa.list_(REAL)
TIME = pa.timestamp("us", tz="UTC")
PERCENT, COUNT, FIRST = (0.0, 100.0), (0.0, 2.0**63), (1.0, 2.0**63)
RATE, NORM = (0.0, sys.float_info.max), (0.0, float("inf"))
"""What values may be within: a rate is finite, a norm may have overflown."""


def _identity(name: str, kind: pa.DataType, of_run: str | None, **more: Any) -> Column:
    return Column(name=name, kind=kind, role="identity", of_run=of_run, **more)


def _outcome(name: str, kind: pa.DataType, of_run: str | None, *, null: bool = True, **more: Any) -> Column:
    return Column(name=name, kind=kind, role="outcome", null=null, of_run=of_run, **more)


def _metric(name: str, of_run: str, of_epoch: str, **shown: Any) -> Column:
    """Return a number that training records each epoch, the last of which is the run's."""
    return _outcome(name, REAL, of_run, of_epoch=of_epoch, per_epoch=True, at_end=True, **shown)


def _provenance(name: str, kind: pa.DataType, of_run: str, **more: Any) -> Column:
    return Column(name=name, kind=kind, role="provenance", of_run=of_run, **more)


def _error(place: int, title: str, name: str) -> OnMaps:
    return OnMaps(place=place, title=title, quantity=title.partition(",")[0].lower(), unit="%", name=name)


def _loss(place: int, title: str) -> OnMaps:
    return OnMaps(place=place, title=f"{title}, last epoch", quantity=title.lower(), unit="nats", name=title.lower())


COLUMNS: tuple[Column, ...] = (
    _identity(
        "run_id",
        TEXT,
        "Hash of everything that decides the run's outcome, and of nothing else.",
        of_epoch="The run, as in the runs table.",
    ),
    _identity("epoch", SHORT, None, of_epoch="Epoch, counted from 1.", within=FIRST),
    _identity("cell_id", TEXT, "The same hash without the seed."),
    _identity("workload", TEXT, "Name of the workload, or its import string."),
    _identity("workload_options", TEXT, "Every resolved option of the workload, as JSON."),
    _identity("optimizer", TEXT, "Name of the optimizer, or its import string."),
    _identity("optimizer_options", TEXT, "Every resolved option of the optimizer but its name, as JSON."),
    _identity("convention", TEXT, "How weight decay acts: l2, decoupled, scheduled or vanilla."),
    _identity(
        "lr",
        REAL,
        "Base learning rate, before the schedule.",
        of_epoch="Learning rate of that epoch, after the schedule.",
        per_epoch=True,
        within=RATE,
    ),
    _identity("weight_decay", REAL, "Weight decay on the common scale of L2 and scheduled decay.", within=RATE),
    _identity("weight_decay_native", REAL, "Weight decay as the optimizer is given it."),
    _identity("seed", LONG, "Seed of the splits, initial weights and data order.", within=COUNT),
    _identity("engine", TEXT, "stack (many runs as one model) or single (one by one)."),
    _outcome(
        "status",
        TEXT,
        "completed, diverged (some loss was not finite) or failed (no result).",
        null=False,
        of_cell=OfCell(place=1, head="Status"),
    ),
    _outcome("reason", TEXT, "Why a run diverged or failed; null for a completed one."),
    _outcome("metric", TEXT, "What the run is judged by: error, in percent.", null=False),
    _outcome(
        "baseline",
        REAL,
        "That metric of a network that has learnt nothing: chance, percent; null if unknown.",
        within=PERCENT,
    ),
    _outcome(
        "epochs",
        SHORT,
        "Finished epochs; 0 for a failed run.",
        null=False,
        within=COUNT,
        of_cell=OfCell(place=6, head="Epochs"),
    ),
    _outcome("steps", LONG, "Optimizer steps taken.", within=COUNT),
    _outcome("parameters", LONG, "Trainable numbers in the network.", within=COUNT),
    _metric(
        "train_loss",
        "Mean training loss of the last epoch; null if diverged, as all that follows of the last epoch.",
        "Mean training loss over the epoch's minibatches.",
        on_maps=_loss(7, "Training loss"),
        of_cell=OfCell(place=4, head="Training loss"),
    ),
    _metric(
        "train_error",
        "Training error of the last epoch, percent.",
        "Training error over the epoch's minibatches, percent.",
        within=PERCENT,
        on_maps=_error(6, "Training error, last epoch", "training error"),
    ),
    _metric(
        "validation_loss",
        "Validation loss after the last epoch; null without that split.",
        "Validation loss after the epoch; null without that split.",
        on_maps=_loss(8, "Validation loss"),
    ),
    _metric(
        "validation_error",
        "Validation error after the last epoch, percent; as above.",
        "Validation error after the epoch, percent; as above.",
        within=PERCENT,
        on_maps=_error(4, "Validation error, last epoch", "validation error"),
        of_cell=OfCell(place=3, head="Validation error, %"),
    ),
    _metric(
        "test_loss",
        "Test loss after the last epoch.",
        "Test loss after the epoch.",
        on_maps=_loss(9, "Test loss"),
    ),
    _metric(
        "test_error",
        "Test error after the last epoch, percent; null if diverged: see `baseline`.",
        "Test error after the epoch, percent.",
        within=PERCENT,
        on_maps=_error(1, "Test error, last epoch", "test error"),
        of_cell=OfCell(place=2, head="Test error, %"),
    ),
    _outcome(
        "best_epoch",
        SHORT,
        "Epoch (from 1) of least validation error, else of least test error, of those that ended; null if none did.",
        within=FIRST,
    ),
    _outcome(
        "best_validation_error",
        REAL,
        "Least validation error over the epochs, percent.",
        within=PERCENT,
        on_maps=_error(5, "Validation error, best epoch", "best validation error"),
    ),
    _outcome(
        "test_error_at_best",
        REAL,
        "Test error after best_epoch, percent.",
        within=PERCENT,
        on_maps=_error(2, "Test error, epoch best on validation", "test error at best validation epoch"),
    ),
    _outcome(
        "best_test_error",
        REAL,
        "Least test error over the epochs, percent: the paper's protocol.",
        within=PERCENT,
        on_maps=_error(3, "Test error, best epoch (by test)", "test error at best test epoch"),
    ),
    _metric(
        "grad_norm",
        "Mean 2-norm of the loss gradient over the last epoch's minibatches.",
        "Mean 2-norm of the loss gradient over the epoch's minibatches, no decay term.",
        within=NORM,
        on_maps=OnMaps(place=10, title="Gradient norm", quantity="gradient norm", name="gradient norm"),
        of_cell=OfCell(place=5, head="Gradient norm"),
    ),
    _metric("grad_norm_sq", *2 * ("Mean squared 2-norm of the same: the paper's G.",)),
    _metric(
        "weight_norm",
        "2-norm of all parameters after the last epoch.",
        "2-norm of all parameters after the epoch.",
        within=NORM,
    ),
    _outcome(
        "update_norm",
        REAL,
        None,
        of_epoch="2-norm of the epoch's net displacement of the parameters.",
        per_epoch=True,
        within=NORM,
    ),
    _metric(
        "effective_decay",
        "d in w <- w (1 - lr d) at the last step; null for convention l2.",
        "d in w <- w (1 - lr d) at the epoch's last step; null for convention l2.",
    ),
    _metric("root_mean_v", *2 * ("Root of the mean bias-corrected second moment; null without one.",)),
    _metric(
        "effective_lr",
        "lr / weight_norm², the rate of a scale-invariant network, after the last epoch.",
        "lr / weight_norm² after the epoch.",
    ),
    _metric(
        "hessian_top",
        "Greatest eigenvalue of the training loss's Hessian at the end; null if not asked.",
        "Greatest eigenvalue of the training loss's Hessian; null where not measured.",
        on_maps=OnMaps(
            place=11,
            title="Sharpness: largest Hessian eigenvalue",
            quantity="largest eigenvalue",
            name="largest Hessian eigenvalue",
        ),
    ),
    _metric(
        "hessian_trace",
        "Estimated trace of the same; null if not asked.",
        "Estimated trace of the same; null where not measured.",
    ),
    _outcome("hessian_eigenvalues", REALS, "Its greatest eigenvalues, descending; null if not asked."),
    _provenance("label", TEXT, "What the study called the optimizer when it trained; null if unknown.", null=True),
    _provenance("sampler", TEXT, "What chose the cell: grid, tpe, gp, cmaes, qmc or random."),
    _provenance(
        "stack_size",
        SHORT,
        "Runs trained together with this one, itself included; null if unknown.",
        null=True,
        within=FIRST,
    ),
    _provenance(
        "duration_s",
        REAL,
        "The run's share of its stack's time, seconds; null if unknown.",
        null=True,
        within=RATE,
        of_cell=OfCell(place=7, head="Seconds"),
    ),
    _provenance("device", TEXT, "Device that trained it; null if unknown.", null=True),
    _provenance("host", TEXT, "Machine that trained it; null if unknown.", null=True),
    _provenance("finished_at", TIME, "When the run ended (UTC)."),
    _provenance("torch_version", TEXT, "Version of torch that trained it; null if it did not.", null=True),
    _provenance(
        "code_version", TEXT, "Version of this package and its git commit; null if it did not train it.", null=True
    ),
    _provenance(
        "code", TEXT, "Digest of the study's own modules that it was trained with; null without any.", null=True
    ),
    _provenance("arithmetic", TEXT, "How its steps were computed: eager or compiled; null if unknown.", null=True),
    _provenance("origin", TEXT, "Where the row comes from: sweep, which trained it."),
    _provenance("copied_from", TEXT, "The published study that it was taken from; null if trained here.", null=True),
)

PER_EPOCH = tuple(column.name for column in COLUMNS if column.per_epoch)
"""What training records each epoch."""

AT_END = tuple(column.name for column in COLUMNS if column.at_end)
"""Of these, what a run's row has of its last epoch."""

ERRORS = tuple(column.name for column in COLUMNS if column.on_maps and column.on_maps.unit == "%")
"""What a run that has learnt nothing has its `baseline` in."""
