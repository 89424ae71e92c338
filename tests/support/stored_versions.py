"""The stores of all versions of the columns, and a sweep that only begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from robustness.study import Study
from robustness.sweep.start import begin

if TYPE_CHECKING:
    from robustness.results import Store

STORES = Path(__file__).parents[1] / "data" / "stores"


def sweep(store: Store) -> None:
    """Begin a sweep, and do no more than that."""
    study = Study.parse(store.read_study() or "", "small.yaml")
    with begin(study, Path(store.root).parent, use_published=False):
        pass
