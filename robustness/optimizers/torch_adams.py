"""AdamS as a `torch.optim.Optimizer`, for any model and training loop.

Source: Xie, Xu, Zhang, Sato and Sugiyama, On the Overlooked Pitfalls of Weight Decay and How to Mitigate
Them, NeurIPS 2023, Algorithm 2. With g the gradient, t a parameter's own count of steps:

    m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2
    v-bar = mean of v / (1 - beta2^t) over all elements of all parameters with a gradient, in all groups
    theta <- theta (1 - eta lambda / sqrt(v-bar))
    theta <- theta - eta / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer

from robustness.optimizers.moments import begin, keep_precision, mend
from robustness.optimizers.multi_tensor import Batch, refuse_uncountable_capture, root_mean_v
from robustness.optimizers.sharding import sharding_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.distributed import ProcessGroup
    from torch.optim.optimizer import ParamsT

GROUP_DEFAULTS = {"amsgrad": False, "foreach": None, "maximize": False, "capturable": False}


class AdamS(Optimizer):
    """Adam with stable weight decay: the decay is divided by the root mean square of the gradients.

    `step` never waits for the device. It can be captured in a CUDA graph with `capturable=True` and, where
    the learning rate changes, a tensor `lr` on the device. Parameters on several CUDA devices share v-bar
    without a wait too; parameters on a CUDA device and on the CPU cannot.

    Weight decay acts on every parameter of a group, biases and normalization included, as in the paper; a
    group with `weight_decay=0` is not decayed at all. Where gradients vanish, lr * weight_decay / sqrt(v-bar)
    grows past 2 and the decay itself diverges: nothing is clamped, so watch `effective_decay`.

    v-bar is a mean over the whole model, so a rank that has only a part of it must hear of the others'. Under DDP every
    rank has all of it, and of DTensors (FSDP2's `fully_shard`, tensor parallel) the sum is made whole over their mesh:
    neither needs anything. `process_group` is for parts that nothing tells from a whole model: FSDP1, the stages of a
    pipeline, and ZeRO, `ZeroRedundancyOptimizer(params, functools.partial(AdamS, process_group=group.WORLD))`.

    Args:
        params: Parameters, or dictionaries that define groups; a group may have its own value of each option.
        lr: Learning rate; a tensor of one element may be changed in place between steps.
        betas: Decay rates of the averages of the gradient and of its square.
        eps: Added to the square root of the second moment in the Adam step; not to that of v-bar.
        weight_decay: Lambda, on the scale of L2 decay. The default is the paper's.
        amsgrad: Divide by the running maximum of v, and take v-bar from it.
        foreach: Update many tensors at once (the default), or one by one: slower, with less memory.
        maximize: Ascend instead of descending.
        capturable: Count steps on the device, so that a captured `step` goes on counting.
        differentiable: Of torch's own optimizers; refused where it is true.
        fused: Of torch's own optimizers; refused where it is true.
        process_group: Ranks that have the model's parameters among them, over which the sum and the count of v-bar are
            added up; each must take every step, and the group is not part of the state. None: this rank has them all.

    Raises:
        ValueError: An option is out of range, or one that AdamS does not have.
        RuntimeError: A parameter is complex; in `step`, a gradient is sparse.
    """

    def __init__(  # noqa: PLR0917 (the order of torch.optim.Adam)
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 5e-4,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        process_group: ProcessGroup | None = None,
    ) -> None:
        _refuse_missing({"differentiable": differentiable, "fused": fused})
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "foreach": foreach,
            "maximize": maximize,
            "capturable": capturable,
        }
        _check_options(defaults)
        # In a dictionary, because a compiled step loses what it assigns to an optimizer's own attributes.
        self._last = {"root_mean_v": torch.tensor(math.nan)}
        self._process_group = process_group
        super().__init__(params, defaults)

    def __getstate__(self) -> dict[str, Any]:
        if self._process_group is not None:
            raise TypeError("AdamS with a process_group cannot be copied or pickled: save its state_dict() instead")
        return super().__getstate__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.setdefault("_process_group", None)
        super().__setstate__(state)
        self._last = {"root_mean_v": torch.tensor(math.nan)}
        for group in self.param_groups:
            for name, value in GROUP_DEFAULTS.items():
                group.setdefault(name, value)
            for p in group["params"]:
                if p in self.state:
                    mend(self.state[p], p, group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned, or the paper's authors' class, whose counts of steps are plain numbers."""
        loaded: dict[str, Any] = {}
        # Last before loading and first after it, to see what others' hooks made of the dictionary.
        before = self.register_load_state_dict_pre_hook(lambda _, state: loaded.update(state))
        after = self.register_load_state_dict_post_hook(
            lambda _: keep_precision(self.state, self.param_groups, loaded), prepend=True
        )
        try:
            super().load_state_dict(state_dict)
        finally:
            before.remove()
            after.remove()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; its options are checked as those of the constructor."""
        super().add_param_group(param_group)
        try:
            _check_options(self.param_groups[-1])
            if any(p.is_complex() for p in self.param_groups[-1]["params"]):
                raise RuntimeError("AdamS does not support complex parameters")
        except (ValueError, RuntimeError):
            self.param_groups.pop()
            raise

    @property
    def root_mean_v(self) -> Tensor:
        """Return sqrt(v-bar) of the last step, a tensor without dimensions on the device; NaN before."""
        return self._last["root_mean_v"]

    @property
    def effective_decay(self) -> list[Tensor]:
        """Return weight_decay / sqrt(v-bar) of the last step for each group; 0 without weight decay."""
        root = self._last["root_mean_v"]
        decays = (group["weight_decay"] for group in self.param_groups)
        return [decay / root if decay else torch.zeros_like(root) for decay in decays]

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss.

        Returns:
            The closure's loss, if there is one.

        Raises:
            RuntimeError: A gradient is sparse, or a CUDA graph captures a group that is not `capturable`.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        batches = [batch for group in self.param_groups for batch in self._batches(group)]
        # A rank without a gradient takes part in the others' sum, or they would wait for it.
        if not batches and self._process_group is None:
            return loss
        refuse_uncountable_capture(batches)
        for batch in batches:
            batch.update_moments()
        root = self._last["root_mean_v"] = root_mean_v(batches, self._process_group)
        for batch in batches:
            batch.decay(root)
            batch.descend()
        return loss

    def _batches(self, group: dict[str, Any]) -> list[Batch]:
        """Gather the parameters with a gradient in lists of one device, dtype and mesh, or one by one."""
        columns: tuple[list[Tensor], ...] = ([], [], [], [], [], [])
        self._init_group(group, *columns)
        places: dict[Any, list[int]] = {}
        for index, p in enumerate(columns[0]):
            one_by_one = group["foreach"] is False
            places.setdefault(index if one_by_one else (p.device, p.dtype, sharding_of(p)), []).append(index)
        return [Batch.of(group, *([column[i] for i in indices] for column in columns)) for indices in places.values()]

    # torch.compile looks for a method of this name and runs it as plain Python.
    def _init_group(self, group: dict[str, Any], *columns: list[Tensor]) -> None:
        """Append the tensors of each parameter with a gradient; make its state if it has none yet."""
        with_gradient = [p for p in group["params"] if p.grad is not None]
        if any(p.grad.layout != torch.strided for p in with_gradient):
            raise RuntimeError("AdamS does not support sparse gradients")
        for p in with_gradient:
            state = self.state[p]
            if not state:
                begin(state, p, group)
            if group["amsgrad"] and "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = state["exp_avg_sq"].clone()
            divisor = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
            tensors = (p, p.grad, state["exp_avg"], state["exp_avg_sq"], divisor, state["step"])
            for column, tensor in zip(columns, tensors, strict=True):
                column.append(tensor)


def _refuse_missing(options: dict[str, Any]) -> None:
    """Raise ValueError where an option asks for what torch's own optimizers have and AdamS has not."""
    if options.get("differentiable"):
        raise ValueError("AdamS has no differentiable step: leave `differentiable` out")
    if options.get("fused"):
        raise ValueError("AdamS has no fused step: leave `fused` out; `foreach` updates many tensors at once")


def _check_options(options: dict[str, Any]) -> None:
    """Raise ValueError where an option is out of range, in torch.optim's words."""
    _refuse_missing(options)
    lr, weight_decay = options["lr"], options["weight_decay"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if not options["eps"] >= 0.0:
        raise ValueError(f"Invalid epsilon value: {options['eps']}")
    if any(isinstance(beta, Tensor) for beta in options["betas"]):
        raise ValueError("betas must be numbers, not tensors")
    for index, beta in enumerate(options["betas"]):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
    if isinstance(weight_decay, Tensor):
        raise ValueError("weight_decay must be a number, not a tensor")
    if not weight_decay >= 0.0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")
