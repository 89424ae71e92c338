"""The tensors of a workload, and how training and evaluation go through them in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from robustness.trees import Tree, as_tensors, examples, mapped, pieces
from robustness.workloads.augmentation import Augmentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import torch
    from torch import Tensor

    Batch = tuple[Tree, Tree]

EVALUATION_BATCH = 256

NO_TARGET = -100
"""What stands in integer targets where there is none, as in torch's losses (`ignore_index`)."""


@dataclass(frozen=True)
class Data:
    """Train, validation and test tensors of one seed; the first axis counts examples.

    Each is a tensor or NumPy array, or a tree of them: a dictionary, tuple or dataclass.

    Attributes:
        augment: From a batch of stored training inputs and a generator on the CPU to what training sees of them;
            drawn anew for each batch, the same for every run of a seed; an `Augmentation` is drawn for an epoch.
        prepare: From stored inputs, augmented or not, to what the network takes: a whole data set may be kept as bytes.
    """

    train_inputs: Tree
    train_targets: Tree
    validation_inputs: Tree
    validation_targets: Tree
    test_inputs: Tree
    test_targets: Tree
    augment: Callable[[Tree, torch.Generator], Tree] | None = None
    prepare: Callable[[Tree], Tree] | None = None

    def to(self, device: str, dtype: torch.dtype | None = None) -> Data:
        """Return the same data on `device`, its real numbers as `dtype` if one is given."""
        parts = [field.name for field in fields(self) if field.name not in ("augment", "prepare")]
        moved = {name: _moved(as_tensors(getattr(self, name)), device, dtype) for name in parts}
        return Data(**moved, augment=self.augment, prepare=self.prepare)

    def split(self, name: str) -> Batch:
        """Return inputs and targets of `train`, `validation` or `test`."""
        return getattr(self, f"{name}_inputs"), getattr(self, f"{name}_targets")


def _moved(tree: Tree, device: str, dtype: torch.dtype | None) -> Tree:
    def moved(tensor: Tensor) -> Tensor:
        return tensor.to(device, dtype) if dtype and tensor.is_floating_point() else tensor.to(device)

    return mapped(moved, tree)


def _transferred(batches: Sequence[Tensor], device: str) -> Sequence[Tensor]:
    """Return the CPU's tensors on the device, moved all at once and without a wait."""
    import torch

    if torch.device(device).type == "cpu":
        return batches
    whole = torch.cat(list(batches))
    # Only from pinned memory does the copy run beside the program.
    whole = whole.pin_memory() if torch.device(device).type == "cuda" else whole
    moved: Sequence[Tensor] = whole.to(device, non_blocking=True).split([len(batch) for batch in batches])
    return moved


class Feed(ABC):
    """Batches of each split on the device, (inputs, targets), in the order that a seed gives them.

    Attributes:
        steps: Batches of each epoch of training.
        splits: The splits to evaluate on: "test", and "validation" where examples are held out.
        gaps: Whether integer targets may have positions without a target, `NO_TARGET`, which are in no mean.
    """

    steps: int
    splits: tuple[str, ...]
    gaps: bool = True

    @abstractmethod
    def train(self) -> Iterator[Batch]:
        """Return the next epoch's batches; every call is another epoch."""

    @abstractmethod
    def evaluate(self, split: str) -> Iterator[Batch]:
        """Return a split's batches, in a fixed order and not augmented."""

    @abstractmethod
    def sample(self, examples: int) -> Iterator[Batch]:
        """Return batches of a fixed subset of train, not augmented; stratified by class where there are classes."""

    def state(self) -> dict[str, Any]:
        """Return what `resume` needs besides the number of epochs: tensors, numbers and texts."""
        return {}

    def resume(self, epochs: int, state: dict[str, Any]) -> None:  # noqa: ARG002 - for those that have one
        """Be as after `epochs` epochs of training, of a feed that has just been made; `state` is from then.

        A feed that cannot do better goes through them all.
        """
        for _ in range(epochs):
            for _ in self.train():
                pass


class TensorFeed(Feed):
    """Batches of tensors that lie on the device as a whole.

    Attributes:
        data: the tensors, on the device.
    """

    def __init__(self, data: Data, batch_size: int, seed: int, device: str, dtype: torch.dtype) -> None:
        """Move the data of `seed` to the device; real inputs become `dtype`."""
        from robustness.randomness import augmentation, data_order, steps_per_epoch

        self.data = data.to(device, dtype)
        self._device, self._dtype, self._seed = device, dtype, seed
        count = examples(self.data.train_targets)
        self._order = data_order(count, batch_size, seed)
        self._draws = augmentation(seed)
        self.steps = steps_per_epoch(count, batch_size)
        self.splits = ("test", "validation") if examples(self.data.validation_targets) else ("test",)
        # Of the data as they were given: a device would have to be waited for.
        self.gaps = any(_has_gaps(as_tensors(data.split(split)[1])) for split in ("train", *self.splits))

    def train(self) -> Iterator[Batch]:
        """Return the next epoch's batches."""
        inputs, targets = self.data.split("train")
        order = next(self._order)
        augmentations = self._augmentations([len(batch) for batch in order])
        for batch, augmented in zip(_transferred(order, self._device), augmentations, strict=False):
            yield self._prepared(augmented(_taken(inputs, batch))), _taken(targets, batch)

    def _augmentations(self, sizes: list[int]) -> Iterable[Callable[[Tree], Tree]]:
        """Return what is done to the inputs of each batch of an epoch."""
        augment = self.data.augment
        if augment is None:
            return repeat(lambda inputs: inputs)
        if isinstance(augment, Augmentation):
            drawn = _transferred([augment.draw(size, self._draws) for size in sizes], self._device)
            return [partial(augment.apply, drawn=numbers) for numbers in drawn]
        return repeat(lambda inputs: augment(inputs, self._draws))

    def state(self) -> dict[str, Any]:
        """Return the state of the augmentation's generator."""
        return {"draws": self._draws.get_state()}

    def resume(self, epochs: int, state: dict[str, Any]) -> None:
        """Pass over the order of `epochs` epochs."""
        for _ in range(epochs):
            next(self._order)
        self._draws.set_state(state["draws"])

    def evaluate(self, split: str) -> Iterator[Batch]:
        """Return a split's batches."""
        inputs, targets = self.data.split(split)
        for x, y in zip(pieces(inputs, EVALUATION_BATCH), pieces(targets, EVALUATION_BATCH), strict=True):
            yield self._prepared(x), y

    def sample(self, examples: int) -> Iterator[Batch]:
        """Return batches of a stratified subset that the seed fixes; all of train if it has no more examples."""
        inputs, targets = self.data.split("train")
        chosen = stratified(mapped(lambda tensor: tensor.cpu(), targets), examples, self._seed).to(self._device)
        for batch in chosen.split(EVALUATION_BATCH):
            yield self._prepared(_taken(inputs, batch)), _taken(targets, batch)

    def _prepared(self, inputs: Tree) -> Tree:
        if self.data.prepare is None:
            return inputs
        return _moved(as_tensors(self.data.prepare(inputs)), self._device, self._dtype)


def _taken(tree: Tree, rows: Tensor) -> Tree:
    return mapped(lambda tensor: tensor[rows], tree)


def present(targets: Tree) -> Tensor | None:
    """Return where there is a target, in their shape; None of such as have one everywhere: all but integers."""
    import torch

    if not isinstance(targets, torch.Tensor) or targets.is_floating_point():
        return None
    return targets != NO_TARGET


def _has_gaps(targets: Tree) -> bool:
    there = present(targets)
    return there is not None and not bool(there.all())


def stratified(targets: Tree, count: int, seed: int) -> Tensor:
    """Return the indices, ascending, of a random subset whose classes have the shares of the whole.

    Args:
        targets: (n,) class indices; targets that are no class indices are drawn from evenly.
        count: how many; all if there are no more.
        seed: of the draw, which torch's global generator has no part in.

    Returns:
        (min(n, count),) indices.
    """
    import torch

    there = examples(targets)
    if count >= there:
        return torch.arange(there)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(there, generator=generator)
    if not isinstance(targets, torch.Tensor) or targets.dim() != 1 or targets.is_floating_point():
        return order[:count].sort().values
    # Each example's rank within its class, as a share: the smallest shares are an even cut through all classes.
    share = torch.empty(there, dtype=torch.float64)
    shuffled = targets[order]
    for each in shuffled.unique():
        places = order[shuffled == each]
        share[places] = (torch.arange(len(places), dtype=torch.float64) + 0.5) / len(places)
    return share.argsort(stable=True)[:count].sort().values
