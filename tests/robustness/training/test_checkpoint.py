"""Checkpoints: a training that was killed ends as the one that was not, to the bit."""

from __future__ import annotations

import io
import pickle
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from robustness.optimizers import OPTIMIZERS
from robustness.results import ResultsWarning, Store
from robustness.results.checkpoints import Checkpoints
from robustness.study import Run
from robustness.study.resources import CheckpointPolicy
from robustness.training import train, train_single
from robustness.training.checkpoint import from_bytes, to_bytes
from robustness.worker.checkpointing import CheckpointKeeper
from robustness.workloads import treebank
from robustness.workloads.data import Data, Feed, TensorFeed
from robustness.workloads.digits import Digits, DigitsCNN
from tests.support.checkpoints import KilledError, Memory, curves, resumed, rows, same
from tests.support.named import optimizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from robustness.workloads import Workload

EPOCHS = 5
SMALL = {"epochs": EPOCHS, "train_size": 150, "validation_size": 50, "batch_size": 32}
WORKLOADS: list[Workload] = [Digits(width=8, **SMALL), DigitsCNN(channels=2, **SMALL)]
STACKABLE = [name for name in OPTIMIZERS if optimizer(name).stackable]


class Drawing(DigitsCNN):
    """Digits with dropout and noise on the inputs: everything that draws while it trains."""

    def data(self, seed: int) -> Data:
        """Return noisy digits."""
        return replace(super().data(seed), augment=noisy)

    def model(self) -> nn.Module:
        """Return a perceptron with dropout."""
        return torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 10)
        )


def noisy(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return images + 0.1 * torch.randn(images.shape, generator=generator)


def runs_of(workload: Workload, names: Sequence[str] = ("adams", "adamw", "adam"), seed: int = 1) -> list[Run]:
    """Return runs of which one has a learning rate that makes it diverge in the middle of the training."""
    rates = (1e-3, 1e-2, 1e30)
    return [Run(workload, optimizer(name), lr, 1e-3, seed) for name in names for lr in rates]


@pytest.mark.slow
@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_a_stack_goes_on_to_the_bit(workload: Workload) -> None:
    runs = runs_of(workload)
    whole = train(runs, device="cpu")
    assert {row["status"] for row in rows(whole).values()} == {"completed", "diverged"}
    same(whole, resumed(runs, random.randint(1, EPOCHS - 1)))


@pytest.mark.slow
@pytest.mark.parametrize("name", STACKABLE)
def test_every_update_rule_goes_on_to_the_bit(name: str) -> None:
    runs = runs_of(WORKLOADS[0], [name])[:2]
    same(train(runs, device="cpu"), resumed(runs, 2))


@pytest.mark.slow
def test_any_part_of_a_stack_goes_on_to_the_bit() -> None:
    runs = runs_of(Digits(**SMALL))
    whole = curves(train(runs, device="cpu"))
    for part in (runs[:2], runs[3:4], runs[2:3] + runs[7:8], runs[2:3], runs[2::3], runs[::-1]):
        some = curves(resumed(runs, 3, part))
        assert some.keys() == {run.run_id for run in part}
        for run_id, values in some.items():
            np.testing.assert_array_equal(values, whole[run_id])


def test_a_run_whose_neighbours_diverged_goes_on() -> None:
    runs = runs_of(WORKLOADS[0], ["adam"])[1:]
    same(train(runs, device="cpu"), resumed(runs, 2))


@pytest.mark.parametrize("name", [*OPTIMIZERS])
def test_a_single_run_goes_on_to_the_bit(name: str) -> None:
    run = Run(WORKLOADS[0].model_copy(update={"engine": "single"}), optimizer(name), 1e-2, 1e-3, 1)
    same([train_single(run)], resumed([run], random.randint(1, EPOCHS - 1)))


@pytest.mark.parametrize("engine", ["single", "stack"])
def test_masks_and_augmentation_go_on_where_they_were(engine: str) -> None:
    workload = Drawing(engine=engine, **SMALL)
    runs = runs_of(workload)[:2] if engine == "stack" else runs_of(workload)[:1]
    whole = train(runs, device="cpu")
    other = train([replace(run, seed=2) for run in runs], device="cpu")
    assert not np.array_equal(whole[0].values["train_loss"], other[0].values["train_loss"], equal_nan=True)
    same(whole, resumed(runs, 3))


@pytest.mark.slow
def test_sharpness_goes_on() -> None:
    workload = Digits(width=8, hessian={"top": 1, "trace": 2, "every": 2, "examples": 50}, **SMALL)
    same(train(runs_of(workload), device="cpu"), resumed(runs_of(workload), 3))


def test_a_feed_that_says_nothing_is_gone_through() -> None:
    """Its state is what it drew: of a feed of a user's own that has no `resume`."""

    class Plain(TensorFeed):
        state, resume = Feed.state, Feed.resume

    class Own(Drawing):
        def feed(self, seed: int, device: str, dtype: torch.dtype) -> Feed:
            return Plain(self.data(seed), self.batch_size, seed, device, dtype)

    runs = runs_of(Own(**SMALL))[:2]
    same(train(runs, device="cpu"), resumed(runs, 3))


@pytest.mark.slow
def test_a_language_model_goes_on_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    words = torch.randint(0, 50, (3, 900), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(treebank, "read", lambda _: tuple(words))
    workload = treebank.Treebank(
        epochs=EPOCHS, embedding=8, hidden=8, layers=2, dropout=0.3, batch_size=4, bptt=10, train_size=400
    )
    run = Run(workload, optimizer("adams"), 1e-2, 1e-4, 0)
    same([train_single(run)], resumed([run], 2))


def test_the_keeper_hears_of_every_epoch() -> None:
    keeper = Memory()
    train(runs_of(WORKLOADS[0]), device="cpu", keeper=keeper)
    assert keeper.heard == [(epoch, EPOCHS) for epoch in range(1, EPOCHS + 1)]


@pytest.mark.parametrize("data", [b"", b"nonsense", to_bytes({"epoch": 1}), pickle.dumps(Memory())])
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        from_bytes(data)


def test_a_checkpoint_of_another_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Before version 3 of the results it did not say its format."""
    runs, store, content = runs_of(WORKLOADS[0])[:2], Store(tmp_path), io.BytesIO()
    torch.save({"epoch": 2, "history": {}, "engine": {}, "feed": {}, "random": {}}, content)
    Checkpoints(store).write([run.run_id for run in runs], 2, 9, content.getvalue())
    with pytest.warns(ResultsWarning) as heard:
        assert CheckpointKeeper(store, CheckpointPolicy(), "me").load(runs) is None
    (words,) = (str(each.message).partition(" is not usable: ")[2] for each in heard)
    assert words == "another version of this package wrote it; the training begins anew"
    assert Checkpoints(store).listed() == []


def test_a_checkpoint_runs_no_code() -> None:
    """torch's reader refuses what is no data, as an object that would do something when it is unpickled."""
    content = io.BytesIO()
    torch.save({"epoch": Memory()}, content)
    with pytest.raises(ValueError, match="not a checkpoint"):
        from_bytes(content.getvalue())


def test_a_checkpoint_whose_state_goes_by_other_names_is_refused_and_the_training_begins_anew() -> None:
    runs = runs_of(WORKLOADS[0], ["sgd"])[:2]
    keeper = Memory(2)
    with pytest.raises(KilledError):
        train(runs, device="cpu", keeper=keeper)
    state = from_bytes(keeper.saved)
    for saved in state["engine"]["rules"].values():
        saved["state"] = {f"old_{name}": value for name, value in saved["state"].items()}
    keeper.saved, keeper.kill, keeper.heard = to_bytes(state), 0, []
    same(train(runs, device="cpu"), train(runs, device="cpu", keeper=keeper))
    assert keeper.heard[0] == (1, EPOCHS)
    (why,) = keeper.refused
    assert why.startswith("not a checkpoint: its state of sgd lacks ")
    assert "momentum" in why


def test_a_single_run_refuses_the_checkpoint_of_another_model() -> None:
    run = runs_of(WORKLOADS[0].model_copy(update={"engine": "single"}))[0]
    keeper = Memory(2)
    with pytest.raises(KilledError):
        train([run], device="cpu", keeper=keeper)
    state = from_bytes(keeper.saved)
    state["engine"]["model"] = {f"old.{name}": value for name, value in state["engine"]["model"].items()}
    keeper.saved, keeper.kill = to_bytes(state), 0
    same(train([run], device="cpu"), train([run], device="cpu", keeper=keeper))
    assert len(keeper.refused) == 1
