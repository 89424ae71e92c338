"""Workloads and optimizers whose classes are not imported: what a study file says of them, as data.

They stand in a study that is only looked at. What their options are in full, and so their runs' ids, only the class
would tell.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ConfigDict, PositiveInt

from robustness.optimizers.base import Convention, Optimizer
from robustness.validation.stored_studies import as_stored, is_stored
from robustness.workloads.base import Engine, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

OPEN = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
UNKNOWN = "unknown"
"""In the place of the module, in the name of a class that is called by a short name which nobody here adds."""


_imports: ContextVar[bool] = ContextVar("imports", default=True)


@contextmanager
def without_imports(*, stored: bool = False) -> Iterator[None]:
    """Import nothing that a study names while it is read: what is said of a class of one's own is taken as data.

    Args:
        stored: It was stored with results. Short names that nobody here adds are taken for such classes too, as it may
            have been made where another package was installed.
    """
    with ExitStack() as stack:
        if stored:
            stack.enter_context(as_stored())
        token = _imports.set(False)
        try:
            yield
        finally:
            _imports.reset(token)


def imports() -> bool:
    """Whether what a study names may be imported now."""
    return _imports.get()


def takes_unknown_names() -> bool:
    """Whether a short name that nobody here adds stands for a class that is not here."""
    return is_stored()


class UnimportedWorkload(Workload):
    """A workload that is not imported; its defaults refuse nothing that its class may allow."""

    model_config = OPEN

    name: str
    epochs: PositiveInt = 10**9
    engine: Engine = "single"

    def model(self) -> nn.Module:
        """Refuse: there is no class to ask."""
        _refuse(self.name)


class UnimportedOptimizer(Optimizer):
    """An optimizer that is not imported."""

    model_config = OPEN

    name: str
    convention: Convention | None = None  # type: ignore[assignment, misc]

    @property
    def stackable(self) -> bool:
        """Whether it has an update rule: it was trained, so it had what it needs."""
        return True

    def torch_optimizer(self, parameters: object, lr: float, weight_decay: float) -> NoReturn:  # noqa: ARG002
        """Refuse: there is no class to ask."""
        _refuse(self.name)


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(f"{name} is not imported here")


def given(model: Workload | Optimizer) -> dict[str, Any]:
    """Return the options that the study file gives, as JSON has them; no default is known."""
    said = model.model_dump(mode="json", by_alias=True)
    return {name: value for name, value in said.items() if name in model.model_fields_set and name not in NO_OPTIONS}


NO_OPTIONS = ("name", "label")
"""What a study file says beside a class's options."""


def unimported_name(model: Workload | Optimizer) -> str:
    """Return the import string, or the short name that stands in its place."""
    return model.name.removeprefix(f"{UNKNOWN}:")
