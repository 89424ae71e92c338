"""What workers unpickle finds our packages, whatever lies in the folder in which the sweep was started.

Ray puts that folder, and that of a script, first on its workers' `sys.path`, before anything of ours is imported there:
a file `robustness.py` in it would stand for the package, and no worker could be told anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Transfer:
    """A function of ours on its way to workers: where it is unpickled, our packages come first.

    Unpickled it is a transfer again, for Ray Tune unpickles on the driver what it then sends.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Call the function."""
        return self.function(*given, **named)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        from ray import cloudpickle

        return _opener(), (cloudpickle.dumps((Transfer, self.function)),)


def _opener() -> Callable[[bytes], Any]:
    """Return what opens a transfer. It has no name by which it could be imported, so its code itself is sent."""

    def opened(pickled: bytes) -> Any:
        import importlib
        import pickle
        import sys
        from importlib.machinery import PathFinder
        from pathlib import Path

        def misleads(folder: str) -> bool:
            found = PathFinder.find_spec("robustness", [folder]) is not None
            return found and not Path(folder, "robustness", "package_finder.py").is_file()

        if "robustness" not in sys.modules:
            before = list(sys.path)
            sys.path[:] = [folder for folder in before if not misleads(folder)]
            try:
                importlib.import_module("robustness")  # from here on its finder finds ours
            finally:
                sys.path[:] = before
        kind, function = pickle.loads(pickled)  # noqa: S301 - it comes from the driver, as all that Ray runs does
        return kind(function)

    return opened
