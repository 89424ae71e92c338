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

from robustness.lazy import lazily  # noqa: E402
from robustness.results import Place, Results, Store, load  # noqa: E402
from robustness.study import Run, Study, StudyError  # noqa: E402

if TYPE_CHECKING:
    from robustness.sweep import Sweep, run

    __version__: str

__all__ = ["Place", "Results", "Run", "Store", "Study", "StudyError", "Sweep", "__version__", "load", "run"]

__getattr__ = lazily(
    __name__,
    {
        "Sweep": "robustness.sweep:Sweep",
        "run": "robustness.sweep:run",
        "__version__": "robustness.version:version()",
    },
)
