"""Random numbers that all runs of a seed share: initial weights and the order of the data."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from robustness.randomness import data_order, initial_model, steps_per_epoch
from robustness.workloads import Digits


def test_seeds_give_common_random_numbers() -> None:
    a, b = initial_model(Digits(), 3), initial_model(Digits(epochs=7), 3)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    other = initial_model(Digits(), 4)
    assert not torch.equal(next(a.parameters()), next(other.parameters()))


def test_initial_model_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initial_model(Digits(), 0)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(("examples", "batch", "sizes"), [(10, 4, [4, 4, 2]), (9, 4, [4, 4]), (8, 4, [4, 4])])
def test_data_order_covers_every_example_anew(examples: int, batch: int, sizes: list[int]) -> None:
    epochs = list(islice(data_order(examples, batch, 0), 3))
    for batches in epochs:
        assert [len(b) for b in batches] == sizes
        assert len(set(torch.cat(batches).tolist())) == sum(sizes)
    assert not torch.equal(torch.cat(epochs[0]), torch.cat(epochs[1]))
    assert steps_per_epoch(examples, batch) == len(sizes)
    again = list(islice(data_order(examples, batch, 0), 3))
    assert all(torch.equal(torch.cat(x), torch.cat(y)) for x, y in zip(epochs, again, strict=True))
