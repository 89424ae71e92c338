"""The base of a network's options, and of its modules: neither loads torch before a network is built."""

from __future__ import annotations

from abc import abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field

from robustness.options import Model

if TYPE_CHECKING:
    from torch import nn

    Network = nn.Module
else:

    class Network:
        """A `torch.nn.Module` whose class can be written, and its file read, without torch.

        With the first instance `nn.Module` joins its bases. A subclass imports torch inside its methods.
        """

        def __new__(cls, *_: Any, **__: Any) -> Network:
            """Make an instance of the joined class, whose `__init__` Python calls next."""
            return object.__new__(_joined(cls))


class ModelOptions(Model):
    """A network with its options as fields; all of them decide what a run comes to.

    A subclass gives its name as a `Literal` field and implements `build`.
    """

    name: str
    width: float = Field(
        1.0, gt=0, description="Factor on all channel counts; they are rounded, and never fewer than 4."
    )

    @abstractmethod
    def build(self, classes: int, channels: int = 3) -> nn.Module:
        """Return a freshly initialized network, drawn from torch's global generator.

        It takes images (n, `channels`, height, width) and returns logits (n, `classes`).
        """


@cache
def _joined(kind: type) -> type:
    """Return a network's class as a torch module, of the same name; one that is so already as it is."""
    from torch import nn

    if issubclass(kind, nn.Module):
        return kind
    return type(kind.__name__, (kind, nn.Module), {"__doc__": kind.__doc__, "__module__": kind.__module__})
