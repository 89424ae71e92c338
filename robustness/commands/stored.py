"""Where a stored study lies that was named in one of the ways in which a person may name it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from robustness.results import StorageError, load
from robustness.study import Study, studies
from robustness.study.file import SUFFIXES

if TYPE_CHECKING:
    from robustness.study import Claim


def stored_root(study: str, results: str) -> str:
    """Return the folder or URI of a stored study; it also goes by its study file, such as paper/figure-11.

    Raises:
        robustness.results.StorageError: nothing is stored of it.
        robustness.study.StudyError: the study file cannot be read.
    """
    try:
        return load(study, results).root
    except StorageError:
        if not _has_file(study):
            raise
    return load(Study.load(study).name, results).root


def _has_file(study: str) -> bool:
    return study in studies() or (study.endswith(SUFFIXES) and Path(study).is_file())


def stored_claims(study: str, results: str) -> tuple[str, tuple[Claim, ...] | None]:
    """Return a stored study's root and the claims of its file as it is now; None where there is no such file.

    So that a claim added to the file is judged at once, without a sweep that would store the file anew.
    """
    if not _has_file(study):
        return load(study, results).root, None
    file = Study.load(study)
    return load(file.name, results).root, file.claims
