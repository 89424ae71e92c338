"""The example of a feed of one's own: an iterable set through a DataLoader, in both engines, set down and resumed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from robustness.dry_run.pieces import tried
from robustness.study import Study
from robustness.training import train
from tests.support.checkpoints import resumed, same


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["stack", "single"])
def test_it_is_trained_as_a_plain_loop_and_learns(engine: str) -> None:
    study = Study(
        name="loaded",
        workload={"name": "docs.examples.loaded:Thrice", "epochs": 4, "engine": engine},
        optimizers=["adamw"],
        space={"lr": [0.02], "weight_decay": [1e-5]},
        seeds=1,
    )
    assert tried(study) == []
    runs = study.grid()
    whole = train(runs, device="cpu")
    row: dict[str, Any] = whole[0].rows({})[0]
    assert row["baseline"] == 95
    assert row["test_error"] < 20
    assert np.isfinite(whole[0].values["validation_loss"]).all()
    same(resumed(runs, 2), whole)
