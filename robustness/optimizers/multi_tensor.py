"""AdamS's arithmetic on lists of tensors, without a wait for the device."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from robustness.optimizers.sharding import elements_of, shard_of, sharding_of, summed_mean, whole

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

    from robustness.optimizers.sharding import Sharding


@dataclass
class Batch:
    """The parameters of one group, device, dtype and mesh that have a gradient, with their state.

    What is sharded is this rank's shard of it, as the update is element by element; `elements` counts the whole.
    `divisors` are the second moments or, with amsgrad, their running maxima. `steps` counts each parameter's
    steps in a tensor without dimensions, on the host or, to be captured in a CUDA graph, on the device.
    """

    group: dict[str, Any]
    elements: int
    sharding: Sharding | None
    params: list[Tensor]
    grads: list[Tensor]
    exp_avgs: list[Tensor]
    exp_avg_sqs: list[Tensor]
    divisors: list[Tensor]
    steps: list[Tensor]
    corrections1: Tensor = field(init=False)
    corrections2: Tensor = field(init=False)

    @classmethod
    def of(cls, group: dict[str, Any], params: list[Tensor], *columns: list[Tensor]) -> Batch:
        """Return the batch of parameters that are sharded alike, or not at all; `columns` are the next fields."""
        elements, sharding = sum(map(elements_of, params)), sharding_of(params[0])
        if sharding is None:
            return cls(group, elements, None, params, *columns)
        *tensors, steps = columns
        shards = ([shard_of(t, p) for t, p in zip(column, params, strict=True)] for column in (params, *tensors))
        return cls(group, elements, sharding, *(*shards, steps))

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return self.params[0].device

    def update_moments(self) -> None:
        """Average g and g^2, and compute 1 - beta1^t and 1 - beta2^t of each parameter."""
        beta1, beta2 = self.group["betas"]
        grads: Any = self.grads
        if self.exp_avgs[0].dtype != self.params[0].dtype:  # the moments of float16 parameters are in float32
            grads = [g.to(self.exp_avgs[0].dtype) for g in grads]
        if self.group["maximize"]:
            grads = torch._foreach_neg(grads)
        torch._foreach_lerp_(self.exp_avgs, grads, 1 - beta1)
        torch._foreach_mul_(self.exp_avg_sqs, beta2)
        torch._foreach_addcmul_(self.exp_avg_sqs, grads, grads, 1 - beta2)
        if self.group["amsgrad"]:
            torch._foreach_maximum_(self.divisors, self.exp_avg_sqs)

        torch._foreach_add_(self.steps, 1)
        # In single precision 1 - 0.999^t would be wrong in the fifth digit at the first steps.
        steps = torch.stack(self.steps)
        steps = steps if steps.device.type == "mps" else steps.double()
        self.corrections1 = 1 - beta1**steps
        self.corrections2 = 1 - beta2**steps

    def sum_of_v(self, dtype: torch.dtype) -> Tensor:
        """Return the sum of v / (1 - beta2^t) over all elements."""
        if self.device.type == "cuda":
            # v >= 0: its 1-norm is its sum, in one launch. On the CPU a norm rounds after every element.
            sums: Any = torch._foreach_norm(self.divisors, 1, dtype)
        else:
            sums = [v.sum(dtype=dtype) for v in self.divisors]
        return torch.stack(torch._foreach_div(sums, self._scalars(self.corrections2))).sum().to(dtype)

    def decay(self, root_mean_v: Tensor) -> None:
        """Take theta <- theta (1 - eta lambda / sqrt(v-bar)).

        Without weight decay, or at a learning rate of 0, nothing is multiplied: where there are no gradients, v-bar
        is 0 too.
        """
        weight_decay, lr = self.group["weight_decay"], self._lr
        if weight_decay == 0 or self._stands_still:
            return
        shrinking = lr * (weight_decay / root_mean_v.to(self.device))
        if isinstance(lr, Tensor):
            shrinking = torch.where(lr == 0, torch.zeros_like(shrinking), shrinking)
        torch._foreach_mul_(self.params, 1 - shrinking)

    def descend(self) -> None:
        """Take theta <- theta - eta / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)."""
        if self._stands_still:
            return
        # Numerator and denominator are both multiplied by sqrt(1 - beta2^t): a pass over the parameters less.
        scales = self.corrections2.sqrt()
        denominators: Any = torch._foreach_sqrt(self.divisors)
        torch._foreach_add_(denominators, self._scalars(self.group["eps"] * scales))
        rates = self._scalars(scales / self.corrections1)
        if isinstance(self._lr, Tensor):
            rates = torch._foreach_mul([self._lr] * len(rates), rates)
        else:
            rates = [self._lr * rate for rate in rates]
        if isinstance(rates[0], Tensor):
            torch._foreach_div_(denominators, rates)
            torch._foreach_addcdiv_(self.params, self.exp_avgs, denominators, -1)
        else:
            torch._foreach_addcdiv_(self.params, self.exp_avgs, denominators, [-rate for rate in rates])

    @property
    def _stands_still(self) -> bool:
        """Whether the learning rate is known to be 0 without a wait: then no weight changes, whatever the gradients."""
        lr = self.group["lr"]
        return not isinstance(lr, Tensor) and lr == 0

    @property
    def _lr(self) -> float | Tensor:
        lr: float | Tensor = self.group["lr"]
        if not isinstance(lr, Tensor):
            return lr
        # A tensor on the host takes part in an operation on any device, without a copy.
        return lr.reshape(()) if lr.is_cpu else lr.reshape(()).to(self.device)

    def _scalars(self, values: Tensor) -> Any:
        """Return floats where they can be read without a wait, else tensors without dimensions."""
        readable = values.is_cpu and not torch.compiler.is_compiling()
        return values.tolist() if readable else values.unbind()


def root_mean_v(batches: list[Batch], process_group: ProcessGroup | None = None) -> Tensor:
    """Return sqrt(v-bar), v-bar the mean of v / (1 - beta2^t) over all elements of all batches.

    It is summed at least in single precision, on the first CUDA device if there is one; over the mesh of what is
    sharded, and over the ranks of a process group.
    """
    dtype = reduce(torch.promote_types, (batch.params[0].dtype for batch in batches), torch.float32)
    elements = sum(batch.elements for batch in batches)
    sums: dict[Sharding | None, list[Tensor]] = {}
    device = None
    if batches:
        device = next((batch.device for batch in batches if batch.device.type != "cpu"), batches[0].device)
    for batch in batches:
        sums.setdefault(batch.sharding, []).append(batch.sum_of_v(dtype).to(device))
    totals = [whole(torch.stack(each).sum(), sharding).to(device) for sharding, each in sums.items()]
    if process_group is None:
        return reduce(torch.add, totals).div_(elements).sqrt_()
    return summed_mean(totals, elements, process_group).sqrt_().to(dtype)


def refuse_uncountable_capture(batches: list[Batch]) -> None:
    """Raise RuntimeError if a CUDA graph is being captured that would never count its steps."""
    if torch.compiler.is_compiling():
        return
    hosted = any(batch.device.type == "cuda" and batch.steps[0].is_cpu for batch in batches)
    if hosted and torch.cuda.is_current_stream_capturing():
        raise RuntimeError("AdamS captures its step in a CUDA graph only if it is made with capturable=True")
