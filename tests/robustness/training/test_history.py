"""What a history refuses to record."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from robustness.study import Study
from robustness.training import History, InputsError


@pytest.mark.parametrize("error", [250.0, -1.0, float("inf")])
def test_errors_that_are_no_share_fail_the_runs_with_what_to_mend(error: float) -> None:
    runs = Study.load("digits").grid()[:2]
    history = History(runs, parameters=1, steps_per_epoch=1)
    metrics = {"train_loss": torch.tensor([1.0, 1.0]), "test_error": torch.tensor([50.0, error])}
    with pytest.raises(InputsError, match=r"digits: test_error is .* %: `errors` of a workload must return 0 to 1"):
        history.record(0, np.arange(2), metrics)


def test_errors_of_nothing_and_of_all_are_shares() -> None:
    runs = Study.load("digits").grid()[:3]
    history = History(runs, parameters=1, steps_per_epoch=1)
    errors = torch.tensor([0.0, 100.0, float("nan")])
    losses = torch.tensor([1.0, 1.0, float("nan")])
    assert history.record(0, np.arange(3), {"train_loss": losses, "test_error": errors}).tolist() == [True, True, False]
