"""Runs of one's own workloads: what identifies them, and that a stack of them is its single runs."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING

import numpy as np
import torch

from robustness.study import Study
from robustness.study.run import options_json
from robustness.training import train_single, train_stack
from robustness.workloads import DigitsCNN
from tests.support.own_modules import FILE, folder, read

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder"]


def test_the_identity_is_the_import_string_the_options_and_the_version(folder: Path) -> None:
    ids = {
        change: [run.run_id for run in read(folder, FILE.replace(*change)).grid()]
        for change in [
            ("", ""),
            ("epochs: 3", "epochs: 3, shift: 1"),
            ("epochs: 3", "label: another, epochs: 3"),
            ("epochs: 3", "epochs: 3, shift: 2"),
            ("mine:Points", "mine:Versioned"),
        ]
    }
    first, *same, shifted, versioned = ids.values()
    assert same == [first, first]
    assert len({*first, *shifted, *versioned}) == 3 * len(first) == 12
    workload = read(folder, FILE.replace("mine:Points", "mine:Versioned")).workload
    assert '"name":"mine:Versioned"' in options_json(workload)
    assert '"version":2' in options_json(workload)


def test_in_python_the_name_is_the_same_and_another_network_has_another(folder: Path) -> None:
    study = read(folder)
    import mine  # type: ignore[import-not-found]

    made = mine.Points(epochs=3, batch_size=16)
    assert made == study.workload
    assert Study(name="p", workload=made, optimizers=["adamw"], space=study.space, seeds=2).grid() == study.grid()

    class Linear(DigitsCNN):
        pass

    assert Linear(channels=2).name == f"{__name__}:{Linear.__qualname__}"
    name: str = Linear.model_validate({"name": "x:Linear"}).name
    assert name == "x:Linear"
    assert DigitsCNN().name == "digits-cnn"
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_study_comes_back_from_its_own_text(folder: Path) -> None:
    entry = (
        "{name: 'torch.optim:NAdam', convention: l2, options: {betas: [0.8, 0.9], momentum_decay: 1}, decay_scale: 2}"
    )
    text = FILE.replace("[adamw]", f"[{entry}]").replace("epochs", "engine: single, epochs")
    study = read(folder, text)
    again = Study.parse(study.model_copy().text)
    written = Study(name="points", workload=study.workload, optimizers=study.optimizers, space=study.space, seeds=2)
    assert study.grid() == again.grid() == written.grid() == Study.parse(written.text).grid()
    assert pickle.loads(pickle.dumps(study)) == study


def test_in_double_precision_a_stack_of_an_own_workload_is_its_single_runs(folder: Path) -> None:
    text = FILE.replace("[adamw]", "[adamw, adams]").replace("lr: [0.01]", "lr: [0.01, 0.1]")
    runs = [run for run in read(folder, text).grid() if run.seed == 1]
    stacked = {row["run_id"]: row for row in train_stack(runs, dtype=torch.float64).rows({})}
    assert len(stacked) == 8
    for run in runs:
        (row,) = train_single(run, dtype=torch.float64).rows({})
        found = stacked[run.run_id]
        for name in ("train_loss", "test_loss", "weight_norm", "grad_norm", "root_mean_v"):
            np.testing.assert_allclose(found[name], row[name], rtol=1e-9, err_msg=name)
        assert row["test_loss"] < math.log(3), "it has learned something"
