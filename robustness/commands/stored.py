"""Where a stored study lies that was named in one of the ways in which a person may name it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from robustness.published.shipped import FOLDER, is_published, published
from robustness.results import StorageError, load
from robustness.results.files.links import refuse_link
from robustness.results.files.place import Place, child
from robustness.study import Study, studies
from robustness.study.file import SUFFIXES
from robustness.study.unimported import without_imports

if TYPE_CHECKING:
    from robustness.study import Claim


def stored_root(study: str, results: Place) -> Place:
    """Return the folder or URI of a stored study; it also goes by its study file, such as paper/figure-11.

    What is not stored may be published, here or with the package: by its name, or as published/NAME.

    Raises:
        robustness.results.StorageError: nothing is stored of it.
        robustness.study.StudyError: the study file cannot be read.
    """
    try:
        return load(study, results).root
    except StorageError:
        if given := _published_root(study.removeprefix(f"{FOLDER}/").rstrip("/")):
            return given
        if not _has_file(study):
            raise
    with without_imports():
        name = Study.load(study).name
    try:
        return load(name, results).root
    except StorageError:
        if given := _published_root(name):
            return given
        raise


def _published_root(name: str) -> Place | None:
    found = published().get(name)
    return found.root if found else None


def _has_file(study: str) -> bool:
    return study in studies() or (study.endswith(SUFFIXES) and Path(study).is_file())


def stored_claims(study: str, results: Place) -> tuple[Place, tuple[Claim, ...] | None]:
    """Return a stored study's root and the claims of its file as it is now; None where there is no such file.

    So that a claim added to the file is judged at once, without a sweep that would store the file anew.
    """
    if not _has_file(study):
        return stored_root(study, results), None
    with without_imports():
        file = Study.load(study)
    return stored_root(study, results), file.claims


def beside(root: Place, name: str, file: str, results: Place) -> Path:
    """Return where `file`, made of the study in `root`, is written.

    That is the study's folder; of a published one, which is not written to, its folder in the results; and the
    working directory if that is on an object store.

    Raises:
        robustness.results.StorageError: there is a link in its place, which leads out of the folder.
    """
    if is_published(root):
        inside = root.parent == results
        root = child("results" if inside else results, name)
    if root.is_uri:
        return Path(f"{name}-{file}")
    refuse_link(Path(root) / file, Path(root))
    return Path(root) / file
