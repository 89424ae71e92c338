"""Our packages come first: what lies beside a study, or in the current folder, may be called as they are.

A study's folder enters `sys.path` when a class is found in it, `python -m` puts the current folder first, and so does
Ray on its workers. Without this a file `analysis.py` in one of them would stand for ours when the report is written.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PACKAGES = frozenset({"robustness", "analysis", "search_spaces"})
"""What an installation has at the top of its folder, always side by side."""

ROOT = Path(__file__).resolve().parents[1]
"""The folder in which they lie."""


class PackageFinder:
    """Finds our packages in the folder of this one, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where the package `name` lies; None leaves it to the finders that come after.

        Args:
            name: Full name of a module.
            path: Folders of its parent package, None at the top, where ours are.
            target: A module to be loaded anew.
        """
        if path is not None or name not in PACKAGES:
            return None
        return PathFinder.find_spec(name, [str(ROOT)], target)


def install() -> None:
    """Let our packages be found first; a second call changes nothing."""
    if PackageFinder not in sys.meta_path:
        sys.meta_path.insert(0, PackageFinder)
