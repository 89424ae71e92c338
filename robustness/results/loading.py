"""Opening stored results by a study's name, folder or URI."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from robustness import redaction
from robustness.results.files.errors import ResultsWarning, StorageError, Unreachable
from robustness.results.files.opening import open_folder
from robustness.results.files.place import Place, child, is_uri
from robustness.results.run_labels import labelled
from robustness.results.store import Store
from robustness.results.tables.cells import cells_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@dataclass(frozen=True)
class Results:
    """A study's results; tables are read on first use and kept.

    Attributes:
        store: What they are read from.

    Example:
        >>> from robustness import load
        >>> from robustness.published.shipped import published
        >>> results = load(published()["treebank"].root)
        >>> len(results.runs), sorted(results.runs["optimizer"].unique())
        (51, ['adam', 'adams', 'adamw'])
    """

    store: Store

    @property
    def root(self) -> Place:
        """Return the study's folder."""
        return self.store.root

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a run, see `Store.runs`; `label` is what its optimizer is called in the study as it was stored last."""
        return labelled(self.store.runs(), self.store.read_resolved())

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row a run and epoch; see `Store.curves`."""
        return self.store.curves()

    def cells(self) -> pd.DataFrame:
        """Return a row a cell: label, workload, lr, weight_decay, and what its runs came to.

        Returns:
            The columns of the errors (percent) hold means over the `seeds` runs with a result. A run that diverged
            counts in them with its `baseline`, as a network that has learnt nothing. `diverged` is how many did, and
            `at_chance` how many others ended with a test error no better than the baseline.

        Example:
            >>> from robustness import load
            >>> from robustness.published.shipped import published
            >>> cells = load(published()["treebank"].root).cells()
            >>> len(cells), cells["seeds"].unique().tolist()
            (17, [3])
        """
        return cells_of(self.runs)

    @cached_property
    def study_text(self) -> str | None:
        """The study file as it was stored, None if it was not."""
        return self.store.read_study()


def load(study: str | Path | Place, results: str | Path | Place = "results") -> Results:
    """Open a study's results.

    Args:
        study: A study's name below `results`, or a study's folder or URI itself.
        results: The folder or URI that holds studies.

    Returns:
        The results, of which nothing is read yet.

    Raises:
        StorageError: There are no such results, or they cannot be reached.

    Example:
        >>> from robustness import load
        >>> from robustness.published.shipped import published
        >>> int(load(published()["cifar10"].root).curves["epoch"].max())
        8
    """
    places = [] if _says_where(study) else [child(results, str(study))]
    places.append(Place(study))
    for place in places:
        if (store := Store(place, read_only=True)).exists():
            return Results(store)
    known = ", ".join(list_studies(results)) or "none"
    raise StorageError(f"no results of {redaction.place(str(study))} in {Place(results)} (stored studies: {known})")


def _says_where(study: str | Path | Place) -> bool:
    """Tell a place from what may be the name of a study."""
    return isinstance(study, Place) or is_uri(str(study)) or str(study).startswith("file:")


def list_studies(results: str | Path | Place = "results") -> list[str]:
    """Return the names of the studies stored below a folder or URI, sorted.

    A folder that cannot be looked into, such as a link to itself or out of the results, is left out with a warning.

    Raises:
        StorageError: The results cannot be reached.
    """
    folders = [e.name for e in open_folder(Place(results)).entries() if not e.is_file]
    return [name for name in folders if not name.startswith(".") and _is_stored(results, name)]


def _is_stored(results: str | Path | Place, name: str) -> bool:
    try:
        return Store(child(results, name), read_only=True).exists()
    except Unreachable:
        raise
    except StorageError as error:
        warnings.warn(f"{name} is passed over: {error}", ResultsWarning, stacklevel=4)
        return False
