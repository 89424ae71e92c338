"""What each of two ranks does, by name: train the network of `tests.support.ranks` and return its whole weights."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh

from tests.support.ranks import DECAY, INPUTS, LR, STEPS, network, optimizer_of, own_inputs, shared, train, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "amsgrad": {"amsgrad": True},
    "tensor lr": {"tensor_lr": True},
    "one by one": {"foreach": False},
    "uniform": {"uniform": True},
    "capturable": {"capturable": True, "amsgrad": True, "tensor_lr": True},
}


def run(case: str, folder: str) -> dict[str, torch.Tensor]:
    """Run a case `<way>, <options>`."""
    way, options = case.split(", ")
    return WAYS[way](folder, **OPTIONS[options])


def fsdp2(_: str, mesh: Any = None, **options: Any) -> dict[str, torch.Tensor]:
    net = sharded(network(), mesh)
    optimizer = optimizer_of(net, **options)
    train(net, optimizer, own_inputs())
    return {**weights_of(net), "root_mean_v": optimizer.root_mean_v}


def sharded(net: nn.Sequential, mesh: Any = None) -> nn.Sequential:
    from torch.distributed.fsdp import fully_shard

    mesh = mesh or init_device_mesh("cpu", (2,))
    fully_shard(net[0], mesh=mesh)
    fully_shard(net, mesh=mesh)
    return net


def hybrid(folder: str, **options: Any) -> dict[str, torch.Tensor]:
    """Replicated along the mesh's first dimension, sharded along its second."""
    return fsdp2(folder, init_device_mesh("cpu", (2, 1), mesh_dim_names=("copies", "parts")), **options)


def partly_sharded(_: str, **options: Any) -> dict[str, torch.Tensor]:
    """DTensors and plain tensors in the same groups; both ranks see all examples."""
    from torch.distributed.fsdp import fully_shard

    net = network()
    fully_shard(net[0], mesh=init_device_mesh("cpu", (2,)))
    optimizer = optimizer_of(net, **options)
    train(net, optimizer, INPUTS)
    return {**weights_of(net), "root_mean_v": optimizer.root_mean_v}


def tensor_parallel(_: str, **options: Any) -> dict[str, torch.Tensor]:
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    net = network()
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    parallelize_module(net, init_device_mesh("cpu", (2,)), plan)
    optimizer = optimizer_of(net, **options)
    train(net, optimizer, INPUTS)
    return {**weights_of(net), "root_mean_v": optimizer.root_mean_v}


def checkpoint(folder: str, **options: Any) -> dict[str, torch.Tensor]:
    """FSDP2, saved half-way with torch's distributed checkpoints and gone on with by others."""
    from torch.distributed.checkpoint.state_dict import (
        get_model_state_dict,
        get_optimizer_state_dict,
        set_model_state_dict,
        set_optimizer_state_dict,
    )
    from torch.distributed.checkpoint.state_dict_loader import load
    from torch.distributed.checkpoint.state_dict_saver import save

    first, second = sharded(network()), sharded(network())
    optimizer = optimizer_of(first, **options)
    train(first, optimizer, own_inputs(), STEPS // 2)
    at = f"{folder}/{'-'.join(options) or 'plain'}"
    save(
        {"model": get_model_state_dict(first), "optimizer": get_optimizer_state_dict(first, optimizer)},
        checkpoint_id=at,
    )

    again = optimizer_of(second, **options)
    state: dict[str, Any] = {
        "model": get_model_state_dict(second),
        "optimizer": get_optimizer_state_dict(second, again),
    }
    load(state, checkpoint_id=at)
    set_model_state_dict(second, state["model"])
    set_optimizer_state_dict(second, again, state["optimizer"])
    train(second, again, own_inputs(), STEPS - STEPS // 2)
    return {**weights_of(second), "root_mean_v": again.root_mean_v}


def ddp(_: str, **options: Any) -> dict[str, torch.Tensor]:
    net = nn.parallel.DistributedDataParallel(network())
    optimizer = optimizer_of(net, **options)
    train(net, optimizer, own_inputs())
    return {**weights_of(net), "root_mean_v": optimizer.root_mean_v}


def zero(_: str, **options: Any) -> dict[str, torch.Tensor]:
    from torch.distributed.optim import ZeroRedundancyOptimizer

    net = nn.parallel.DistributedDataParallel(network())
    groups = optimizer_of(net).param_groups
    each = [{"params": group["params"], "weight_decay": group["weight_decay"]} for group in groups]
    optimizer = ZeroRedundancyOptimizer(each, shared(**options), lr=LR)
    train(net, optimizer, own_inputs())
    return {**weights_of(net), "root_mean_v": optimizer.optim.root_mean_v}


def lonely(_: str, **options: Any) -> dict[str, torch.Tensor]:
    """ZeRO of a single parameter: the other rank has none."""
    from torch.distributed.optim import ZeroRedundancyOptimizer

    parameter = nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = ZeroRedundancyOptimizer([parameter], shared(**options), lr=LR, weight_decay=DECAY)
    parameter.grad = torch.full_like(parameter, 0.5)
    optimizer.step()
    return {"weight": parameter.detach(), "root_mean_v": optimizer.optim.root_mean_v}


def stages(_: str, **options: Any) -> dict[str, torch.Tensor]:
    """Each rank has a parameter of its own, of another type and size; on the last step one has no gradient."""
    rank = distributed.get_rank()
    parameter = nn.Parameter(torch.ones(1 + 2 * rank, dtype=(torch.float64, torch.float32)[rank]))
    optimizer = shared(**options)([parameter], LR, betas=(0.9, 0.0))
    roots = []
    for gradient in (1.0 + rank, None if rank else 3.0):
        parameter.grad = None if gradient is None else torch.full_like(parameter, gradient)
        optimizer.step()
        roots.append(optimizer.root_mean_v.double())
    return {"roots": torch.stack(roots)}


def fsdp1(_: str, flat: bool = False, **options: Any) -> dict[str, torch.Tensor]:
    from torch.distributed.fsdp import FullyShardedDataParallel

    plain = network()
    net = FullyShardedDataParallel(
        plain,
        device_id=torch.device("cpu"),
        use_orig_params=not flat,
        ignored_states=plain[4].parameters(),  # frozen: a flat parameter is trained whole
    )
    optimizer = optimizer_of(net, process_group=distributed.group.WORLD, **options)
    train(net, optimizer, own_inputs())
    with FullyShardedDataParallel.summon_full_params(net):
        weights = {name.removeprefix("_fsdp_wrapped_module."): t for name, t in weights_of(net).items()}
    return {**weights, "root_mean_v": optimizer.root_mean_v}


def fsdp1_flat(folder: str, **options: Any) -> dict[str, torch.Tensor]:
    return fsdp1(folder, flat=True, **options)


WAYS: dict[str, Callable[..., dict[str, torch.Tensor]]] = {
    "FSDP2": fsdp2,
    "HSDP": hybrid,
    "partly": partly_sharded,
    "tensor parallel": tensor_parallel,
    "checkpoint": checkpoint,
    "DDP": ddp,
    "ZeRO": zero,
    "lonely": lonely,
    "stages": stages,
    "FSDP1": fsdp1,
    "FSDP1 flat": fsdp1_flat,
}
SHARDED = ("FSDP2", "partly", "tensor parallel", "checkpoint")
EVERY = [f"{way}, {options}" for way, options in itertools.product(SHARDED, OPTIONS)]
EVERY += [f"{way}, {options}" for way, options in itertools.product(("HSDP", "DDP", "ZeRO"), ("plain", "amsgrad"))]
EVERY += ["FSDP1, uniform", "FSDP1 flat, uniform"]
"""The cases whose weights are those of one process."""
