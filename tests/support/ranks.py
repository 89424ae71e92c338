"""`AdamS` on two processes that talk through gloo, in the ways of torch to divide a model among them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.multiprocessing.spawn import spawn

from robustness.optimizers import AdamS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS, RANKS = 12, 2
LR, DECAY = 1e-2, 1e-2
INPUTS = torch.randn(8, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def network() -> nn.Sequential:
    """Return the same small network each time; no shape but one is a multiple of two, and a layer is frozen."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3), nn.Tanh(), nn.Linear(3, 3), nn.Linear(3, 1))
    net[4].requires_grad_(False)
    return net.double()


def optimizer_of(net: nn.Module, **options: Any) -> AdamS:
    """Return AdamS over a network in two groups, of which one is not decayed; or in one, `uniform`."""
    options = dict(options)
    if options.pop("tensor_lr", False):
        options["lr"] = torch.tensor(LR, dtype=torch.float64)
    options.setdefault("lr", LR)
    if options.pop("uniform", False):
        return AdamS(net.parameters(), weight_decay=DECAY, **options)
    named = list(net.named_parameters())
    biases = [p for name, p in named if name.endswith("bias")]
    others = [p for name, p in named if not name.endswith("bias")]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": biases, "weight_decay": 0.0}]
    return AdamS(groups, weight_decay=DECAY, **options)


def train(net: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, steps: int = STEPS) -> None:
    """Take steps on the mean loss of some examples."""
    for _ in range(steps):
        optimizer.zero_grad()
        net(inputs).sub(1).square().mean().backward()
        optimizer.step()


def weights_of(net: nn.Module) -> dict[str, torch.Tensor]:
    """Return copies of all parameters, each whole."""
    whole = ((name, getattr(p, "full_tensor", lambda p=p: p)()) for name, p in net.named_parameters())
    return {name.removeprefix("module."): tensor.detach().clone() for name, tensor in whole}


def alone(**options: Any) -> dict[str, torch.Tensor]:
    """Return the weights of one process that sees all examples."""
    net = network()
    optimizer = optimizer_of(net, **options)
    train(net, optimizer, INPUTS)
    return {**weights_of(net), "root_mean_v": optimizer.root_mean_v}


def own_inputs() -> torch.Tensor:
    """Return this rank's examples."""
    return INPUTS.chunk(RANKS)[torch.distributed.get_rank()]


def on_ranks(cases: list[str], folder: Path) -> list[dict[str, Any]]:
    """Run cases of `tests.support.rank_cases` one after another on two processes; return what each rank has of each."""
    spawn(_rank, (cases, str(folder)), nprocs=RANKS)
    return [torch.load(folder / f"{rank}.pt") for rank in range(RANKS)]


def _rank(rank: int, cases: list[str], folder: str) -> None:
    from tests.support import rank_cases

    with _group(rank, folder):
        torch.save({case: rank_cases.run(case, folder) for case in cases}, f"{folder}/{rank}.pt")


@contextmanager
def _group(rank: int, folder: str) -> Iterator[None]:
    from torch import distributed

    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def shared(**options: Any) -> Any:
    """Return a class of optimizers for ZeRO, which takes `process_group` for its own."""
    return partial(AdamS, process_group=torch.distributed.group.WORLD, **options)
