"""Training on CIFAR-10 as people write it, and the same in ours: what `cifar.py` and `gpu.py` measure."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from robustness.randomness import initial_model
from robustness.study import Study
from robustness.training.forward import Forward
from robustness.training.objective import Objective
from robustness.training.single import train_epoch
from robustness.training.stack import Stack
from robustness.workloads.augmentation import crop_and_flip
from robustness.workloads.cifar import CIFAR10
from robustness.workloads.data import Data

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.study import Run

    Epoch = Callable[[], Any]


class MadeUp(CIFAR10):
    """Random bytes in place of images: speed does not depend on what is seen."""

    def data(self, seed: int) -> Data:
        """Return as much as CIFAR-10 would."""
        size, generator = self.train_size or 50_000, torch.Generator().manual_seed(seed)
        counts = (size, 0, self.test_size or 10_000)
        inputs = [torch.randint(0, 256, (count, 3, 32, 32), generator=generator).byte() for count in counts]
        targets = [torch.arange(count) % 10 for count in counts]
        splits = (inputs[0], targets[0], inputs[1], targets[1], inputs[2], targets[2])
        return Data(*splits, augment=crop_and_flip if self.augment else None, prepare=_prepared)


def _prepared(images: torch.Tensor) -> torch.Tensor:
    from robustness.workloads.images import normalized

    return normalized(images, CIFAR10.mean, CIFAR10.std)


def runs(model: dict[str, Any], count: int, *, made_up: bool, **options: Any) -> list[Run]:
    """Return `count` runs of one seed: AdamS, AdamW and Adam in turn."""
    workload = (MadeUp if made_up else CIFAR10).model_validate({"model": model, **options})
    study = Study(
        name="benchmark",
        workload={"name": "digits"},
        optimizers=["adams", "adamw", "adam"],
        space={"lr": [1e-3], "weight_decay": [5e-4]},
        seeds=1,
    )
    from dataclasses import replace

    cells = [replace(run, workload=workload) for run in study.grid()]
    return [cells[place % len(cells)] for place in range(count)]


class Pictures(Dataset[Any]):
    """Images that are transformed one by one, as torchvision's data sets are."""

    def __init__(self, data: Data) -> None:
        self._images = np.ascontiguousarray(data.train_inputs.permute(0, 2, 3, 1).numpy())
        self._targets = data.train_targets.tolist()
        steps = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
        self._transform = transforms.Compose([*steps, transforms.Normalize(CIFAR10.mean, CIFAR10.std)])

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._transform(Image.fromarray(self._images[index])), self._targets[index]


def ordinary(run: Run, device: str, *, workers: int, precision: str = "float32") -> Epoch:
    """Return an epoch of the ordinary recipe: a DataLoader, torchvision's transforms, `loss.item()` each step."""
    workload = run.workload
    model = initial_model(workload, run.seed).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=run.lr)
    loader = DataLoader(
        Pictures(workload.data(run.seed)),
        workload.batch_size,
        shuffle=True,
        num_workers=workers,
        pin_memory=device == "cuda",
        persistent_workers=workers > 0,
    )

    def epoch() -> float:
        model.train()
        total = 0.0
        for images, labels in loader:
            inputs, targets = images.to(device), labels.to(device)
            optimizer.zero_grad()
            with torch.autocast(device, dtype=torch.bfloat16) if precision == "bfloat16" else nullcontext():
                loss = functional.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    return epoch


def single(run: Run, device: str) -> Epoch:
    """Return an epoch of ours, one run."""
    workload = run.workload
    feed = workload.feed(run.seed, device, torch.float32)
    model = initial_model(workload, run.seed).to(device)
    forward = Forward(workload, model)
    optimizer = run.optimizer.torch_optimizer(model.parameters(), run.lr, run.weight_decay_native)
    return lambda: train_epoch(Objective(workload), model, optimizer, feed.train(), forward)


def stack(of: list[Run], device: str) -> Epoch:
    """Return an epoch of ours, a stack of runs."""
    workload, seed = of[0].workload, of[0].seed
    feed = workload.feed(seed, device, torch.float32)
    model = Stack(initial_model(workload, seed).to(device), of, device, torch.float32)
    return lambda: model.train_epoch(feed.train(), 1.0)


def seconds(epoch: Epoch, device: str) -> float:
    """Return the time of an epoch: until the GPU has done it, or that of this process on the processor.

    The processor's time is not that of other work on the machine.
    """
    if device == "cpu":
        started = time.process_time()
        epoch()
        return time.process_time() - started
    torch.cuda.synchronize()
    started = time.perf_counter()
    epoch()
    torch.cuda.synchronize()
    return time.perf_counter() - started
