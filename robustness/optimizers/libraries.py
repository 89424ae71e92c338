"""The package `pytorch_optimizer`, loaded on first use: only the engine `single` needs it, and only for some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def load_pytorch_optimizer(optimizer: str) -> ModuleType:
    """Return the module `pytorch_optimizer`.

    Raises:
        ImportError: it is not installed; the message names the package and `optimizer`, which asked for it.
    """
    try:
        import pytorch_optimizer
    except ImportError as error:
        raise ImportError(
            f"{optimizer} with the engine 'single' needs the package pytorch_optimizer, 4.1 or later: "
            "install it, or train with the engine 'stack'"
        ) from error
    return pytorch_optimizer
