"""Trees of tensors: gone through as torch goes through them, dataclasses and mappings of one's own included."""

from __future__ import annotations

from collections import UserDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from robustness.trees import as_tensors, described, examples, leaves, mapped, pieces, shapes, tensors


@dataclass(frozen=True)
class Pair:
    """Two tensors, of which the second may be absent."""

    first: torch.Tensor
    second: torch.Tensor | None = None


class Words(UserDict[str, Any]):
    """What a tokenizer returns: a mapping that is no dictionary."""


def test_each_kind_is_gone_through_and_put_together_again() -> None:
    one = torch.arange(6.0).view(3, 2)
    for tree in ({"a": one, "b": (one, [one])}, Pair(one), Pair(one, one), Words(a=one), one):
        doubled = mapped(lambda tensor: 2 * tensor, tree)
        assert type(doubled) is type(tree)
        assert all(
            torch.equal(after, 2 * before) for after, before in zip(tensors(doubled), tensors(tree), strict=True)
        )
        assert examples(tree) == 3
        assert shapes(tree) == ((3, 2),) * len(leaves(tree))
    assert mapped(lambda tensor: tensor, Pair(one)).second is None


def test_pieces_cover_all_examples_in_order() -> None:
    tree = {"x": torch.arange(5), "y": torch.arange(10).view(5, 2)}
    cut = list(pieces(tree, 2))
    assert [examples(piece) for piece in cut] == [2, 2, 1]
    assert torch.equal(torch.cat([piece["y"] for piece in cut]), tree["y"])


def test_arrays_and_lists_of_numbers_become_tensors() -> None:
    tree = as_tensors({"x": np.zeros((2, 3), np.float32), "y": torch.ones(2)})
    assert described(tree) == "{x: float32 (2, 3), y: float32 (2,)}"
    assert as_tensors([0, 1, 1]).tolist() == [0, 1, 1]
    assert described(Pair(torch.zeros(1, dtype=torch.int64))) == "Pair(first: int64 (1,), second: NoneType)"


@pytest.mark.parametrize("tree", [{"x": torch.zeros(2), "y": torch.zeros(3)}, torch.zeros(()), {}])
def test_examples_are_counted_by_one_axis(tree: Any) -> None:
    with pytest.raises(ValueError, match="the first axis of each tensor counts examples, but their shapes are"):
        examples(tree)
