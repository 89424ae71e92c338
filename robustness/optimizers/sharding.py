"""Parameters of which a rank has a part: DTensors, FSDP1's flat ones, and the parts that a process group adds up."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup
    from torch.distributed.device_mesh import DeviceMesh


class Sharding(NamedTuple):
    """The mesh over which a DTensor lies, and along which of its dimensions every rank has a part of its own."""

    mesh: DeviceMesh
    divided: tuple[bool, ...]


def sharding_of(p: Tensor) -> Sharding | None:
    """Return how a parameter is sharded; None of a plain tensor."""
    mesh = getattr(p, "device_mesh", None)
    if mesh is None:
        return None
    sharded: Any = p
    return Sharding(mesh, tuple(not placement.is_replicate() for placement in sharded.placements))


def elements_of(p: Tensor) -> int:
    """Return how many elements a parameter has; of a DTensor, those of all ranks."""
    # The last shards of FSDP1's flat parameter end in padding, which is no weight and would lower v-bar.
    return p.numel() - int(getattr(p, "_shard_numel_padded", 0))


def shard_of(tensor: Any, p: Any) -> Tensor:
    """Return this rank's shard of a DTensor, which lies where that of its parameter does."""
    if tensor.placements != p.placements:
        # Gradients of replicated parameters may still be to be summed.
        tensor = tensor.redistribute(p.device_mesh, p.placements)
    shard: Tensor = tensor.to_local()
    return shard


def whole(total: Tensor, sharding: Sharding | None) -> Tensor:
    """Return the sum over all ranks of what this rank summed over its shards."""
    if sharding is None:
        return total
    from torch.distributed.tensor import DTensor, Partial, Replicate

    placements = [Partial() if divided else Replicate() for divided in sharding.divided]
    summed: Tensor = DTensor.from_local(total, sharding.mesh, placements, run_check=False).full_tensor()
    return summed


def summed_mean(totals: list[Tensor], elements: int, process_group: ProcessGroup) -> Tensor:
    """Return the sum of all ranks' totals over that of their elements, in double precision where there is one.

    Args:
        totals: This rank's sums, on one device; none if it has no gradients.
        elements: How many elements they are of.
        process_group: The ranks, all of which must call.
    """
    from torch import distributed

    device = totals[0].device if totals else _device(process_group)
    # One type, whatever those of a rank's own parameters.
    dtype = torch.float32 if device.type == "mps" else torch.float64
    total = reduce(torch.add, totals).to(dtype) if totals else torch.zeros((), dtype=dtype, device=device)
    both = torch.stack([total, torch.full_like(total, elements)])
    distributed.all_reduce(both, group=process_group)
    return both[0] / both[1]


def _device(process_group: ProcessGroup) -> torch.device:
    """Return where a rank without gradients adds its 0: where the others have theirs."""
    from torch import distributed

    if distributed.get_backend(process_group) == "gloo" or not torch.accelerator.is_available():
        return torch.device("cpu")
    return torch.accelerator.current_accelerator() or torch.device("cpu")
