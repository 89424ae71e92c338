"""The columns of stored results: types, meaning and role, pinned and versioned.

`RUNS` has a row a run, `CURVES` a row a run and epoch. Every error is in percent, every loss in nats.
A missing number is null, never NaN, so that DuckDB and pandas agree on what a mean is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA_VERSION = 2
"""Goes up when a column is added, renamed or changes its meaning; then `MIGRATIONS` gets an entry."""

VERSION_KEY = b"robustness_schema_version"
STATUSES = ("completed", "diverged", "failed")

_TEXT, _REAL, _SHORT, _LONG = pa.string(), pa.float64(), pa.int32(), pa.int64()
_REALS = pa.list_(_REAL)
_TIME = pa.timestamp("us", tz="UTC")


def _field(name: str, kind: pa.DataType, role: str, description: str, *, null: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"description": description, "role": role})


def _identity(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return _field(name, kind, "identity", description)


def _outcome(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return _field(name, kind, "outcome", description, null=True)


def _provenance(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return _field(name, kind, "provenance", description)


_METADATA = {VERSION_KEY: str(SCHEMA_VERSION).encode()}

RUNS = pa.schema(
    [
        _identity("run_id", _TEXT, "Hash of everything that decides the run's outcome, and of nothing else."),
        _identity("cell_id", _TEXT, "The same hash without the seed."),
        _identity("workload", _TEXT, "Name of the workload, or its import string."),
        _identity("workload_options", _TEXT, "Every resolved option of the workload, as JSON."),
        _identity("optimizer", _TEXT, "Name of the optimizer, or its import string."),
        _identity("optimizer_options", _TEXT, "Every resolved option of the optimizer but its name, as JSON."),
        _identity("convention", _TEXT, "How weight decay acts: l2, decoupled, scheduled or vanilla."),
        _identity("lr", _REAL, "Base learning rate, before the schedule."),
        _identity("weight_decay", _REAL, "Weight decay on the common scale of L2 and scheduled decay."),
        _identity("weight_decay_native", _REAL, "Weight decay as the optimizer is given it."),
        _identity("seed", _LONG, "Seed of the splits, initial weights and data order."),
        _identity("engine", _TEXT, "stack (many runs as one model) or single (one by one)."),
        _field("status", _TEXT, "outcome", "completed, diverged (a result) or failed (not a result)."),
        _outcome("reason", _TEXT, "Why a run diverged or failed; null for a completed one."),
        _field("epochs", _SHORT, "outcome", "Finished epochs; 0 for a failed run."),
        _outcome("steps", _LONG, "Optimizer steps taken."),
        _outcome("parameters", _LONG, "Trainable numbers in the network."),
        _outcome("train_loss", _REAL, "Mean training loss of the last epoch; null if diverged."),
        _outcome("train_error", _REAL, "Training error of the last epoch, percent; that of chance if diverged."),
        _outcome("validation_loss", _REAL, "Validation loss after the last epoch; null without that split."),
        _outcome("validation_error", _REAL, "Validation error after the last epoch, percent; as above."),
        _outcome("test_loss", _REAL, "Test loss after the last epoch; null if diverged."),
        _outcome("test_error", _REAL, "Test error after the last epoch, percent; that of chance if diverged."),
        _outcome("best_epoch", _SHORT, "Epoch (from 1) of least validation error, else of least test error."),
        _outcome("best_validation_error", _REAL, "Least validation error over the epochs, percent."),
        _outcome("test_error_at_best", _REAL, "Test error after best_epoch, percent."),
        _outcome("best_test_error", _REAL, "Least test error over the epochs, percent: the paper's protocol."),
        _outcome("grad_norm", _REAL, "Mean 2-norm of the loss gradient over the last epoch's minibatches."),
        _outcome("grad_norm_sq", _REAL, "Mean squared 2-norm of the same: the paper's G."),
        _outcome("weight_norm", _REAL, "2-norm of all parameters after the last epoch."),
        _outcome("effective_decay", _REAL, "d in w <- w (1 - lr d) at the last step; null for convention l2."),
        _outcome("root_mean_v", _REAL, "Root of the mean bias-corrected second moment; null without one."),
        _outcome(
            "effective_lr", _REAL, "lr / weight_norm², the rate of a scale-invariant network, after the last epoch."
        ),
        _outcome(
            "hessian_top", _REAL, "Greatest eigenvalue of the training loss's Hessian at the end; null if not asked."
        ),
        _outcome("hessian_trace", _REAL, "Estimated trace of the same; null if not asked."),
        _outcome("hessian_eigenvalues", _REALS, "Its greatest eigenvalues, descending; null if not asked."),
        _provenance("sampler", _TEXT, "What chose the cell: grid, tpe, gp, cmaes, qmc or random."),
        _provenance("stack_size", _SHORT, "Runs trained together with this one, itself included."),
        _provenance("duration_s", _REAL, "The run's share of its stack's time, seconds."),
        _provenance("device", _TEXT, "Device that trained it."),
        _provenance("host", _TEXT, "Machine that trained it."),
        _provenance("finished_at", _TIME, "When the run ended (UTC)."),
        _provenance("torch_version", _TEXT, "Version of torch that trained it."),
        _provenance("code_version", _TEXT, "Version of this package and its git commit."),
    ],
    metadata=_METADATA,
)

CURVES = pa.schema(
    [
        _identity("run_id", _TEXT, "The run, as in the runs table."),
        _identity("epoch", _SHORT, "Epoch, counted from 1."),
        _identity("lr", _REAL, "Learning rate of that epoch, after the schedule."),
        _outcome("train_loss", _REAL, "Mean training loss over the epoch's minibatches."),
        _outcome("train_error", _REAL, "Training error over the epoch's minibatches, percent."),
        _outcome("validation_loss", _REAL, "Validation loss after the epoch; null without that split."),
        _outcome("validation_error", _REAL, "Validation error after the epoch, percent; as above."),
        _outcome("test_loss", _REAL, "Test loss after the epoch."),
        _outcome("test_error", _REAL, "Test error after the epoch, percent."),
        _outcome(
            "grad_norm",
            _REAL,
            "Mean 2-norm of the loss gradient over the epoch's minibatches, no decay term.",
        ),
        _outcome("grad_norm_sq", _REAL, "Mean squared 2-norm of the same: the paper's G."),
        _outcome("weight_norm", _REAL, "2-norm of all parameters after the epoch."),
        _outcome("update_norm", _REAL, "2-norm of the epoch's net displacement of the parameters."),
        _outcome(
            "effective_decay",
            _REAL,
            "d in w <- w (1 - lr d) at the epoch's last step; null for convention l2.",
        ),
        _outcome("root_mean_v", _REAL, "Root of the mean bias-corrected second moment; null without one."),
        _outcome("effective_lr", _REAL, "lr / weight_norm² after the epoch."),
        _outcome("hessian_top", _REAL, "Greatest eigenvalue of the training loss's Hessian; null where not measured."),
        _outcome("hessian_trace", _REAL, "Estimated trace of the same; null where not measured."),
    ],
    metadata=_METADATA,
)


def columns(schema: pa.Schema, role: str) -> tuple[str, ...]:
    """Return the names of the columns of one role: identity, outcome or provenance."""
    return tuple(field.name for field in schema if field.metadata[b"role"].decode() == role)


IDENTITY_COLUMNS = columns(RUNS, "identity")
OUTCOME_COLUMNS = columns(RUNS, "outcome")
PROVENANCE_COLUMNS = columns(RUNS, "provenance")

ADDED_IN_2 = ("effective_lr", "hessian_top", "hessian_trace", "hessian_eigenvalues")


def _to_2(table: pa.Table) -> pa.Table:
    """Add the columns of version 2, which nobody measured before."""
    schema = RUNS if "status" in table.schema.names else CURVES
    for name in ADDED_IN_2:
        if name in schema.names:
            table = table.append_column(schema.field(name), pa.nulls(len(table), schema.field(name).type))
    return table.replace_schema_metadata(_METADATA)


MIGRATIONS: dict[int, Callable[[pa.Table], pa.Table]] = {1: _to_2}
"""From a schema version to the function that turns such a table into one of the next version."""


class SchemaError(ValueError):
    """A table is not what the schema says; the text names the column."""


class NewerSchemaError(Exception):
    """A table was written by a newer version of this package."""


def version(schema: pa.Schema) -> int:
    """Return the version in a file's metadata; a file without one is judged by its columns alone.

    Raises:
        NewerSchemaError: The version is above `SCHEMA_VERSION`.
        SchemaError: The version is no known number.
    """
    text = (schema.metadata or {}).get(VERSION_KEY, str(SCHEMA_VERSION).encode()).decode(errors="replace")
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number > SCHEMA_VERSION:
        raise NewerSchemaError(f"schema version {number}, this one reads up to {SCHEMA_VERSION}")
    if number != SCHEMA_VERSION and number not in MIGRATIONS:
        raise SchemaError(f"unknown schema version {text!r}")
    return number


def migrate(table: pa.Table, found: int) -> pa.Table:
    """Bring a table of schema version `found` to the current one."""
    for number in range(found, SCHEMA_VERSION):
        table = MIGRATIONS[number](table)
    return table


def documented(schema: pa.Schema) -> list[str]:
    """Return the lines of the columns' table in docs/results.md."""
    return [
        f"| `{field.name}` | {field.type}{' or null' if field.nullable else ''}"
        f" | {field.metadata[b'role'].decode()}"
        f" | {field.metadata[b'description'].decode()} |"
        for field in schema
    ]
