"""Subsets that keep the shares of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def stratified(targets: Tensor, examples: int, seed: int) -> Tensor:
    """Return the indices, ascending, of a random subset whose classes have the shares of the whole.

    Args:
        targets: (n,) class indices; targets that are no class indices are drawn from evenly.
        examples: how many; all if there are no more.
        seed: of the draw, which torch's global generator has no part in.

    Returns:
        (min(n, examples),) indices.
    """
    import torch

    count = len(targets)
    if examples >= count:
        return torch.arange(count)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=generator)
    if targets.dim() != 1 or targets.is_floating_point():
        return order[:examples].sort().values
    # Each example's rank within its class, as a share: the smallest shares are an even cut through all classes.
    share = torch.empty(count, dtype=torch.float64)
    shuffled = targets[order]
    for each in shuffled.unique():
        places = order[shuffled == each]
        share[places] = (torch.arange(len(places), dtype=torch.float64) + 0.5) / len(places)
    return share.argsort(stable=True)[:examples].sort().values
