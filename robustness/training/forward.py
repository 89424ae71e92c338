"""How a network is run: in which precision, memory layout and mode of compilation."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from robustness.training.compiled import Compiled
from robustness.training.mixed_precision import raised
from robustness.training.network import outputs_of
from robustness.trees import Tree, mapped

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    from robustness.workloads import Workload


def autocast(workload: Workload, device: str) -> AbstractContextManager[Any]:
    """Return the context in which a network of the workload is run."""
    if workload.precision == "float32":
        return nullcontext()
    # Each weight is cast once a step anyway: a cache would hold all of them for nothing.
    return torch.autocast(device, dtype=torch.bfloat16, cache_enabled=False)


class Forward:
    """A network of one run, from inputs to outputs in float32 at least."""

    def __init__(
        self,
        workload: Workload,
        model: nn.Module,
        *,
        channels_last: bool | None = None,
        backend: str = "inductor",
        compiled: bool | None = None,
    ) -> None:
        """Lay out the weights of `model` in place.

        Args:
            workload: its options `precision` and `compiled` are followed.
            model: on the device on which it stays.
            channels_last: whether images and the filters of convolutions have their channels last in memory; by
                default on a GPU, whose kernels want them so. On a CPU it would change the last digits.
            backend: of `torch.compile`.
            compiled: whether it is compiled; by default what the workload's option says.
        """
        first = next(model.parameters())
        self._workload, self._device = workload, first.device.type
        convolutions = any(p.dim() == 4 for p in model.parameters())
        self._channels_last = convolutions and (self._device == "cuda" if channels_last is None else channels_last)
        if self._channels_last:
            model.to(memory_format=torch.channels_last)
        # A state that is carried to the next batch outlives a step.
        graphs = not callable(getattr(model, "reset", None))
        wanted = workload.compiled if compiled is None else compiled
        network = partial(outputs_of, model)
        self._run: Any = Compiled(network, self._device, backend, graphs=graphs) if wanted else network

    def __call__(self, inputs: Tree) -> Tree:
        """Return the outputs of a batch."""
        if self._channels_last:
            inputs = mapped(_channels_last, inputs)
        with autocast(self._workload, self._device):
            outputs = self._run(inputs)
        return mapped(raised, outputs)


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
