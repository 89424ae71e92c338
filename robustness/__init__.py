"""Map how robust an optimizer is to its learning rate and weight decay.

    from robustness import Study, load, run

    sweep = run(Study.load("digits"))      # trains what is missing, stores Parquet below results/
    runs = load("digits").runs             # a pandas table, a row a run

Importing this loads neither torch nor ray.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness import package_finder

package_finder.install()  # before anything else of ours is looked for

from robustness.results import Results, Store, load  # noqa: E402
from robustness.study import Run, Study, StudyError  # noqa: E402

if TYPE_CHECKING:
    from robustness.sweep import Sweep, run

__all__ = ["Results", "Run", "Store", "Study", "StudyError", "Sweep", "load", "run"]


def __getattr__(name: str) -> object:
    if name in ("run", "Sweep"):
        from robustness import sweep

        return getattr(sweep, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
