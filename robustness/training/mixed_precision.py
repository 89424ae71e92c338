"""bfloat16 in a stack: what autocast does, done where `vmap` and `grad` see it.

torch's own autocast acts below functorch's transforms: a convolution's backward would get tensors of two types.
The lists follow https://docs.pytorch.org/docs/stable/amp.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_NAMES_LOWERED = ("matmul", "mm", "bmm", "addmm", "addbmm", "baddbmm", "mv", "addmv", "__matmul__", "__rmatmul__")
_LOWERED: frozenset[Any] = frozenset(
    [getattr(space, name) for space in (torch, torch.Tensor) for name in _NAMES_LOWERED if hasattr(space, name)]
    + [getattr(functional, f"conv{form}{n}d") for form in ("", "_transpose") for n in (1, 2, 3)]
    + [functional.linear, functional.bilinear, functional.scaled_dot_product_attention, torch.einsum]
)
_NAMES_RAISED = (
    *("exp", "expm1", "log", "log10", "log2", "log1p", "pow", "__pow__", "rsqrt", "reciprocal", "cumsum", "cumprod"),
    *("sum", "prod", "norm", "softmax", "log_softmax", "acos", "asin", "cosh", "sinh", "tan"),
)
_LOSSES = ("cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "kl_div", "cosine_similarity")
_RAISED: frozenset[Any] = frozenset(
    [getattr(space, name) for space in (torch, torch.Tensor) for name in _NAMES_RAISED if hasattr(space, name)]
    + [getattr(functional, name) for name in ("layer_norm", "group_norm", "softmax", "log_softmax", *_LOSSES)]
)
_IN_FLOAT32: frozenset[Any] = frozenset([functional.batch_norm, torch.batch_norm])


class Lowered(TorchFunctionMode):
    """Runs convolutions and matrix products in bfloat16, what needs the digits in float32."""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call `func` with its real numbers in the type that it is to have."""
        if func in _LOWERED:
            args, kwargs = tree_map_only(torch.Tensor, _lower, (args, kwargs))
        elif func in _RAISED:
            args, kwargs = tree_map_only(torch.Tensor, raised, (args, kwargs))
        elif func in _IN_FLOAT32:
            # Its kernels take activations of one type and statistics of another, but not under `vmap`.
            of_one, back = (raised(args[0]), *args[1:]), args[0].dtype
            return func(*of_one, **(kwargs or {})).to(back)
        return func(*args, **(kwargs or {}))


def _lower(tensor: Tensor) -> Tensor:
    return tensor.bfloat16() if tensor.dtype == torch.float32 else tensor


def raised(tensor: Tensor) -> Tensor:
    """Return a tensor in float32 at least."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor
