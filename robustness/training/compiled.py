"""Functions compiled by `torch.compile` for the shapes that matter, and run as they are for all others."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import torch

from robustness.private_files import kept_folder
from robustness.trees import Tree, shapes

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SHAPES = 6
"""Compiling takes up to a minute; dynamo itself gives up after 8 times."""

CACHE = "TORCHINDUCTOR_CACHE_DIR"
"""Names the folder in which inductor keeps what it has compiled, pickles and libraries, and takes it from again."""


class Compiled:
    """A function of tensors, compiled for the batch that it meets first of each kind.

    That is a whole one; the last, partial batch of a split is not worth the time. What cannot be compiled is run as it
    is, with one warning.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        device: str,
        backend: str | Callable[..., Any],
        *,
        graphs: bool = False,
        kind: Callable[[], object] = lambda: None,
    ) -> None:
        """Compile nothing yet.

        Args:
            function: takes the inputs of a batch as its first argument.
            device: its type, `cpu` or `cuda`.
            backend: of `torch.compile`.
            graphs: whether on a GPU its kernels may be recorded in CUDA graphs: not if what it returns is to outlive
                the next call.
            kind: returns what else is compiled apart, as it is at a call.
        """
        _keep_others_out()
        self._function, self._kind = function, kind
        self._graphs = graphs and device == "cuda" and backend == "inductor"
        mode = "reduce-overhead" if self._graphs else None
        self._compiled = torch.compile(function, backend=backend, dynamic=False, mode=mode)
        self._shapes: dict[tuple[object, ...], tuple[tuple[int, ...], ...]] = {}

    def __call__(self, inputs: Tree, *others: Any) -> Any:
        """Return the function's value for a batch `inputs` and `others`."""
        kinds, shape = (self._kind(), torch.is_grad_enabled()), shapes(inputs)
        if kinds not in self._shapes and len(self._shapes) < MOST_SHAPES:
            self._shapes[kinds] = shape
            return self._first(inputs, *others)
        if self._shapes.get(kinds) != shape:
            return self._function(inputs, *others)
        return self._run(inputs, *others)

    def _run(self, *arguments: Any) -> Any:
        if self._graphs:  # what the last call returned may be overwritten now
            torch.compiler.cudagraph_mark_step_begin()
        return self._compiled(*arguments)

    def _first(self, *arguments: Any) -> Any:
        try:
            return self._run(*arguments)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a compiler may raise anything; a fault of the function's is raised again
            why = " ".join(str(error).split())[:200]
            warnings.warn(f"not compiled, but run as it is: {type(error).__name__}: {why}", stacklevel=2)
            self._compiled = self._function
            self._graphs = False
            return self._function(*arguments)


@cache
def _keep_others_out() -> None:
    """Have inductor's folder be ours alone, where the user names none: torch's own is one that others may have made."""
    if not os.environ.get(CACHE):
        os.environ[CACHE] = str(kept_folder("robustness-compiled"))
