"""Looking at data before anything is learnt from them: one value that is not finite makes every loss so.

A run that ends by such a value says nothing of its optimizer. It is no result, but a failure to be mended and tried
again; a network's own infinities are its divergence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.randomness import seeded
from robustness.trees import Tree, tensors
from robustness.workloads.data import TensorFeed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch
    from torch import Tensor

    from robustness.workloads import Workload
    from robustness.workloads.data import Batch, Feed

PARTS = ("inputs", "targets")
PIECE = 1 << 24
"""Values that are looked at together: of a large table, no second copy is made."""


class InputsError(Exception):
    """Inputs or targets are not finite; `str()` says of which workload and split, and how many values."""


def checked_feed(workload: Workload, seed: int, device: str, dtype: torch.dtype) -> Feed:
    """Return the feed of a workload, whose stored tensors are looked at once.

    Raises:
        InputsError: a value of them is not finite.
    """
    with seeded(seed):
        feed = workload.feed(seed, device, dtype)
    if isinstance(feed, TensorFeed):
        splits = ("train", *feed.splits)
        refuse(workload, seed, {split: [_not_finite(part) for part in feed.data.split(split)] for split in splits})
    return feed


def refuse(workload: Workload, seed: int, found: dict[str, list[int]]) -> None:
    """Raise what is wrong with the data of a workload; nothing where no value is.

    Args:
        workload: Whose data they are.
        seed: Of the data.
        found: How many values of the inputs and of the targets of each split are not finite.

    Raises:
        InputsError: some are not.
    """
    said = [
        f"{count} value{'' if count == 1 else 's'} of the {part} of {split}"
        for split, counts in found.items()
        for part, count in zip(PARTS, counts, strict=True)
        if count
    ]
    if said:
        what = ", ".join(said)
        raise InputsError(
            f"{workload.title}, seed {seed}: NaN or infinite in the data: {what}; mend them, then run again"
        )


class Look:
    """Looks at the batches of a first epoch as they pass: at what a feed reads, draws or prepares by itself.

    It counts on the device, and waits for it once a split.
    """

    def __init__(self, workload: Workload, feed: Feed, seed: int) -> None:
        self._workload, self._seed = workload, seed
        # Stored tensors were looked at already, and are seen as they are where nothing is done to them.
        stored = isinstance(feed, TensorFeed) and feed.data.augment is None and feed.data.prepare is None
        self._done = {"train", "validation", "test"} if stored else set()

    def at(self, split: str, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Pass the batches of a split on; the first time, look at them.

        Raises:
            InputsError: after the last of them, where a value was not finite.
        """
        if split in self._done:
            yield from batches
            return
        self._done.add(split)
        found: Sequence[Tensor | int] = (0, 0)
        for batch in batches:
            found = [
                total + sum(_bad(part) for part in tensors(tree)) for total, tree in zip(found, batch, strict=True)
            ]
            yield batch
        refuse(self._workload, self._seed, {split: [int(count) for count in found]})


def _not_finite(tree: Tree) -> int:
    """Return how many values are not finite."""
    real = [values for values in tensors(tree) if _can_be_bad(values)]
    return sum(int(_bad(piece)) for values in real for piece in values.flatten().split(PIECE))


def _bad(values: Tensor) -> Tensor | int:
    return (~values.isfinite()).sum() if _can_be_bad(values) else 0


def _can_be_bad(values: Tensor) -> bool:
    return values.is_floating_point() or values.is_complex()
