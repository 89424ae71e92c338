"""Data that are not finite fail runs with a word on where they are; a network's own infinities are divergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness import Study
from robustness.results import Store
from robustness.search.missing import missing
from robustness.worker.work import work
from robustness.workloads import Data, Workload
from robustness.workloads.data import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor, nn

LOADED: list[int] = []


def points(seed: int) -> Data:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(40, 3, generator=generator), torch.arange(40) % 2
    return Data(x[:20], y[:20], x[20:30], y[20:30], x[30:], y[30:])


class Points(Workload):
    classes = 2

    def data(self, seed: int) -> Data:
        LOADED.append(seed)
        return points(seed)

    def model(self) -> nn.Module:
        return torch.nn.Linear(3, 2)


class Holes(Points):
    def data(self, seed: int) -> Data:
        data = super().data(seed)
        data.train_inputs[5, 2] = float("nan")
        data.test_inputs[:2, 0] = float("inf")
        return data


class Targets(Points):
    def data(self, seed: int) -> Data:
        data = super().data(seed)
        real = data.validation_targets.float()
        real[3] = float("nan")
        return Data(**{**vars(data), "validation_targets": real})


class Prepared(Points):
    """A column that does not vary, divided by its spread of 0."""

    def data(self, seed: int) -> Data:
        data = super().data(seed)
        data.train_inputs[:, 1] = 0.0
        return Data(**{**vars(data), "prepare": lambda x: x / torch.tensor([1.0, 0.0, 1.0])})


class OwnFeed(Points):
    def feed(self, seed: int, device: str, dtype: torch.dtype) -> Feed:
        data = self.data(seed)
        data.train_inputs[0] = float("nan")

        class Plain(Feed):
            steps, splits = 1, ("test", "validation")

            def train(self) -> Iterator[tuple[Tensor, Tensor]]:
                yield data.split("train")

            def evaluate(self, split: str) -> Iterator[tuple[Tensor, Tensor]]:
                yield data.split(split)

            def sample(self, examples: int) -> Iterator[tuple[Tensor, Tensor]]:
                yield data.split("train")

        return Plain()


class Explodes(Points):
    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return super().losses(outputs, targets) / 0.0


def trained(kind: type[Workload], folder: Path, **options: Any) -> tuple[Study, Store]:
    workload = {"name": f"{__name__}:{kind.__name__}", "epochs": 2, "batch_size": 10, **options}
    space = {"lr": [1e-3, 1e-2], "weight_decay": [0, 1e-3, 1e-2]}
    study = Study(name="t", workload=workload, optimizers=["adam"], space=space, seeds=1)
    store = Store(folder)
    store.claim("me")
    LOADED.clear()
    work(study.grid(), store, sweep_id="me", device="cpu", sampler="grid", retries=1)
    return study, store


CASES = {
    Holes: "1 value of the inputs of train, 2 values of the inputs of test",
    Targets: "1 value of the targets of validation",
    Prepared: "20 values of the inputs of train",
    OwnFeed: "3 values of the inputs of train",
}


@pytest.mark.parametrize("engine", ["stack", "single"])
@pytest.mark.parametrize(("kind", "where"), CASES.items())
def test_the_runs_have_failed_and_say_once_where_the_values_are(
    kind: type[Workload], where: str, engine: str, tmp_path: Path
) -> None:
    study, store = trained(kind, tmp_path, engine=engine)
    runs = store.runs()
    assert set(runs["status"]) == {"failed"}, "tried again by the next sweep"
    reason = f"{__name__}:{kind.__name__}, seed 0: NaN or infinite in the data: {where}; mend them, then run again"
    assert set(runs["reason"]) == {reason}
    assert len(LOADED) <= (1 if engine == "stack" else 7), "neither halves nor tries again, which find the same"
    lacking = missing(study, runs)
    assert lacking.count == 6
    assert lacking.lines == (f"6 runs of 6 cells: {reason}",)


def test_a_network_that_explodes_has_diverged(tmp_path: Path) -> None:
    _, store = trained(Explodes, tmp_path)
    assert set(store.runs()["status"]) == {"diverged"}
