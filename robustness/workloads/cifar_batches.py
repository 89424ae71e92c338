"""CIFAR's batches: pickles, read as the arrays and lists that they are, by a reader that knows nothing else."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 32
LABELS = ("labels", "fine_labels")
"""Of CIFAR-10 and of CIFAR-100."""

NAMES = {
    *((module, "_reconstruct") for module in ("numpy.core.multiarray", "numpy._core.multiarray")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    ("_codecs", "encode"),
}
"""All that a pickle of arrays refers to; of Python 2, as CIFAR's own are, and of 3."""


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in NAMES:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)  # the old name warns


def read(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images (n, 3, 32, 32) of a batch and their labels (n,).

    Raises:
        pickle.UnpicklingError: it refers to something else than arrays, which is not looked up.
    """
    batch = _Arrays(io.BytesIO(content), encoding="latin1").load()
    labels = next(batch[name] for name in LABELS if name in batch)
    return batch["data"].reshape(-1, 3, SIDE, SIDE), np.asarray(labels, dtype=np.int64)
