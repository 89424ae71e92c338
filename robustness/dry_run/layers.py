"""Which layer of a network an error comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


class Path:
    """The layers of a network that are running, the outermost first; after an error, those that had not ended."""

    def __init__(self) -> None:
        self._running: list[str] = []

    def __str__(self) -> str:
        """Return the innermost layer, as its place in the network and its class."""
        return self._running[-1] if self._running else "loss or errors"

    def follow(self, model: nn.Module) -> nn.Module:
        """Return the network, whose layers are followed from now on, and no other's."""
        self._running.clear()
        for name, layer in model.named_modules():
            kind = type(layer).__name__
            words = f"layer {name!r} ({kind})" if name else f"network ({kind})"

            def enter(_layer: nn.Module, _arguments: Any, words: str = words) -> None:
                self._running.append(words)

            def leave(_layer: nn.Module, _arguments: Any, _outputs: Any) -> None:
                self._running.pop()

            layer.register_forward_pre_hook(enter)
            layer.register_forward_hook(leave)
        return model
