"""Common random numbers: a seed gives every cell and every optimizer the same weights and the same batches.

Each purpose has a stream of its own, so that drawing more of one does not shift another.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    class HasModel(Protocol):
        """A workload, as far as it matters here."""

        def model(self) -> nn.Module:
            """Return a network drawn from torch's global generator."""


_WEIGHTS, _ORDER, _AUGMENTATION, _MASKS, _DATA = range(5)


def _stream_seed(seed: int, stream: int) -> int:
    return int(np.random.SeedSequence([seed, stream]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def initial_model(workload: HasModel, seed: int) -> nn.Module:
    """Return the workload's network as `seed` initializes it; torch's global generator stays untouched."""
    with seeded(seed):
        torch.manual_seed(_stream_seed(seed, _WEIGHTS))
        return workload.model()


def augmentation(seed: int) -> torch.Generator:
    """Return the generator, on the CPU, of what is drawn for the training inputs."""
    return torch.Generator().manual_seed(_stream_seed(seed, _AUGMENTATION))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let the global generators of Python, NumPy and torch begin at `seed`; at the end they are as before.

    So data that are drawn from them, against the advice, are those of a seed all the same.
    """
    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is what is meant
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(_stream_seed(seed, _DATA) % 2**32)  # noqa: NPY002
        torch.manual_seed(_stream_seed(seed, _DATA))
        try:
            yield
        finally:
            random.setstate(before)
            np.random.set_state(numpy_before)  # noqa: NPY002


@contextmanager
def masks(seed: int, device: str) -> Iterator[None]:
    """Let dropout draw from a stream of `seed`; torch's global generators are as before at the end."""
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(_stream_seed(seed, _MASKS))
        yield


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Return how many batches each epoch of `data_order` has."""
    whole, rest = divmod(examples, batch_size)
    return whole + (rest > 1)


def data_order(examples: int, batch_size: int, seed: int) -> Iterator[list[Tensor]]:
    """Yield each epoch's batches, endlessly: index tensors that cover all examples in a new order.

    The last, partial batch is kept unless it holds a single example, on which BatchNorm cannot train.
    """
    generator = torch.Generator().manual_seed(_stream_seed(seed, _ORDER))
    while True:
        order = torch.randperm(examples, generator=generator)
        yield [batch for batch in order.split(batch_size) if len(batch) > 1]
