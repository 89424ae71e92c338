"""Inside an epoch nothing waits for the device: shown on torch's device `meta`, which has no values to wait for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from robustness.randomness import initial_model
from robustness.study import Run, Study
from robustness.training.forward import Forward
from robustness.training.objective import Objective
from robustness.training.single import evaluate, train_epoch
from robustness.training.stack import Stack
from robustness.workloads import Data, Workload
from robustness.workloads.augmentation import PADDING, crop_and_flip
from robustness.workloads.images import normalized

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIMIZERS = ["adams", "adamw", "adam", "amsgrad", "radam", "adabound", "padam", "yogi", "sgd", "sgd-eq1", "sgds"]


class Images(Workload):
    """CIFAR-10 as far as a device knows of it."""

    classes = 10
    epochs: int = 2
    batch_size: int = 16

    def data(self, seed: int) -> Data:
        def images(count: int) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8), torch.arange(count) % 10

        return Data(*images(40), *images(20), *images(20), augment=crop_and_flip, prepare=prepared)

    def model(self) -> nn.Module:
        from robustness.models.convnet import ConvNet

        return ConvNet(10)


def prepared(images: torch.Tensor) -> torch.Tensor:
    return normalized(images, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


class Moves(TorchDispatchMode):
    """Counts copies onto the device, and what waits for it on any."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        here = getattr(args[0], "device", None) if args else None
        result = func(*args, **(kwargs or {}))
        there = getattr(result, "device", None)
        if name in ("_to_copy", "copy_") and here is not None and here != there:
            self.counts["moves"] += 1
        return result


def runs(optimizer: str, **options: Any) -> list[Run]:
    study = Study(
        name="t",
        workload={"name": "digits"},
        optimizers=[optimizer],
        space={"lr": [1e-3, 1e-2], "weight_decay": [1e-3]},
        seeds=1,
    )
    from dataclasses import replace

    return [replace(run, workload=Images(**options)) for run in study.grid()]


def single(run: Run) -> Callable[[], object]:
    workload = run.workload
    feed = workload.feed(0, "meta", torch.float32)
    model = initial_model(workload, 0).to("meta")
    optimizer = run.optimizer.torch_optimizer(model.parameters(), run.lr, run.weight_decay_native)
    forward = Forward(workload, model, channels_last=True)
    return lambda: (
        train_epoch(Objective(workload), model, optimizer, feed.train(), forward),
        evaluate(Objective(workload), model, "test", feed.evaluate("test"), forward),
    )


def stack(of: list[Run]) -> Callable[[], object]:
    workload = of[0].workload
    feed = workload.feed(0, "meta", torch.float32)
    model = Stack(initial_model(workload, 0).to("meta"), of, "meta", torch.float32)
    return lambda: (model.train_epoch(feed.train(), 1.0), model.evaluate("test", feed.evaluate("test")))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("engine", ["single", "stack"])
def test_an_epoch_never_asks_the_device_for_a_value(optimizer: str, engine: str) -> None:
    if engine == "single" and optimizer in ("adabound", "padam", "yogi"):
        pytest.skip("not ours: a package's optimizer")
    of = runs(optimizer, clip=0.5)
    epoch = single(of[0]) if engine == "single" else stack(of)
    epoch()
    with Moves() as moves:
        epoch()
    assert moves.counts["moves"] == 2, "the order of the examples, and what is drawn for them"


def test_a_wait_would_be_seen() -> None:
    with pytest.raises(RuntimeError, match="meta"):
        float(torch.zeros((), device="meta"))
    with Moves() as moves:
        torch.zeros(3).to("meta")
    assert moves.counts["moves"] == 1


def cut_as_before(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What was stored with: an index for each axis, drawn and moved batch by batch."""
    count, channels, height, width = images.shape
    down, right = torch.randint(0, 2 * PADDING + 1, (2, count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    across = torch.arange(width)
    rows, columns = down + torch.arange(height), right + torch.where(flipped, across.flip(0), across)
    padded = functional.pad(images, [PADDING] * 4)
    image, channel = torch.arange(count)[:, None, None, None], torch.arange(channels)[:, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


@pytest.mark.parametrize("shape", [(7, 3, 32, 32), (5, 1, 8, 12)])
def test_numbers_drawn_for_an_epoch_are_those_of_each_batch(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    a, b = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    for _ in range(3):
        assert torch.equal(crop_and_flip(images, a), cut_as_before(images, b))
    workload = Images.model_validate({})
    torch.manual_seed(0)
    feed: Any = workload.feed(1, "cpu", torch.float32)
    torch.manual_seed(0)
    peer: Any = workload.feed(1, "cpu", torch.float32)
    monkeypatch.setattr(type(peer.data), "augment", None, raising=False)
    object.__setattr__(peer.data, "augment", cut_as_before)
    for _ in range(2):
        for (x, y), (other, target) in zip(feed.train(), peer.train(), strict=True):
            assert torch.equal(x, other)
            assert torch.equal(y, target)
    assert torch.equal(feed.state()["draws"], peer.state()["draws"])
