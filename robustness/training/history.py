"""What training leaves behind: the curves of each run, and its row in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from robustness.results.tables.best_epoch import best_epoch
from robustness.results.tables.columns import AT_END, PER_EPOCH
from robustness.results.tables.ranges import ROUNDING
from robustness.study.run import identity
from robustness.training.inputs import InputsError
from robustness.training.rows import places_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from robustness.study import Run
    from robustness.training.sharpness import Sharpness

METRICS = PER_EPOCH
METRIC = "error"
"""What runs are judged by."""
_ERRORS = ("train_error", "validation_error", "test_error")
_LOSSES = ("train_loss", "validation_loss", "test_loss")


class History:
    """The curves of the runs of one stack, filled epoch by epoch.

    Attributes:
        values: metric name to an array (runs, epochs); NaN where a run has no value.
        epochs: (runs,) finished epochs, all of whose losses were finite.
        reasons: why a run diverged, by its index.
        spectra: eigenvalues of the Hessian after the last epoch, greatest first, by a run's index; where asked for.
    """

    def __init__(self, runs: Sequence[Run], *, parameters: int, steps_per_epoch: int) -> None:
        self.runs = runs
        self.workload = runs[0].workload
        self.parameters = parameters
        self.steps_per_epoch = steps_per_epoch
        shape = (len(runs), self.workload.epochs)
        self.values = {name: np.full(shape, np.nan) for name in METRICS}
        self.epochs = np.zeros(len(runs), dtype=np.int32)
        self.reasons: dict[int, str] = {}
        self.spectra: dict[int, list[float]] = {}

    def record(self, epoch: int, rows: np.ndarray, metrics: Mapping[str, Tensor]) -> np.ndarray:
        """Enter one epoch (counted from 0) and return which of `rows` go on.

        Args:
            epoch: the epoch that has ended.
            rows: (n,) the runs' indices.
            metrics: metric name to (n,) values; a loss that is not finite ends the run, its epoch is not kept.

        Returns:
            (n,) booleans: True where every loss is finite.

        Raises:
            InputsError: the workload's errors are none: beyond 0 to 1.
        """
        arrays = {name: value.detach().double().cpu().numpy() for name, value in metrics.items()}
        self._refuse_errors(arrays)
        sound: np.ndarray = np.isfinite(np.array([arrays[name] for name in _LOSSES if name in arrays])).all(axis=0)
        for name, array in arrays.items():
            self.values[name][rows[sound], epoch] = array[sound]
        self.values["effective_lr"][rows, epoch] = (
            self.values["lr"][rows, epoch] / self.values["weight_norm"][rows, epoch] ** 2
        )
        self.epochs[rows[sound]] = epoch + 1
        for row in rows[~sound]:
            self.reasons[int(row)] = f"the loss was not finite in epoch {epoch + 1}"
        return sound

    def _refuse_errors(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Refuse errors of a workload of one's own that are no share: no reader would take such rows."""
        for name in _ERRORS:
            if name in arrays and (np.abs(arrays[name] - 50) > 50 + ROUNDING).any():
                worst = arrays[name][np.nanargmax(np.abs(arrays[name] - 50))]
                raise InputsError(
                    f"{self.workload.title}: {name} is {worst:g} %: `errors` of a workload must return 0 to 1 for each"
                    " target; mend it, then run again"
                )

    def record_sharpness(self, epoch: int, row: int, found: Sharpness) -> None:
        """Enter what was measured of the Hessian of the run `row` after `epoch` (counted from 0)."""
        self.values["hessian_trace"][row, epoch] = found.trace
        if len(found.eigenvalues):
            self.values["hessian_top"][row, epoch] = found.eigenvalues[0]
        if epoch + 1 == self.workload.epochs:
            self.spectra[row] = [float(value) for value in found.eigenvalues if np.isfinite(value)]

    def state(self) -> dict[str, Any]:
        """Return all that was entered, in the form of a checkpoint."""
        finished = int(self.epochs.max(initial=0))
        return {
            "run_ids": [run.run_id for run in self.runs],
            "values": {name: torch.from_numpy(values[:, :finished].copy()) for name, values in self.values.items()},
            "epochs": self.epochs.tolist(),
            "reasons": self.reasons,
            "spectra": self.spectra,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from the `state` of a history that has all of these runs; it may have others too."""
        places = places_of(state["run_ids"], [run.run_id for run in self.runs])
        for name, values in state["values"].items():
            self.values[name][:, : values.shape[1]] = values[places].numpy()
        self.epochs[:] = [state["epochs"][index] for index in places]
        for mine, theirs in (("reasons", self.reasons), ("spectra", self.spectra)):
            theirs.update({row: state[mine][index] for row, index in enumerate(places) if index in state[mine]})

    def curves(self) -> dict[str, Any]:
        """Return the columns of the curves table, a row a run and finished epoch."""
        finished = np.arange(self.workload.epochs) < self.epochs[:, None]
        run, epoch = np.nonzero(finished)
        ids = np.array([r.run_id for r in self.runs], dtype=object)
        columns: dict[str, Any] = {"run_id": ids[run].tolist(), "epoch": (epoch + 1).tolist()}
        columns |= {name: _nullable(values[finished]) for name, values in self.values.items()}
        return columns

    def rows(self, provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return one row of the runs table for each run, `provenance` added to each."""
        return [{**self._row(index), **provenance} for index in range(len(self.runs))]

    def _row(self, index: int) -> dict[str, Any]:
        run, epochs = self.runs[index], int(self.epochs[index])
        curve = {name: values[index, :epochs] for name, values in self.values.items()}
        row = identity(run) | {
            "status": "completed",
            "reason": None,
            "metric": METRIC,
            "baseline": self.workload.chance_error,
            "epochs": epochs,
            "steps": epochs * self.steps_per_epoch,
            "parameters": self.parameters,
            **best_epoch(curve["validation_error"], curve["test_error"]),
        }
        if index in self.reasons:
            nothing = dict.fromkeys((*AT_END, "hessian_eigenvalues"))
            return row | nothing | {"status": "diverged", "reason": self.reasons[index]}
        last = {name: _null(curve[name][-1]) for name in AT_END}
        return row | last | {"hessian_eigenvalues": self.spectra.get(index)}


def _null(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _nullable(values: np.ndarray) -> list[float | None]:
    return [_null(value) for value in values]
